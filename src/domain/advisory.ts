// Advisories as repositories publish them in updateinfo: which packages fix which CVEs.
import type { Nevra } from './nevra.ts';

export type AdvisoryType = 'security' | 'bugfix' | 'enhancement' | 'newpackage' | 'unknown';

/** Something an advisory refers to: a CVE, a bug, a web page. */
export interface Reference {
  /** `cve`, `bugzilla`, `self` ...; as written, lower case. */
  readonly type: string;
  readonly id: string;
  readonly title: string;
  readonly href: string;
}

export interface AdvisoryPackage extends Nevra {
  readonly rebootSuggested: boolean;
}

/** One advisory, of a repository that is in use. Only packages of kernels and live patches are kept. */
export interface Advisory {
  readonly repo: string;
  readonly id: string;
  readonly type: AdvisoryType;
  /** `Important`, `important`, ...: as written; null when not said. */
  readonly severity: string | null;
  readonly title: string;
  readonly description: string;
  readonly rights: string;
  /** As written (`2024-01-10 00:00:00`, `2024-01-10`, seconds); null when not said. */
  readonly issued: string | null;
  readonly updated: string | null;
  readonly references: readonly Reference[];
  /** Every CVE it names, in the form `CVE-YYYY-NNNN`, each once. */
  readonly cves: readonly string[];
  readonly packages: readonly AdvisoryPackage[];
  /** Fingerprint of the key that signed the repository's metadata; null when no signature was asked for. */
  readonly signer: string | null;
}

/** How far one repository's advisories are known. */
export interface AdvisoryState {
  readonly repo: string;
  /** `read`; `none`: the repository publishes none; `unread`: not asked for, not cached, or not readable (see `problem`). */
  readonly state: 'read' | 'none' | 'unread';
  readonly problem: { readonly code: string; readonly text: string } | null;
}

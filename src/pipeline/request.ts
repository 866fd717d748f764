// What was asked for, as the command line (or a unit) understood it.
import type { Verb } from '../decide/plan.ts';
import type { Spec } from '../decide/spec.ts';
import type { Net } from '../net/access.ts';
import type { ConfigRequest } from '../observe/config/types.ts';

/** Verbs that change nothing but the cache. */
export type ReadingVerb =
  | 'status'
  | 'kernels'
  | 'makecache'
  | 'clean'
  | 'inspect'
  | 'list'
  | 'info'
  | 'search'
  | 'provides'
  | 'check-update'
  | 'repolist'
  | 'repoinfo'
  | 'download'
  | 'keys'
  | 'completion'
  | 'bundle'
  | 'publish'
  | 'verify'
  | 'cves'
  | 'updateinfo'
  | 'needs-reboot'
  | 'doctor'
  | 'metrics'
  | 'report'
  | 'module'
  | 'quarantine'
  | 'boot'
  | 'service'
  | 'veto'
  | 'machine';

export interface Request {
  readonly verb: Verb | ReadingVerb | 'keys';
  readonly config: Omit<ConfigRequest, 'hostRoot' | 'env' | 'arch' | 'releaseOf'>;
  /** What was typed, without the program's name and without credentials; for the history. Absent: the verb. */
  readonly commandLine?: string;
  /** The run that is to be undone, with the verb `history`: `N`, `last`, `last-N`. */
  readonly undo?: string;
  /** Kernel releases to work on; empty means all. */
  readonly kernels: readonly string[];
  /** What was named behind the verb; absent: nothing. */
  readonly words?: readonly string[];
  /** CVEs and advisories that were named by options. */
  readonly fixes?: readonly Spec[];
  /** Names of files count from this directory of the host (asked for only then: it may be gone); absent: '/'. */
  readonly directory?: () => string;
  /** Ask the repositories even where the cache is fresh. */
  readonly refresh: boolean;
  /** Never use the network. */
  readonly cacheOnly: boolean;
  /** Take signed metadata that is older than what was seen before; absent: no. */
  readonly allowOlder?: boolean;
  /** Advisories are wanted too. */
  readonly advisories?: boolean;
  /** Packages and keys too come from the cache and from file: URLs only; absent: no. */
  readonly offline?: boolean;
  /** Asked in place of the network: an archive that holds everything (bundle). */
  readonly instead?: Net;
  /** Load into the running kernel. */
  readonly load: boolean;
  /** Seconds to wait for the lock; null: what the configuration says. */
  readonly lockTimeout: number | null;
  readonly assumeYes: boolean;
  readonly assumeNo: boolean;
  /** Nobody is there (a timer): no question is asked, and a new key counts only if a verified package vouches for it. */
  readonly unattended: boolean;
  /** Plan only: nothing is applied, no lock is taken. */
  readonly dryRun: boolean;
}

// What inspecting a file finds: contract section 6, as values.

import type { Problem } from '../../domain/because.ts';
import type { KeyringVerdict } from '../../domain/signing.ts';
import type { ModuleFacts } from '../../formats/elf/module.ts';
import type { SignatureVerdict } from '../../formats/openpgp/index.ts';
import type { PackageFacts } from '../../formats/rpm/facts.ts';
import type { Fix } from '../../formats/rpm/fixes.ts';
import type { DigestVerdict } from '../../formats/rpm/hash.ts';

export interface InspectedSignature {
  /** Tag of the signature header. */
  readonly tag: string;
  readonly covers: 'header' | 'header+payload';
  readonly version: number;
  readonly algorithm: string;
  readonly hash: string;
  readonly keyid: string | null;
  /** Of the key that made it: from the packet, else from the key at hand. */
  readonly fingerprint: string | null;
  readonly created: Date | null;
  readonly verdict: SignatureVerdict;
  /** What is to be said about the verdict; null for a good one. */
  readonly reason: string | null;
  /** User id of the key; null where no key was at hand. Not to be printed raw. */
  readonly owner: string | null;
}

export interface InspectedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string | null;
  /** With the type bits of stat(2). */
  readonly mode: number;
  readonly linkTo: string | null;
}

export interface InspectedModule {
  /** Path in the package; of a .ko the file itself. */
  readonly file: string;
  readonly facts: ModuleFacts;
  /** Whether a keyring of the running kernel holds the key of the module's own signature; null when it has none. */
  readonly keyring: KeyringVerdict | null;
}

export interface InspectedLivepatch {
  /** Null where the package does not say, or contradicts itself. */
  readonly kernel: string | null;
  readonly modules: readonly InspectedModule[];
  /** `object:function`, each once, in the modules' order. */
  readonly functions: readonly string[];
  readonly cves: readonly string[];
  readonly fixes: readonly Fix[];
}

/** `trusted`: verified as for installing; `bad`: damaged or a signature does not fit; else signed by nobody trusted, or unsigned. */
export type Authenticity = 'trusted' | 'untrusted' | 'unsigned' | 'bad';

/** Whether the pins of this root allow the signer; `unknown`: this user may not read them, or they are damaged. */
export interface PinVerdict {
  readonly stream: string;
  /** `none`: the stream has no pin, and any trusted key counts. */
  readonly verdict: 'pinned' | 'not-pinned' | 'none' | 'unknown';
}

export interface Inspection {
  /** As it was named. */
  readonly file: string;
  readonly kind: 'rpm' | 'source-rpm' | 'ko' | 'unknown';
  readonly nevra: string | null;
  /** 3, 4 or 6; null for what is no package. */
  readonly format: number | null;
  readonly facts: PackageFacts | null;
  readonly payload: { readonly format: string; readonly compressor: string } | null;
  readonly digests: readonly DigestVerdict[];
  readonly signatures: readonly InspectedSignature[];
  readonly files: readonly InspectedFile[];
  /** `header`: the payload could not be read, so the files are only what the header claims. */
  readonly filesFrom: 'payload' | 'header' | null;
  readonly authentic: Authenticity;
  /** Why it is not trusted; null when it is. */
  readonly authenticBecause: Problem | null;
  /** Fingerprint and owner of the key by which it is trusted. */
  readonly signer: { readonly fingerprint: string; readonly owner: string } | null;
  /** Null for what is no live patch, or signed by nobody trusted. */
  readonly pin: PinVerdict | null;
  readonly livepatch: InspectedLivepatch | null;
  /** Facts of a .ko, live patch or not. */
  readonly module: InspectedModule | null;
  /** Why kpatch-pm would not use it, whoever signed it. Empty: the file is sound. */
  readonly refusals: readonly Problem[];
}

/** What nothing is known of yet. */
export function blank(file: string): Inspection {
  return {
    file,
    kind: 'unknown',
    nevra: null,
    format: null,
    facts: null,
    payload: null,
    digests: [],
    signatures: [],
    files: [],
    filesFrom: null,
    authentic: 'unsigned',
    authenticBecause: null,
    signer: null,
    pin: null,
    livepatch: null,
    module: null,
    refusals: [],
  };
}

/** Contract section 6: it parses, all digests hold, nothing is refused. */
export function isSound({ refusals, digests }: Inspection): boolean {
  return refusals.length === 0 && digests.every(({ verdict }) => verdict === 'ok');
}

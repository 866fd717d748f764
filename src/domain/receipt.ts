// What we keep about one package we installed for one kernel.
import type { KernelRelease } from './kernel.ts';
import type { Nevra } from './nevra.ts';

/** Format number of receipts on disk; an older one is migrated, a newer one refused. */
export const RECEIPT_FORMAT = 1;

export interface Signer {
  readonly fingerprint: string;
  readonly keyid: string;
  readonly owner: string;
}

export interface ReceiptFile {
  /** File name below /var/lib/kpatch/<kernel>/. */
  readonly file: string;
  readonly module: string;
  readonly size: number;
  readonly sha256: string;
}

/** One entry of a package's changelog, as its signed header has it. */
export interface ReceiptChange {
  /** Seconds since 1970. */
  readonly time: number;
  readonly author: string;
  readonly text: string;
}

/** A level that this one took the place of: it may be the one that still runs. */
export interface EarlierLevel {
  readonly package: Nevra;
  readonly signer: Signer | null;
  /** Module names. */
  readonly modules: readonly string[];
  readonly cves: readonly string[];
}

export interface Receipt {
  readonly format: typeof RECEIPT_FORMAT;
  readonly kernel: KernelRelease;
  readonly package: Nevra;
  readonly repo: string;
  /** Where the package came from, without credentials. */
  readonly url: string | null;
  /** Who signed it; null when it was installed unsigned by explicit permission. */
  readonly signer: Signer | null;
  readonly packageSha256: string;
  /** Empty for a subscription. */
  readonly files: readonly ReceiptFile[];
  readonly installedAt: string;
  /** Version of kpatch-pm that did it. */
  readonly by: string;
  /** Who asked: verb and login user. */
  readonly askedBy: string;
  /** Whether the rpm database was told. */
  readonly registered: boolean;
  /** The rpm database is to be told once the kernel took the level; absent when that is done, or was never wanted. */
  readonly registration?: 'pending';
  /**
   * The receipt of the level before, for as long as that returns should the running kernel refuse this one; null: it had
   * none. Absent once this level is proven, or where it took no other's place.
   */
  readonly before?: Receipt | null;
  /**
   * The changelog of the package: what it fixes, vouched for by `signer`. Receipts written before this was kept have none;
   * entries beyond MAX_CHANGELOG are left out.
   */
  readonly changelog?: readonly ReceiptChange[];
  /** Its makers are its users (kpatch-pm publish); absent: it does not say so. */
  readonly support?: 'own';
  /** The levels before, the newest first, at most MAX_EARLIER. */
  readonly earlier?: readonly EarlierLevel[];
}

/** Characters of changelog kept in a receipt at most; vendors' live patches have some thousand. */
export const MAX_CHANGELOG = 256 * 1024;
export const MAX_EARLIER = 8;

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
}

// Live patches on this machine: on disk and in the kernel.
import type { KernelRelease } from './kernel.ts';
import type { Nevra } from './nevra.ts';

export type PatchSource = 'kpatch-pm' | 'rpm' | 'foreign';
export type Support = 'vendor' | 'third-party' | 'own' | 'unknown';

/** What a package provides that its own users made (kpatch-pm publish): it says of itself that no vendor stands behind it. */
export const OWN_MARK = 'livepatch-support(own)';

/** Who stands behind a package, by what it says of itself. Nothing makes a package say that it is a vendor's. */
export function supportOf(provides: readonly { readonly name: string }[]): Support {
  return provides.some(({ name }) => name === OWN_MARK) ? 'own' : 'unknown';
}

/** One installed live patch of one kernel: a module file below /var/lib/kpatch, or an empty package (a subscription). */
export interface InstalledPatch {
  readonly kernel: string;
  /** The package it came from; null for a file nobody accounts for. */
  readonly package: Nevra | null;
  /** Module name as sysfs shows it (`kpatch_5_14_0_362_8_1_1_3`); null for an empty package. */
  readonly module: string | null;
  /** Path of the module file below the root; null for an empty package, or when the file is gone. */
  readonly file: string | null;
  readonly source: PatchSource;
  readonly support: Support;
  /** True when the bytes on disk differ from the receipt's; null when there is no receipt. */
  readonly changed: boolean | null;
  /** Id of the repository it came from, where a receipt says so. */
  readonly repo?: string | null;
  /** GNU build id of the module file, hexadecimal; null or absent where it has none or is no module. */
  readonly buildId?: string | null;
}

/** A module file that a person named for a kernel: no package brings it, nobody signed it. */
export interface OwnModule {
  /** As it was typed. */
  readonly typed: string;
  readonly kernel: KernelRelease;
  /** File name. */
  readonly file: string;
  /** Name as sysfs will show it. */
  readonly module: string;
  /** rpm architecture of its code. */
  readonly arch: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  /** These very bytes are installed already. */
  readonly installed: boolean;
}

/** One entry of /sys/kernel/livepatch of the running kernel. */
export interface LoadedPatch {
  readonly module: string;
  readonly enabled: boolean;
  readonly transition: boolean;
  /** GNU build id of what is in the kernel, hexadecimal; absent where the kernel does not show one. */
  readonly buildId?: string;
}

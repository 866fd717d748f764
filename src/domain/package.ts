// Packages as repositories offer them.
import type { Nevra } from './nevra.ts';

export type Comparison = 'EQ' | 'LT' | 'LE' | 'GT' | 'GE';

/** One Provides, Requires, Conflicts or Obsoletes entry. `evr` is the text `[epoch:]version[-release]`. */
export interface Dependency {
  readonly name: string;
  readonly flags: Comparison | null;
  readonly evr: string | null;
}

export interface Checksum {
  readonly type: 'sha256' | 'sha384' | 'sha512';
  readonly value: string;
}

/** The repository of packages that were named as files: no other has priority over it, and it over none. As dnf calls it. */
export const COMMAND_LINE = '@commandline';

/** A package in a repository's primary metadata: only what deciding and fetching need. */
export interface OfferedPackage extends Nevra {
  readonly repo: string;
  /** Path relative to the repository's base (or `base` where the entry has xml:base). */
  readonly href: string;
  readonly base: string | null;
  /** Bytes of the package file; null when the metadata does not say. */
  readonly size: number | null;
  /** Bytes when installed; null when the metadata does not say. */
  readonly installedSize: number | null;
  /** Seconds since 1970; null when the metadata does not say. */
  readonly buildTime: number | null;
  /** When its file came into the repository, seconds since 1970, as the repository says; absent or null: it does not. */
  readonly fileTime?: number | null;
  readonly checksum: Checksum | null;
  readonly summary: string;
  readonly provides: readonly Dependency[];
  readonly requires: readonly Dependency[];
  readonly conflicts: readonly Dependency[];
  readonly obsoletes: readonly Dependency[];
  /** Files as far as primary lists them (it keeps only some directories). */
  readonly files: readonly string[];
  /** The exclude rule that hides it (`exclude=kernel* in dnf.conf`), or null. */
  readonly excludedBy: string | null;
  /** The versionlock rule that holds it back (`kpatch-patch-*-1-1.* in versionlock.list line 3`); absent or null: none. */
  readonly lockedBy?: string | null;
}

/** A kernel a repository offers: enough to say which kernels have a live-patch stream. */
export interface OfferedKernel extends Nevra {
  readonly repo: string;
  /** The full `uname -r` it boots as (`release` is the release of the package, as in every Nevra). */
  readonly uname: string;
  readonly excludedBy: string | null;
}

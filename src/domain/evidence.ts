// What is known about the fixes on this machine, and how: the material of `cves` and `needs-reboot`.
import type { Nevra } from './nevra.ts';

/** What the changelog of one live-patch package says it fixes. Live patches are cumulative. */
export interface PatchRecord {
  readonly kernel: string;
  readonly package: Nevra;
  /** Module names as sysfs shows them. */
  readonly modules: readonly string[];
  /** Where the changelog was kept: our receipt, or the rpm database. */
  readonly kept: 'receipt' | 'rpmdb';
  /** Whose signature covers the changelog; null: nobody's, so that it proves nothing. */
  readonly signer: string | null;
  readonly cves: readonly string[];
  /** False for a level that another has taken the place of on disk; it may still be the one that runs. */
  readonly current: boolean;
}

/** The CVEs that the changelog of an installed kernel package names. */
export interface KernelRecord {
  readonly kernel: string;
  readonly package: Nevra;
  readonly signer: string | null;
  readonly cves: readonly string[];
}

export interface Evidence {
  readonly patches: readonly PatchRecord[];
  readonly kernels: readonly KernelRecord[];
}

/** Order of CVE numbers: year, then number. Other texts come last, by their text. */
export function compareCves(a: string, b: string): number {
  const [one, two] = [parts(a), parts(b)];
  return one[0] - two[0] || one[1] - two[1] || (a < b ? -1 : a > b ? 1 : 0);
}

function parts(cve: string): [number, number] {
  const found = /^CVE-(\d{4})-(\d{4,19})$/.exec(cve);
  return found ? [Number(found[1]), Number(found[2])] : [10_000, 0];
}

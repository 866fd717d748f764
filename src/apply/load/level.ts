// Which of two live patches of one kernel is newer. An older cumulative patch replaces a newer one without complaint of the kernel.
import { compareEvr, type Evr, type Order, rpmvercmp } from '../../domain/evr.ts';

/** What receipts or the rpm database know about a module. */
export interface KnownLevel {
  readonly module: string;
  readonly evr: Evr;
}

/**
 * The order of two modules: by the packages they came from where both are known, else by their names where these differ
 * only in the level at the end (`kpatch_5_14_0_362_8_1_1_3`: version 1, release 3). Null when it cannot be told.
 */
export function compareLevels(a: string, b: string, known: readonly KnownLevel[]): Order | null {
  if (a === b) return 0;
  const one = known.find((level) => level.module === a);
  const two = known.find((level) => level.module === b);
  if (one && two) return compareEvr(one.evr, two.evr);
  const left = LEVEL.exec(a);
  const right = LEVEL.exec(b);
  if (!left || !right || left[1] !== right[1]) return null;
  return rpmvercmp(`${left[2]}`, `${right[2]}`) || rpmvercmp(`${left[3]}`, `${right[3]}`);
}

const LEVEL = /^(.+)_(\d+)_(\d+)$/;

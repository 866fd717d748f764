// What one file brings that another does not: `inspect A B --diff`.
import type { Fix } from '../../formats/rpm/fixes.ts';
import type { InspectedFile, Inspection } from './inspection.ts';

export interface ChangelogLines {
  /** Seconds since 1970. */
  readonly time: number;
  readonly author: string;
  readonly text: string;
}

/** Each list holds what only one of the two has. */
export interface Side {
  readonly functions: readonly string[];
  readonly cves: readonly string[];
  readonly fixes: readonly Fix[];
  readonly changelog: readonly ChangelogLines[];
  readonly files: readonly InspectedFile[];
  readonly scripts: readonly string[];
}

export interface Difference {
  /** In B, not in A. */
  readonly added: Side;
  /** In A, not in B. */
  readonly removed: Side;
  /** Paths in both whose content, mode or target differs. */
  readonly changed: readonly string[];
}

/** Compares two inspections. Live patches are cumulative: what a newer level no longer has deserves a look. */
export function compare(a: Inspection, b: Inspection): Difference {
  const paths = new Map(a.files.map((file) => [file.path, file]));
  const changed = b.files.filter((file) => {
    const before = paths.get(file.path);
    return before !== undefined && fileKey(before) !== fileKey(file);
  });
  return { added: only(b, a), removed: only(a, b), changed: changed.map(({ path }) => path) };
}

function only(here: Inspection, there: Inspection): Side {
  return {
    functions: without(here.livepatch?.functions ?? [], there.livepatch?.functions ?? [], (name) => name),
    cves: without(here.livepatch?.cves ?? [], there.livepatch?.cves ?? [], (cve) => cve),
    fixes: without(here.livepatch?.fixes ?? [], there.livepatch?.fixes ?? [], JSON.stringify),
    changelog: without(here.facts?.changelog ?? [], there.facts?.changelog ?? [], JSON.stringify),
    files: without(here.files, there.files, ({ path }) => path),
    scripts: without(here.facts?.scripts ?? [], there.facts?.scripts ?? [], (name) => name),
  };
}

function without<T>(here: readonly T[], there: readonly T[], key: (one: T) => string): T[] {
  const known = new Set(there.map((one) => key(one)));
  return here.filter((one) => !known.has(key(one)));
}

const fileKey = ({ sha256, mode, linkTo, size }: InspectedFile): string => JSON.stringify([sha256, mode, linkTo, size]);

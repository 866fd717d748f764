// Metadata must not go back in time unnoticed: a mirror that withholds updates serves what was right last month. With signed
// metadata the newest that was seen is remembered and nothing older taken; unsigned metadata proves nothing, so there it
// is a warning (content views are rolled back on purpose).
import type { Problem } from '../../domain/because.ts';
import { KpmError } from '../../errors.ts';
import { type Cache, readCached, writeCached } from '../../state/cache.ts';
import type { Repomd } from './repomd.ts';

/** Seconds by which the clocks of a builder and of this host may differ. */
const SKEW = 3600;

/** The file in a repository's directory of the cache; `clean` leaves it. */
export const FLOOR = 'floor.json';

/** When metadata was made, seconds since 1970: the revision where it is a time, else the newest file; null: it says nothing. */
export function madeAt(repomd: Repomd): number | null {
  const revision = /^\d{10}$/.test(repomd.revision ?? '') ? Number(repomd.revision) : null;
  const times = repomd.records.flatMap(({ timestamp }) => timestamp ?? []);
  return revision ?? (times.length > 0 ? Math.max(...times) : null);
}

const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');

/** The newest signed metadata of a repository that was seen, seconds since 1970; null: none. */
export function floorOf(cache: Cache, key: string): number | null {
  const text = readCached(cache.own, `${key}/${FLOOR}`, 4096)?.toString('utf8');
  const made = text === undefined ? undefined : /"made":(\d{1,12})[,}]/.exec(text)?.[1];
  return made === undefined ? null : Number(made);
}

/** Refuses signed metadata that is older than what was seen. Raises `repo-older`. */
export function holdFloor(floor: number | null, made: number | null, id: string): void {
  if (floor === null || (made !== null && made >= floor)) return;
  throw new KpmError('repo-older', {
    text: `Repository ${id}: its signed metadata is of ${made === null ? 'no known time' : day(made)}, and newer was seen before (${day(floor)}).`,
    subject: id,
    hint: 'A mirror may be withholding updates; if the repository was really set back: --allow-older-metadata',
  });
}

/** Remembers signed metadata. One from the future would lock everything after it out, so it does not count. */
export function raiseFloor(cache: Cache, key: string, made: number | null, now: Date): void {
  if (made === null || made > now.getTime() / 1000 + SKEW) return;
  writeCached(cache, `${key}/${FLOOR}`, `${JSON.stringify({ format: 1, made })}\n`);
}

/** The warning about unsigned metadata that went back in time; null where it did not. */
export function wentBack(before: number | null, made: number | null, id: string): Problem | null {
  if (before === null || made === null || made >= before) return null;
  const text = `The metadata of repository ${id} is older than before: of ${day(made)}, and it was of ${day(before)}.`;
  return { code: 'repo-older', text };
}

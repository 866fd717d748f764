// The cache of repository metadata and packages: where it lies and how files in it are read and written. Everything in it
// can be had again, so nothing here is fatal: what is missing, damaged or somebody else's counts as absent.
import { KpmError } from '../errors.ts';
import { sha256OfText } from '../formats/sha256.ts';
import type { Root } from '../host/root.ts';

/** Below the root; for root, and for whoever owns an installroot. */
export const SYSTEM_CACHE = 'var/cache/kpatch-pm';

export interface Place {
  readonly root: Root;
  /** Directory below the root. */
  readonly base: string;
  readonly mode: number;
}

export interface Cache {
  /** Null where this user has no place for one (no HOME): then nothing is kept. */
  readonly own: Place | null;
  /** The system's cache, for users who have nothing newer themselves: read, never written. */
  readonly shared: Place | null;
}

export interface CacheSurroundings {
  readonly root: Root;
  readonly host: Root;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What the configuration says about the place (cachedir=). */
export interface CachePlace {
  /** Absolute. */
  readonly cachedir: string;
  /** Whether it counts from the host's root (a path of the command line). */
  readonly cachedirOnHost: boolean;
}

/**
 * The cache of this run: var/cache/kpatch-pm below the root, or where cachedir= puts it; a user on the running system has
 * his own below XDG_CACHE_HOME (XDG Base Directory Specification) and may read the system's.
 */
export function openCache(surroundings: CacheSurroundings, where?: CachePlace): Cache {
  const { root, host, uid, env } = surroundings;
  const base = where?.cachedir.replace(/^\/+/, '') || SYSTEM_CACHE;
  const system: Place = { root: where?.cachedirOnHost ? host : root, base, mode: 0o755 };
  if (uid === 0 || !root.isHost) return { own: system, shared: null };
  const home = env.XDG_CACHE_HOME?.startsWith('/')
    ? env.XDG_CACHE_HOME
    : env.HOME?.startsWith('/')
      ? `${env.HOME}/.cache`
      : null;
  const own = home === null ? null : { root: host, base: `${home.slice(1)}/kpatch-pm`, mode: 0o700 };
  return { own, shared: system };
}

/** The directory of one repository: its id for people, and a hash of id and URLs (without credentials) for certainty. */
export function cacheKey(id: string, urls: readonly string[]): string {
  const hash = sha256OfText(JSON.stringify([id, ...urls]));
  return `${id.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 100)}-${hash.slice(0, 16)}`;
}

/** What tells a file of the cache from any other that is put in its place, or written to; null where there is none. */
export function fileIdentity(place: Place | null, relative: string): string | null {
  const found = place?.root.lstat(`${place.base}/${relative}`);
  return found ? [found.ino, found.size, found.mtimeMs, found.ctimeMs].join(' ') : null;
}

/** Whether a cache belongs to root or to us, or is not there yet: nobody else is believed. Raises what looking raises. */
export function isOurs({ root, base }: Place): boolean {
  const owner = root.stat(base)?.uid;
  return owner === undefined || owner === 0 || owner === process.geteuid?.();
}

/** A file of the cache; null when absent, unreadable, too large or in a directory that is neither ours nor root's. */
export function readCached(place: Place | null, relative: string, maxBytes: number): Buffer | null {
  if (place === null) return null;
  try {
    if (!isOurs(place)) return null;
    return place.root.read(`${place.base}/${relative}`, maxBytes);
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}

/**
 * Writes a file of the cache atomically. Gives the reason where it cannot be kept (read-only, not ours): the run goes on
 * without, and says so. Raises `no-space`, which the person must know. With `durable: false` nothing waits for the disk:
 * only for files that show damage by themselves.
 */
export function writeCached(
  cache: Cache,
  relative: string,
  data: Buffer | string,
  { durable = true }: { readonly durable?: boolean } = {},
): KpmError | null {
  const place = cache.own;
  if (place === null) return null;
  try {
    const folder = relative.slice(0, relative.lastIndexOf('/'));
    place.root.mkdirs(`${place.base}/${folder}`, place.mode, durable);
    place.root.write(`${place.base}/${relative}`, data, {
      mode: place.mode === 0o700 ? 0o600 : 0o644,
      durable,
    });
    return null;
  } catch (error) {
    if (error instanceof KpmError && error.code !== 'no-space') return error;
    throw error;
  }
}

/** What `clean` takes away. */
export type CleanWhat = 'all' | 'metadata' | 'packages' | 'expire-cache';

/** Removes cached files; gives how many went. Directories that are empty then go too. */
export function cleanCache(cache: Cache, what: CleanWhat): number {
  const place = cache.own;
  if (place === null) return 0;
  let removed = 0;
  for (const entry of place.root.list(place.base)) {
    const folder = `${place.base}/${entry}`;
    if (!place.root.lstat(folder)?.isDirectory()) continue;
    if (what !== 'metadata' && what !== 'expire-cache') removed += cleanFolder(place, `${folder}/packages`, () => true);
    if (what !== 'packages') removed += cleanFolder(place, folder, (name) => metadataGoes(name, what));
    place.root.removeEmptyDir(folder);
  }
  return removed;
}

/** What was seen of signed metadata stays: else whoever can have the cache cleaned could turn the clock back. */
function metadataGoes(name: string, what: CleanWhat): boolean {
  return what === 'expire-cache' ? name === 'state.json' : name !== 'floor.json';
}

function cleanFolder(place: Place, folder: string, goes: (name: string) => boolean): number {
  let removed = 0;
  for (const name of place.root.list(folder)) {
    const file = `${folder}/${name}`;
    if (place.root.lstat(file)?.isDirectory() || !goes(name)) continue;
    if (place.root.remove(file)) removed++;
  }
  place.root.removeEmptyDir(folder);
  return removed;
}

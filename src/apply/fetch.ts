// Fetching a package: from the cache where its checksum fits, else from the mirrors of its repository, going on where an
// earlier attempt stopped. What is handed on are exactly the bytes that the metadata promises.
import { createHash } from 'node:crypto';
import { formatNevra } from '../domain/nevra.ts';
import type { Checksum, OfferedPackage } from '../domain/package.ts';
import { KpmError } from '../errors.ts';
import { MAX_PACKAGE_BYTES } from '../formats/rpm/package.ts';
import type { Progress } from '../host/machine.ts';
import type { Net, Opened } from '../net/access.ts';
import { fromMirrors, type RepoSource } from '../net/source.ts';
import { below, otherBase, shown } from '../net/url.ts';
import { type Cache, readCached } from '../state/cache.ts';
import { openPartial, type Partial } from './partial.ts';

/** Memory is taken at once for so much at most, whatever the metadata promises. */
const USUAL_PACKAGE = 64 * 1024 * 1024;

/** Where a package is to be had: a Snapshot of its repository is one. */
export interface PackageOrigin {
  readonly source: RepoSource | null;
  /** Where its metadata came from, without credentials. */
  readonly baseurl: string | null;
  /** Directory of the repository in the cache. */
  readonly cacheKey: string;
}

export interface Fetched {
  readonly bytes: Buffer;
  /** Where it came from, without credentials; of a package that was in the cache, where its repository offers it. */
  readonly url: string | null;
}

/** The package of an offer. */
export interface FetchedPackage extends Fetched {
  /** Whether the cache has it, so that it can be had again without the network. */
  readonly cached: boolean;
}

/**
 * The bytes of a package, size and checksum as the metadata gives them. Raises `checksum-refused` (the metadata has no
 * strong checksum), `too-large`, `package-mismatch`, `no-space`, and the codes of the network area.
 */
export async function fetchPackage(
  net: Net,
  cache: Cache,
  origin: PackageOrigin,
  pkg: OfferedPackage,
  progress?: (label: string, total: number | null) => Progress,
): Promise<FetchedPackage> {
  const nevra = formatNevra(pkg);
  const { checksum } = pkg;
  if (checksum === null) {
    throw new KpmError('checksum-refused', {
      text: `${nevra}: the metadata of repository ${pkg.repo} has no sha256, sha384 or sha512 checksum for it.`,
      subject: nevra,
      hint: 'Have the metadata made again with sha256: createrepo_c --checksum sha256',
    });
  }
  if (pkg.size !== null && pkg.size > MAX_PACKAGE_BYTES) {
    throw new KpmError('too-large', {
      text: `${nevra} of repository ${pkg.repo} is ${pkg.size} bytes long, more than the ${MAX_PACKAGE_BYTES} allowed.`,
      subject: nevra,
      hint: `No live patch is as large: tell the owner of the repository ${pkg.repo}.`,
    });
  }
  const file = cachedFile(origin.cacheKey, pkg, checksum);
  const kept = readCached(cache.own, file, MAX_PACKAGE_BYTES);
  if (kept !== null && digest(checksum, kept) === checksum.value)
    return { bytes: kept, url: offeredAt(origin, pkg), cached: true };
  if (origin.source === null)
    throw new KpmError('internal', { text: `${nevra}: repository ${pkg.repo} is not in use.` });
  const source = pkg.base === null ? origin.source : await elsewhere(origin.source, pkg.base, nevra);
  const partial = openPartial(cache.own, file, Math.min(pkg.size ?? 0, USUAL_PACKAGE));
  const bar = progress?.(nevra, pkg.size);
  try {
    return await download(net, source, pkg, checksum, partial, bar);
  } finally {
    partial.close();
    bar?.done();
  }
}

/** The place of a package by the metadata; null where the metadata's own place is not known. */
function offeredAt({ baseurl }: PackageOrigin, pkg: OfferedPackage): string | null {
  const base = pkg.base ?? baseurl;
  return base === null ? null : shown(below(base, pkg.href, formatNevra(pkg)));
}

/** Bytes that fetching a package will add to the cache: all of it, what an earlier attempt left open, or none. */
export function bytesToFetch(cache: Cache, origin: PackageOrigin, pkg: OfferedPackage): number {
  if (cache.own === null || pkg.checksum === null || pkg.size === null) return 0;
  const { root, base } = cache.own;
  const file = `${base}/${cachedFile(origin.cacheKey, pkg, pkg.checksum)}`;
  if (root.lstat(file)?.size === pkg.size) return 0;
  return Math.max(0, pkg.size - (root.lstat(`${file}.part`)?.size ?? 0));
}

/** Removes a fetched package from the cache, as dnf does after a transaction (keepcache=0). */
export function dropFetched(cache: Cache, origin: PackageOrigin, pkg: OfferedPackage): void {
  if (cache.own === null || pkg.checksum === null) return;
  cache.own.root.remove(`${cache.own.base}/${cachedFile(origin.cacheKey, pkg, pkg.checksum)}`);
}

function cachedFile(key: string, pkg: OfferedPackage, checksum: Checksum): string {
  const name = formatNevra(pkg)
    .replace(/[^A-Za-z0-9._+~^:-]/g, '_')
    .slice(0, 150);
  return `${key}/packages/${name}.${checksum.value.slice(0, 16)}.rpm`;
}

const digest = (checksum: Checksum, bytes: Buffer): string => createHash(checksum.type).update(bytes).digest('hex');

/** A package whose entry names a base of its own (xml:base) comes from there alone, without credentials. */
async function elsewhere(source: RepoSource, base: string, what: string): Promise<RepoSource> {
  const [first] = await source.mirrors();
  const place = otherBase(base, first ?? base, what);
  return { ...source, mirrors: async () => [place] };
}

async function download(
  net: Net,
  source: RepoSource,
  pkg: OfferedPackage,
  checksum: Checksum,
  partial: Partial,
  bar: Progress | undefined,
): Promise<FetchedPackage> {
  const what = formatNevra(pkg);
  const most = pkg.size ?? MAX_PACKAGE_BYTES;
  if (partial.size >= most) partial.reset();
  bar?.advance(partial.size);
  const options = {
    what,
    // A little more than promised, so that a longer file is called what it is.
    maxBytes: most + 1024 * 1024,
    accept: [200, 206, 416],
    get from() {
      return partial.size;
    },
  };
  return fromMirrors(net, source, pkg.href, options, async (opened) => {
    const resumed = continues(opened, partial, what);
    for await (const chunk of opened.body) {
      partial.append(chunk);
      bar?.advance(chunk.length);
      if (partial.size > most) break;
    }
    const bytes = partial.bytes();
    if ((pkg.size === null || bytes.length === pkg.size) && digest(checksum, bytes) === checksum.value) {
      return { bytes, url: opened.url, cached: partial.commit() };
    }
    // Ended early without a word of its length: what came may be right, and the rest is asked for next.
    if (opened.size === null && pkg.size !== null && bytes.length < pkg.size) throw cut(opened, what, 'it ended early');
    partial.reset();
    // Pieces of two attempts that do not fit together: the whole is asked for again before anybody is blamed.
    if (resumed) throw cut(opened, what, 'the part fetched earlier does not fit');
    throw new KpmError('package-mismatch', {
      text: `${what} from ${opened.url} is not what the metadata of repository ${pkg.repo} promises (${
        pkg.size !== null && bytes.length !== pkg.size
          ? `${bytes.length} bytes instead of ${pkg.size}`
          : `its ${checksum.type} differs`
      }).`,
      subject: opened.url,
      hint: 'The mirror is damaged or out of step; try again with --refresh.',
    });
  });
}

/** Whether the answer goes on where we stopped; where the server begins anew, so do we. */
function continues(opened: Opened, partial: Partial, what: string): boolean {
  if (partial.size === 0) return false;
  const range = /^bytes (\d+)-/.exec(opened.headers['content-range'] ?? '')?.[1];
  const fits = opened.status === 206 && (range === undefined || Number(range) === partial.size);
  if (fits) return true;
  partial.reset();
  if (opened.status !== 200) throw cut(opened, what, 'the server cannot go on from there');
  return false;
}

function cut(opened: Opened, what: string, why: string): KpmError {
  return new KpmError('net-cut', {
    text: `${what}: ${opened.url} could not be resumed (${why}).`,
    subject: opened.url,
    hint: 'Run the same command again.',
  });
}

// The download phase of a plan, as dnf has it: every package is fetched, several at a time, before anybody is asked about
// a key and before anything is changed. What was fetched lies in the cache; the first of it, nearly always all, stays in memory
// for staging too: it is neither read nor hashed again, nor fetched again where there is no cache.
import { dropFetched, type FetchedPackage } from '../apply/fetch.ts';
import { COMMAND_LINE, type OfferedPackage } from '../domain/package.ts';
import { KpmError } from '../errors.ts';
import { PACKAGES_IN_MEMORY } from '../formats/rpm/package.ts';
import type { Ui } from '../host/machine.ts';
import { fetchOffered } from './fetch.ts';
import type { Observed } from './observed.ts';
import { sideBySide } from './side-by-side.ts';

/** A package, or why it could not be had; `bytes` null: it lies in the cache, for there were too many to stay in memory. */
export type Download = { readonly bytes: Buffer | null; readonly url: string | null } | { readonly error: KpmError };

/** What was fetched. */
export interface Downloads {
  /** What became of a package; asked once, it is forgotten here. */
  take(pkg: OfferedPackage): Download | undefined;
}

/** dnf's own limit for max_parallel_downloads (dnf.conf(5)). */
const MOST = 20;

/** Fetches packages side by side (max_parallel_downloads); one that fails does not stop the others. */
export async function downloadAll(observed: Observed, packages: readonly OfferedPackage[], ui: Ui): Promise<Downloads> {
  const downloads = new Map<OfferedPackage, Download>();
  let room = PACKAGES_IN_MEMORY;
  const work = async (pkg: OfferedPackage): Promise<void> => {
    const done = await download(observed, pkg, ui);
    const kept = 'error' in done || !done.cached || done.bytes.length <= room;
    if (kept && 'bytes' in done) room -= done.bytes.length;
    downloads.set(pkg, kept ? done : { ...done, bytes: null });
  };
  const wanted = packages.filter(({ repo }) => repo !== COMMAND_LINE);
  const atOnce = Math.min(Math.max(observed.config.main.maxParallelDownloads, 1), MOST);
  await syncedOnce(observed, () => sideBySide(wanted, atOnce, ({ size }) => size ?? Number.POSITIVE_INFINITY, work));
  return {
    take(pkg) {
      const found = downloads.get(pkg);
      downloads.delete(pkg);
      return found;
    },
  };
}

async function download(
  observed: Observed,
  pkg: OfferedPackage,
  ui: Ui,
): Promise<FetchedPackage | { readonly error: KpmError }> {
  try {
    return await fetchOffered(observed, pkg, ui);
  } catch (error) {
    if (error instanceof KpmError) return { error };
    throw error;
  }
}

/** The cache's directories are synced once for all packages. */
function syncedOnce<T>({ cache }: Pick<Observed, 'cache'>, work: () => Promise<T>): Promise<T> {
  return cache.own === null ? work() : cache.own.root.syncs.together(work);
}

/** Gives the space of installed packages back, unless their repository says `keepcache=1`. Gives what could not be removed. */
export async function dropDownloads(observed: Observed, packages: readonly OfferedPackage[]): Promise<KpmError[]> {
  const errors: KpmError[] = [];
  try {
    await syncedOnce(observed, async () => {
      for (const pkg of packages) {
        try {
          drop(observed, pkg);
        } catch (error) {
          if (!(error instanceof KpmError)) throw error;
          errors.push(error);
        }
      }
    });
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    errors.push(error);
  }
  return errors;
}

function drop({ config, snapshots, cache }: Observed, pkg: OfferedPackage): void {
  const repo = config.repos.find(({ id }) => id === pkg.repo);
  const snapshot = snapshots.find(({ state }) => state.id === pkg.repo);
  if (repo && !repo.keepcache && snapshot) dropFetched(cache, snapshot, pkg);
}

// The download phase of a plan, as dnf has it: every package is fetched, several at a time, before anybody is asked about
// a key and before anything is changed. What was fetched lies in the cache, and stays in memory for staging, which would
// hold it anyway from then on: it is neither read nor hashed again, nor fetched again where there is no cache.
import { dropFetched, type Fetched } from '../apply/fetch.ts';
import { COMMAND_LINE, type OfferedPackage } from '../domain/package.ts';
import { KpmError } from '../errors.ts';
import type { Ui } from '../host/machine.ts';
import { fetchOffered } from './fetch.ts';
import type { Observed } from './observed.ts';

/** A package, or why it could not be had. */
export type Download = Fetched | { readonly error: KpmError };

/** dnf's own limit for max_parallel_downloads (dnf.conf(5)). */
const MOST = 20;

/** Fetches packages side by side (max_parallel_downloads); one that fails does not stop the others. */
export async function downloadAll(
  observed: Observed,
  packages: readonly OfferedPackage[],
  ui: Ui,
): Promise<ReadonlyMap<OfferedPackage, Download>> {
  const downloads = new Map<OfferedPackage, Download>();
  const queue = packages.filter(({ repo }) => repo !== COMMAND_LINE);
  const work = async (): Promise<void> => {
    for (let pkg = queue.shift(); pkg; pkg = queue.shift()) downloads.set(pkg, await download(observed, pkg, ui));
  };
  const atOnce = Math.min(Math.max(observed.config.main.maxParallelDownloads, 1), MOST);
  await syncedOnce(observed, () => Promise.all(Array.from({ length: atOnce }, work)));
  return downloads;
}

async function download(observed: Observed, pkg: OfferedPackage, ui: Ui): Promise<Download> {
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

// Fetching on behalf of a run: the package of an offer, and the key files a repository names.
import { type FetchedPackage, fetchPackage } from '../apply/fetch.ts';
import { formatNevra } from '../domain/nevra.ts';
import { COMMAND_LINE, type OfferedPackage } from '../domain/package.ts';
import { KpmError } from '../errors.ts';
import type { Ui } from '../host/machine.ts';
import { readAll } from '../net/net.ts';
import type { Observed } from './observed.ts';

/** A key file is some kilobytes; vendors put a handful of keys into one. */
const MAX_KEY_FILE = 4 * 1024 * 1024;

/** The bytes of an offered package, size and checksum checked, from the cache or the network. */
export async function fetchOffered(observed: Observed, pkg: OfferedPackage, ui: Ui): Promise<FetchedPackage> {
  if (pkg.repo === COMMAND_LINE) {
    const named = observed.named?.get(pkg.href);
    if (named) return { ...named.read(), cached: false };
  }
  const snapshot = observed.snapshots.find(({ state }) => state.id === pkg.repo);
  if (!snapshot?.source) {
    throw new KpmError('internal', { text: `${formatNevra(pkg)} comes from ${pkg.repo}, which is not in use.` });
  }
  return fetchPackage(observed.net, observed.cache, snapshot, pkg, (label, total) => ui.progress(label, total));
}

/** The bytes of a `gpgkey=` URL, over the same proxy and certificates as the repository that names it. */
export async function fetchKeyFile(observed: Observed, repoId: string, url: string): Promise<Buffer> {
  const repo = observed.config.repos.find(({ id }) => id === repoId);
  const access = repo ?? observed.config.main;
  const opened = await observed.net.open(url, { access, maxBytes: MAX_KEY_FILE, what: `key of repository ${repoId}` });
  return readAll(opened.body);
}

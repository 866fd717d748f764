// Brings the metadata of every enabled repository up to date, as far as the mode allows, and gives what it offers.
import type { Advisory, AdvisoryState } from '../../domain/advisory.ts';
import type { Problem } from '../../domain/because.ts';
import type { OfferedKernel, OfferedPackage } from '../../domain/package.ts';
import type { RepositoryState } from '../../domain/world.ts';
import { KpmError } from '../../errors.ts';
import { sha256OfText } from '../../formats/sha256.ts';
import type { Net } from '../../net/access.ts';
import { type Identities, identities } from '../../net/identity.ts';
import type { RepoSource } from '../../net/source.ts';
import { shown } from '../../net/url.ts';
import { type Cache, cacheKey } from '../../state/cache.ts';
import type { Config, RepoConfig } from '../config/types.ts';
import { advisoriesOf } from './advisories.ts';
import { counts, downloadMetadata } from './download.ts';
import { hiddenBy } from './filter.ts';
import { type Mirrors, mirrorsOf } from './mirrors.ts';
import type { RefreshMode } from './mode.ts';
import { loadStored, type Stored } from './store.ts';

export interface Snapshot {
  readonly state: RepositoryState;
  readonly packages: readonly OfferedPackage[];
  readonly kernels: readonly OfferedKernel[];
  /** Empty unless they were asked for. */
  readonly advisories: readonly Advisory[];
  /** Null unless they were asked for. */
  readonly advisoryState: AdvisoryState | null;
  /** For fetching its packages; mirrors that lied are remembered in it. Null where the repository cannot be used. */
  readonly source: RepoSource | null;
  /** Where the metadata came from, without credentials. */
  readonly baseurl: string | null;
  /** Directory of the repository in the cache. */
  readonly cacheKey: string;
  /** Warnings for people. */
  readonly notices: readonly Problem[];
  /** What ends the run, unless the verb only shows; null when used, or when the repository may be skipped. */
  readonly error: KpmError | null;
}

/** Repositories looked at side by side: more would hold more than one long list in memory. */
const AT_ONCE = 2;

/**
 * One snapshot per repository, in order. Raises the error of the first repository that failed and may not be skipped
 * (skip_if_unavailable), after all were tried, so that the others are cached; with `tolerant` nothing is raised.
 */
export async function refreshRepositories(
  config: Config,
  cache: Cache,
  net: Net,
  mode: RefreshMode,
): Promise<Snapshot[]> {
  const snapshots = new Array<Snapshot>(config.repos.length);
  const who = identities(net, mode.clouds);
  const queue = config.repos.map((repo, index) => ({ repo, index }));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      snapshots[next.index] = await look(next.repo, config, cache, net, mode, who);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const fatal = snapshots.find((snapshot) => snapshot.error !== null)?.error;
  if (fatal && !mode.tolerant) throw fatal;
  return snapshots;
}

async function look(
  repo: RepoConfig,
  config: Config,
  cache: Cache,
  net: Net,
  mode: RefreshMode,
  who: Identities,
): Promise<Snapshot> {
  const key = keyOf(repo);
  const kept = loadStored(cache, key);
  // What nobody vouches for (any more) is not there, however fresh it is.
  const stored = kept !== null && counts(kept, repo, mode) ? kept : null;
  const mirrors = mirrorsOf(repo, {
    net,
    variables: config.variables,
    identities: who,
    ...(mode.backoff === undefined ? {} : { backoff: mode.backoff }),
  });
  try {
    if (repo.problem) throw misconfigured(repo, repo.problem);
    if (stored && (mode.cacheOnly || (!mode.refresh && isFresh(stored, repo, mode.now)))) {
      const seen = snapshot(repo, key, mirrors, stored, mode.now, null);
      return withAdvisories(seen, repo, mirrors, stored, cache, net, mode);
    }
    if (mode.cacheOnly) throw notCached(repo);
    const { stored: found, notices } = await downloadMetadata(repo, key, mirrors, kept, cache, net, mode);
    const seen = { ...snapshot(repo, key, mirrors, found, mode.now, null), notices };
    return await withAdvisories(seen, repo, mirrors, found, cache, net, mode);
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    const old = failed(repo, key, mirrors, stored, error, mode);
    if (!old.state.used || stored === null) return old;
    return withAdvisories(old, repo, mirrors, stored, cache, net, { ...mode, cacheOnly: true });
  }
}

/** The snapshot with the repository's advisories, where they are wanted. */
async function withAdvisories(
  seen: Snapshot,
  repo: RepoConfig,
  mirrors: Mirrors,
  stored: Stored,
  cache: Cache,
  net: Net,
  mode: RefreshMode,
): Promise<Snapshot> {
  if (!mode.advisories) return seen;
  const { list, state, problem } = await advisoriesOf(repo, seen.cacheKey, mirrors, stored, cache, net, mode);
  const belongs = { repo: repo.id, signer: stored.signer };
  return {
    ...seen,
    advisories: list.map((advisory) => ({ ...advisory, ...belongs })),
    advisoryState: { repo: repo.id, state, problem },
  };
}

/** The name of a repository's directory in the cache. */
export function keyOf(repo: RepoConfig): string {
  const urls = [...repo.baseurl, repo.mirrorlist ?? '', repo.metalink ?? ''];
  return cacheKey(
    repo.id,
    urls.map((url) => secretFree(url)),
  );
}

/** Without user and password, but with a hash of the query: two tokens may mean two repositories. */
function secretFree(url: string): string {
  const query = url.includes('?') ? sha256OfText(url.slice(url.indexOf('?'))) : '';
  return `${shown(url)}${query}`;
}

/**
 * dnf's rule: younger than metadata_expire, and no configuration file changed since (check_config_file_age).
 * A time in the future counts as expired: the clock was wrong once.
 */
export function isFresh(stored: Stored, repo: RepoConfig, now: Date): boolean {
  const checked = Date.parse(stored.checked);
  const age = (now.getTime() - checked) / 1000;
  if (stored.confirmation === null || age < 0 || age >= repo.metadataExpire) return false;
  if (repo.repoGpgcheck && stored.signer === null) return false;
  return repo.configChanged === null || repo.configChanged <= checked;
}

function misconfigured(repo: RepoConfig, problem: Problem): KpmError {
  return new KpmError('repo-misconfigured', {
    text: `Repository ${repo.id} cannot be used: ${problem.text}`,
    subject: `${repo.origin.file}:${repo.origin.line}`,
    hint: `Correct it in ${repo.origin.file}, or go on without it: --disablerepo=${repo.id}`,
  });
}

function notCached(repo: RepoConfig): KpmError {
  return new KpmError('cache-missing', {
    text: `Nothing usable of repository ${repo.id} is in the cache, and this run does not use the network.`,
    subject: repo.id,
    hint: 'Run: kpatch-pm makecache',
  });
}

function failed(
  repo: RepoConfig,
  key: string,
  mirrors: Mirrors,
  stored: Stored | null,
  error: KpmError,
  mode: RefreshMode,
): Snapshot {
  const told = named(error, repo);
  const problem: Problem = { code: told.code, text: told.message };
  // Who only looks is better served by old answers with their age than by none.
  if (stored && mode.tolerant && !repo.problem) return snapshot(repo, key, mirrors, stored, mode.now, problem);
  return {
    state: { ...about(repo), used: false, fetched: null, ageSeconds: null, stale: false, problem },
    packages: [],
    kernels: [],
    advisories: [],
    advisoryState: null,
    source: null,
    baseurl: null,
    cacheKey: key,
    notices: [],
    error: repo.skipIfUnavailable && !repo.problem ? null : told,
  };
}

/** The error with the repository in its sentence. */
function named(error: KpmError, repo: RepoConfig): KpmError {
  if (error.message.toLowerCase().includes(`repository ${repo.id.toLowerCase()}`)) return error;
  return new KpmError(error.code, {
    text: `Repository ${repo.id}: ${error.reason}`,
    subject: error.subject ?? undefined,
    hint: error.hint ?? undefined,
    cause: error,
  });
}

const about = (repo: RepoConfig): Pick<RepositoryState, 'id' | 'name' | 'priority' | 'cost'> => ({
  id: repo.id,
  name: repo.name,
  priority: repo.priority,
  cost: repo.cost,
});

function snapshot(
  repo: RepoConfig,
  key: string,
  mirrors: Mirrors,
  stored: Stored,
  now: Date,
  problem: Problem | null,
): Snapshot {
  const hidden = hiddenBy(repo);
  const ageSeconds = Math.max(0, Math.floor((now.getTime() - Date.parse(stored.checked)) / 1000));
  const offer = { repo: repo.id };
  return {
    state: {
      ...about(repo),
      used: true,
      fetched: stored.checked,
      ageSeconds,
      stale: !isFresh(stored, repo, now),
      problem,
    },
    packages: stored.contents.packages.map((one) => ({ ...one, ...offer, excludedBy: hidden(one) })),
    kernels: stored.contents.kernels.map((one) => ({ ...one, ...offer, excludedBy: hidden(one) })),
    advisories: [],
    advisoryState: null,
    source: mirrors.source,
    baseurl: stored.confirmation?.url ?? null,
    cacheKey: key,
    notices: [],
    error: null,
  };
}

// The advisories of one repository: from the cache where the file they were made of is still the one that repomd.xml names,
// else downloaded. They are asked for only by verbs that answer with them: their file is long.
import { createHash } from 'node:crypto';
import type { AdvisoryState } from '../../domain/advisory.ts';
import type { Checksum } from '../../domain/package.ts';
import { KpmError } from '../../errors.ts';
import type { Net } from '../../net/access.ts';
import { type Cache, readCached, writeCached } from '../../state/cache.ts';
import type { RepoConfig } from '../config/types.ts';
import { acceptChecksum } from './checksum.ts';
import type { Mirrors } from './mirrors.ts';
import type { RefreshMode } from './mode.ts';
import { readRecord } from './record.ts';
import type { RepomdRecord } from './repomd.ts';
import type { Stored } from './store.ts';
import type { StoredAdvisory } from './update.ts';
import { readUpdateinfo } from './updateinfo.ts';
import { xmlReader } from './xml.ts';

/** Raised whenever what is kept, or how it is read, changes. */
const FORMAT = 1;
const MAX_INDEX = 128 * 1024 * 1024;
const FILE = 'advisories.json';

export interface Found {
  readonly list: readonly StoredAdvisory[];
  readonly state: AdvisoryState['state'];
  readonly problem: AdvisoryState['problem'];
}

const unread = (code: string, text: string): Found => ({ list: [], state: 'unread', problem: { code, text } });

/**
 * What the repository's updateinfo says. Never raises for a fault of the repository: what cannot be read is a problem in
 * the answer, for everything else works without advisories.
 */
export async function advisoriesOf(
  repo: RepoConfig,
  key: string,
  mirrors: Mirrors,
  stored: Stored,
  cache: Cache,
  net: Net,
  mode: RefreshMode,
): Promise<Found> {
  const record = stored.updateinfo;
  if (record === null) return { list: [], state: 'none', problem: null };
  try {
    const sum = acceptChecksum(record.checksum, `The list of advisories of repository ${repo.id}`);
    const kept = loadKept(cache, key, sum);
    if (kept) return { list: kept, state: 'read', problem: null };
    if (mode.cacheOnly) {
      return unread('cache-missing', `The advisories of ${repo.id} are not in the cache; run: kpatch-pm makecache`);
    }
    const list = await download(repo, mirrors, record, net, mode);
    keep(cache, key, sum, list);
    return { list, state: 'read', problem: null };
  } catch (error) {
    if (!(error instanceof KpmError) || error.code === 'no-space') throw error;
    return unread(error.code, error.message);
  }
}

async function download(
  repo: RepoConfig,
  mirrors: Mirrors,
  record: RepomdRecord,
  net: Net,
  mode: RefreshMode,
): Promise<StoredAdvisory[]> {
  const xml = await xmlReader();
  return readRecord({ repo, mirrors, record, net, mode, name: 'list of advisories' }, (open, what) =>
    readUpdateinfo(open, what, xml),
  );
}

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

/** What is kept of exactly this file; null when there is nothing, or it is damaged. */
function loadKept(cache: Cache, key: string, source: Checksum): StoredAdvisory[] | null {
  for (const place of [cache.own, cache.shared]) {
    const bytes = readCached(place, `${key}/${FILE}`, MAX_INDEX);
    if (bytes === null) continue;
    const newline = Math.max(bytes.indexOf(10), 0);
    const head = parsed(bytes.subarray(0, newline)) as Record<string, unknown> | null;
    const body = bytes.subarray(newline + 1);
    if (head?.format !== FORMAT || head.source !== source.value || head.sha256 !== sha256(body)) continue;
    const list = parsed(body);
    if (Array.isArray(list)) return list as StoredAdvisory[];
  }
  return null;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

/** That it cannot be kept only costs a download next time; the package list says so already. */
function keep(cache: Cache, key: string, source: Checksum, list: readonly StoredAdvisory[]): void {
  const body = JSON.stringify(list);
  const head = JSON.stringify({ format: FORMAT, source: source.value, sha256: sha256(body) });
  writeCached(cache, `${key}/${FILE}`, `${head}\n${body}`);
}

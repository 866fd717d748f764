// One repository over the network: repomd.xml (asked for conditionally), its signature, then primary as a checked stream.
import { createHash } from 'node:crypto';
import type { Problem } from '../../domain/because.ts';
import type { Checksum } from '../../domain/package.ts';
import { KpmError } from '../../errors.ts';
import type { Net, Opened } from '../../net/access.ts';
import { readAll } from '../../net/net.ts';
import { fromMirrors } from '../../net/source.ts';
import { shown } from '../../net/url.ts';
import type { Cache } from '../../state/cache.ts';
import type { RepoConfig } from '../config/types.ts';
import { acceptChecksum, mismatch } from './checksum.ts';
import { floorOf, holdFloor, madeAt, raiseFloor, wentBack } from './floor.ts';
import type { Metalink, Mirrors } from './mirrors.ts';
import type { RefreshMode } from './mode.ts';
import { type Contents, readPrimary } from './primary.ts';
import { readRecord } from './record.ts';
import { MAX_REPOMD, parseRepomd, primaryRecord, type RepomdRecord, updateinfoRecord } from './repomd.ts';
import { fetchSignature, NO_TRUST, signerOf } from './signed.ts';
import { type Stored, saveConfirmation, saveStored } from './store.ts';

interface Answer {
  /** Null: the server says that what we have is what there is. */
  readonly bytes: Buffer | null;
  readonly base: string;
  /** Fingerprint of the key that signed it; null where no signature was asked for. */
  readonly signer: string | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export interface Downloaded {
  readonly stored: Stored;
  /** Warnings for people. */
  readonly notices: readonly Problem[];
}

/** Downloads what changed and keeps it. Raises the codes of the network and repository areas. */
export async function downloadMetadata(
  repo: RepoConfig,
  key: string,
  mirrors: Mirrors,
  stored: Stored | null,
  cache: Cache,
  net: Net,
  mode: RefreshMode,
): Promise<Downloaded> {
  const seen: Attempt = { repomd: null, error: null };
  try {
    return await downloadOnce(seen, repo, key, mirrors, stored, cache, net, mode);
  } catch (error) {
    if (!(error instanceof KpmError) || seen.repomd === null) throw error;
    // The repository may have been replaced between its repomd.xml and the list that it names: looked at once more.
    mirrors.source.bad.clear();
    return downloadOnce({ ...seen, error }, repo, key, mirrors, stored, cache, net, mode);
  }
}

/** What an attempt saw, and the error it ended with. */
interface Attempt {
  /** sha256 of the repomd.xml whose list was asked for. */
  repomd: string | null;
  readonly error: KpmError | null;
}

async function downloadOnce(
  attempt: Attempt,
  repo: RepoConfig,
  key: string,
  mirrors: Mirrors,
  stored: Stored | null,
  cache: Cache,
  net: Net,
  mode: RefreshMode,
): Promise<Downloaded> {
  const known = stored !== null && counts(stored, repo, mode) ? stored : null;
  const answer = await fetchRepomd(repo, mirrors, known, floorOf(cache, key), net, mode);
  const confirmation = { url: shown(answer.base), etag: answer.etag, lastModified: answer.lastModified };
  const now = mode.now.toISOString();
  const sum = answer.bytes === null ? null : createHash('sha256').update(answer.bytes).digest('hex');
  if (known && (sum === null || sum === known.repomd)) {
    const kept = saveConfirmation(cache, key, known.repomd, now, confirmation);
    return { stored: { ...known, checked: now, confirmation }, notices: notKept(kept) };
  }
  if (attempt.error !== null && attempt.repomd === sum) throw attempt.error;
  attempt.repomd = sum;
  const bytes = answer.bytes as Buffer;
  const repomd = await parseRepomd(bytes, `repomd.xml of repository ${repo.id}`);
  const record = primaryRecord(repomd, `Repository ${repo.id}`);
  const primary = acceptChecksum(record.checksum, `The package list of repository ${repo.id}`);
  const contents =
    known && known.primary.value === primary.value
      ? known.contents
      : await fetchPrimary(repo, mirrors, record, net, mode);
  const fresh: Stored = {
    repomd: sum as string,
    primary,
    revision: repomd.revision,
    made: madeAt(repomd),
    updateinfo: updateinfoRecord(repomd),
    fetched: now,
    signer: answer.signer,
    contents,
    checked: now,
    confirmation,
  };
  const notices = notKept(saveStored(cache, key, bytes, fresh));
  if (answer.signer !== null) raiseFloor(cache, key, fresh.made, mode.now);
  const back = answer.signer === null ? wentBack(stored?.made ?? null, fresh.made, repo.id) : null;
  return { stored: fresh, notices: back ? [...notices, back] : notices };
}

/**
 * Whether what is kept may be used and confirmed: signed where that is asked for, by a key that still may. Who may not read
 * the keys has it from the system's cache, where only root wrote it after checking.
 */
export function counts(stored: Stored, repo: RepoConfig, mode: RefreshMode): boolean {
  if (!repo.repoGpgcheck) return true;
  if (stored.signer === null) return false;
  const keys = (mode.trust ?? NO_TRUST).keys(repo.id);
  return keys?.some(({ fingerprint }) => fingerprint === stored.signer) ?? true;
}

function notKept(error: KpmError | null): Problem[] {
  return error === null ? [] : [{ code: error.code, text: `The cache cannot be kept: ${error.reason}` }];
}

async function fetchRepomd(
  repo: RepoConfig,
  mirrors: Mirrors,
  known: Stored | null,
  floor: number | null,
  net: Net,
  mode: RefreshMode,
): Promise<Answer> {
  const what = `repomd.xml of repository ${repo.id}`;
  const metalink = await mirrors.metalink();
  if (known?.confirmation && metalink?.promised[0] && sameAs(metalink.promised[0].checksum, known)) {
    return { bytes: null, base: known.confirmation.url, signer: known.signer, etag: null, lastModified: null };
  }
  // Only the server that gave the old one can say whether it changed; a metalink says it by checksum.
  const confirmation = metalink === null ? (known?.confirmation ?? null) : null;
  const only = (await mirrors.source.mirrors())[0];
  const ask = confirmation !== null && only !== undefined && shown(only) === confirmation.url ? confirmation : null;
  const headers: Record<string, string> = {};
  if (ask?.etag) headers['if-none-match'] = ask.etag;
  else if (ask?.lastModified) headers['if-modified-since'] = ask.lastModified;
  const options = { maxBytes: MAX_REPOMD, what, headers, accept: ask ? [200, 304] : [200] };
  return fromMirrors(net, mirrors.source, 'repodata/repomd.xml', options, async (opened, base) => {
    const bytes = await readAll(opened.body);
    const etag = opened.headers.etag ?? ask?.etag ?? null;
    const lastModified = opened.headers['last-modified'] ?? ask?.lastModified ?? null;
    if (opened.status === 304) return { bytes: null, base, signer: known?.signer ?? null, etag, lastModified };
    promised(bytes, metalink, opened, what);
    // Parsed here too: a mirror that sends a login page must not keep the others from being asked.
    const repomd = await parseRepomd(bytes, what);
    const signer = repo.repoGpgcheck ? await verified(bytes, repo, mirrors, base, net, mode) : null;
    if (signer !== null && !mode.allowOlder) holdFloor(floor, madeAt(repomd), repo.id);
    const { headers: given } = opened;
    return { bytes, base, signer, etag: given.etag ?? null, lastModified: given['last-modified'] ?? null };
  });
}

async function verified(
  repomd: Buffer,
  repo: RepoConfig,
  mirrors: Mirrors,
  base: string,
  net: Net,
  mode: RefreshMode,
): Promise<string> {
  const blob = await fetchSignature(net, mirrors.source, base, repo);
  return signerOf(repomd, blob, repo, net, mode.trust ?? NO_TRUST, mode.now);
}

/** Whether the newest that a metalink promises is what we have. */
const sameAs = (newest: Checksum, known: Stored): boolean => newest.type === 'sha256' && newest.value === known.repomd;

/** A metalink names the repomd.xml that may be: the newest, or one of the older ones still allowed. */
function promised(bytes: Buffer, metalink: Metalink | null, opened: Opened, what: string): void {
  if (metalink === null) return;
  const fits = metalink.promised.some(
    ({ checksum }) => createHash(checksum.type).update(bytes).digest('hex') === checksum.value,
  );
  if (!fits) throw mismatch({ what, subject: opened.url }, 'is not the one that the metalink promises');
}

function fetchPrimary(
  repo: RepoConfig,
  mirrors: Mirrors,
  record: RepomdRecord,
  net: Net,
  mode: RefreshMode,
): Promise<Contents> {
  const name = 'package list';
  return readRecord({ repo, mirrors, record, net, mode, name, passing: true }, (open, what) => readPrimary(open, what));
}

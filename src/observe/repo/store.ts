// What is kept of one repository between runs: repomd.xml as it was, a small index of what can matter, and when the
// server last confirmed it. index.json begins with a line that holds its format and checksum, so damage is noticed; while
// it is the very file that was written, which state.json knows by inode, size and times, the checksum is not computed again.
import { createHash } from 'node:crypto';
import type { Checksum } from '../../domain/package.ts';
import type { KpmError } from '../../errors.ts';
import { type Cache, fileIdentity, readCached, writeCached } from '../../state/cache.ts';
import type { Contents } from './primary.ts';
import type { RepomdRecord } from './repomd.ts';

/** Raised whenever what is kept, or how it is read out of primary.xml, changes: an index of another format is made again. */
const FORMAT = 5;
const MAX_INDEX = 128 * 1024 * 1024;
const MAX_STATE = 64 * 1024;
/** A power cut may cost what was just written: the index has a checksum, and half a state.json is none. */
const QUICK = { durable: false } as const;

/** What the index says about itself. */
export interface Made {
  /** sha256 of repomd.xml. */
  readonly repomd: string;
  /** The checksum of the primary it was made from. */
  readonly primary: Checksum;
  readonly revision: string | null;
  /** When it was made, seconds since 1970 (floor.ts). */
  readonly made: number | null;
  /** The file of advisories that repomd.xml names; read only when asked for (advisories.ts). */
  readonly updateinfo: RepomdRecord | null;
  /** When repomd.xml was fetched, ISO time. */
  readonly fetched: string;
  /** The key that signed repomd.xml; null: no signature was asked for. */
  readonly signer: string | null;
}

interface Index extends Made {
  readonly contents: Contents;
}

/** The latest word of the server. It counts only with the index it belongs to. */
interface State {
  readonly format: number;
  readonly repomd: string;
  /** ISO time. */
  readonly checked: string;
  /** The base URL that answered, without credentials. */
  readonly url: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Which file index.json was when it was last known to be sound (fileIdentity). */
  readonly index: string | null;
}

/** What the server said beside the bytes. */
export type Confirmation = Pick<State, 'url' | 'etag' | 'lastModified'>;

export interface Stored extends Index {
  /** When the server last confirmed it, ISO time. */
  readonly checked: string;
  /** Null where that is not known (clean expire-cache, a crash): then it counts as expired. */
  readonly confirmation: Confirmation | null;
}

/** The newest of what this user and the system have kept; null when there is nothing usable. */
export function loadStored(cache: Cache, key: string): Stored | null {
  let best: Stored | null = null;
  for (const place of [cache.own, cache.shared]) {
    const found = loadFrom(place, key);
    if (found && (best === null || found.checked > best.checked)) best = found;
  }
  return best;
}

function loadFrom(place: Cache['own'], key: string): Stored | null {
  const state = readState(readCached(place, `${key}/state.json`, MAX_STATE));
  // Looked at before it is read: what takes its place in between is written whole.
  const same = state !== null && state.index !== null && state.index === fileIdentity(place, `${key}/index.json`);
  const bytes = readCached(place, `${key}/index.json`, MAX_INDEX);
  const index = bytes === null ? null : readIndex(bytes, same);
  if (index === null) return null;
  if (state === null || state.repomd !== index.repomd) {
    return { ...index, checked: index.fetched, confirmation: null };
  }
  const { url, etag, lastModified } = state;
  return { ...index, checked: state.checked, confirmation: { url, etag, lastModified } };
}

/** `sound`: it is the file whose checksum was right, or that we wrote. A crash leaves zeros, which are no JSON. */
function readIndex(bytes: Buffer, sound: boolean): Index | null {
  const newline = bytes.indexOf(10);
  const head = parsed(bytes.subarray(0, Math.max(newline, 0)));
  const body = bytes.subarray(newline + 1);
  if (head?.format !== FORMAT || (!sound && head.sha256 !== sha256(body))) return null;
  return parsed(body) as Index | null;
}

function readState(bytes: Buffer | null): State | null {
  const state = bytes === null ? null : (parsed(bytes) as State | null);
  const sound =
    state?.format === FORMAT &&
    typeof state.repomd === 'string' &&
    typeof state.url === 'string' &&
    typeof state.checked === 'string' &&
    !Number.isNaN(Date.parse(state.checked));
  return sound ? state : null;
}

function parsed(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Keeps a repository's metadata; gives the reason where it could not. The order matters after a crash: the index is whole
 * by itself, and state.json counts only when it names the repomd.xml of the index.
 */
export function saveStored(cache: Cache, key: string, repomd: Buffer, stored: Stored): KpmError | null {
  const { checked, confirmation, ...index } = stored;
  const body = JSON.stringify(index);
  const head = JSON.stringify({ format: FORMAT, sha256: sha256(body) });
  return (
    writeCached(cache, `${key}/repomd.xml`, repomd, QUICK) ??
    writeCached(cache, `${key}/index.json`, `${head}\n${body}`, QUICK) ??
    (confirmation && saveConfirmation(cache, key, stored.repomd, checked, confirmation))
  );
}

/** Notes that the server confirmed what is kept; gives the reason where it could not be written. */
export function saveConfirmation(
  cache: Cache,
  key: string,
  repomd: string,
  checked: string,
  confirmation: Confirmation,
): KpmError | null {
  const index = fileIdentity(cache.own, `${key}/index.json`);
  const state: State = { format: FORMAT, repomd, checked, ...confirmation, index };
  return writeCached(cache, `${key}/state.json`, `${JSON.stringify(state)}\n`, QUICK);
}

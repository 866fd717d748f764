// One repository over the network: repomd.xml (asked for conditionally), its signature, then primary as a checked stream.
import { createHash } from 'node:crypto';
import type { Checksum } from '../../domain/package.ts';
import { KpmError } from '../../errors.ts';
import { decompress, type Pipe } from '../../formats/codec/decompress.ts';
import { sniff } from '../../formats/codec/sniff.ts';
import type { Progress } from '../../host/machine.ts';
import type { Net, Opened } from '../../net/access.ts';
import { readAll } from '../../net/net.ts';
import { fromMirrors, openAt, type RepoSource } from '../../net/source.ts';
import { otherBase, shown } from '../../net/url.ts';
import type { Cache } from '../../state/cache.ts';
import type { RepoConfig } from '../config/types.ts';
import { acceptChecksum, checked, mismatch, strongChecksum } from './checksum.ts';
import type { Metalink, Mirrors } from './mirrors.ts';
import { type Contents, type Reading, readPrimary } from './primary.ts';
import type { RefreshMode } from './refresh.ts';
import { MAX_REPOMD, parseRepomd, primaryRecord, type RepomdRecord, updateinfoRecord } from './repomd.ts';
import { type Stored, saveConfirmation, saveStored } from './store.ts';
import { type XmlReader, xmlReader } from './xml.ts';

/** Bytes of a primary.xml at most, where repomd.xml does not say: packed, and open. */
const MAX_PACKED = 1024 * 1024 * 1024;
const MAX_OPEN = 4 * 1024 * 1024 * 1024;
const SLACK = 1024 * 1024;

interface Answer {
  /** Null: the server says that what we have is what there is. */
  readonly bytes: Buffer | null;
  readonly base: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export interface Downloaded {
  readonly stored: Stored;
  /** Why it could not be kept for the next run; null when it was. */
  readonly kept: KpmError | null;
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
  const known = stored !== null && (!repo.repoGpgcheck || stored.signer !== null) ? stored : null;
  const answer = await fetchRepomd(repo, mirrors, known, net);
  const confirmation = { url: shown(answer.base), etag: answer.etag, lastModified: answer.lastModified };
  const now = mode.now.toISOString();
  const sum = answer.bytes === null ? null : createHash('sha256').update(answer.bytes).digest('hex');
  if (known && (sum === null || sum === known.repomd)) {
    const kept = saveConfirmation(cache, key, known.repomd, now, confirmation);
    return { stored: { ...known, checked: now, confirmation }, kept };
  }
  const bytes = answer.bytes as Buffer;
  const xml = await xmlReader();
  const repomd = parseRepomd(bytes, `repomd.xml of repository ${repo.id}`, xml);
  const record = primaryRecord(repomd, `Repository ${repo.id}`);
  const primary = acceptChecksum(record.checksum, `The package list of repository ${repo.id}`);
  const contents =
    known && known.primary.value === primary.value
      ? known.contents
      : await fetchPrimary(repo, mirrors, record, net, mode, xml);
  const fresh: Stored = {
    repomd: sum as string,
    primary,
    revision: repomd.revision,
    updateinfo: updateinfoRecord(repomd),
    fetched: now,
    signer: null,
    contents,
    checked: now,
    confirmation,
  };
  return { stored: fresh, kept: saveStored(cache, key, bytes, fresh) };
}

async function fetchRepomd(repo: RepoConfig, mirrors: Mirrors, known: Stored | null, net: Net): Promise<Answer> {
  const what = `repomd.xml of repository ${repo.id}`;
  const metalink = await mirrors.metalink();
  if (known?.confirmation && metalink?.promised[0] && sameAs(metalink.promised[0].checksum, known)) {
    return { bytes: null, base: known.confirmation.url, etag: null, lastModified: null };
  }
  // Only the server that gave the old one can say whether it changed; a metalink says it by checksum.
  const confirmation = metalink === null ? (known?.confirmation ?? null) : null;
  const only = (await mirrors.source.mirrors())[0];
  const ask = confirmation !== null && only !== undefined && shown(only) === confirmation.url ? confirmation : null;
  const headers: Record<string, string> = {};
  if (ask?.etag) headers['if-none-match'] = ask.etag;
  if (ask?.lastModified) headers['if-modified-since'] = ask.lastModified;
  const options = { maxBytes: MAX_REPOMD, what, headers, accept: ask ? [200, 304] : [200] };
  return fromMirrors(net, mirrors.source, 'repodata/repomd.xml', options, async (opened, base) => {
    const bytes = await readAll(opened.body);
    const etag = opened.headers.etag ?? ask?.etag ?? null;
    const lastModified = opened.headers['last-modified'] ?? ask?.lastModified ?? null;
    if (opened.status === 304) return { bytes: null, base, etag, lastModified };
    promised(bytes, metalink, opened, what);
    // Parsed here too: a mirror that sends a login page must not keep the others from being asked.
    parseRepomd(bytes, what, await xmlReader());
    return { bytes, base, etag: opened.headers.etag ?? null, lastModified: opened.headers['last-modified'] ?? null };
  });
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
  xml: XmlReader,
): Promise<Contents> {
  const name = 'package list';
  return readRecord({ repo, mirrors, record, net, mode, name }, (open, what) => readPrimary(open, what, xml));
}

/** One file that repomd.xml names. */
export interface RecordRequest {
  readonly repo: RepoConfig;
  readonly mirrors: Mirrors;
  readonly record: RepomdRecord;
  readonly net: Net;
  readonly mode: RefreshMode;
  /** How it is called in messages: `package list`. */
  readonly name: string;
}

/**
 * Has a file of the metadata read from the first mirror that gives it as promised: checked as sent and as unpacked.
 * `open` may be called again by the reader; the second reading asks the same mirror. Raises the codes of the network,
 * `metadata-mismatch`, `metadata-unsupported` and what the reader raises.
 */
export async function readRecord<T>(
  { repo, mirrors, record, net, mode, name }: RecordRequest,
  read: (open: () => Promise<Reading>, what: string) => Promise<T>,
): Promise<T> {
  const what = `${name} of repository ${repo.id}`;
  const packed = acceptChecksum(record.checksum, `The ${what}`);
  const openSum = strongChecksum(record.openChecksum);
  // A little more than declared is let through, so that `checked` can say what is wrong.
  const maxBytes = record.size === null ? MAX_PACKED : record.size + SLACK;
  const source = record.base === null ? mirrors.source : elsewhere(mirrors.source, record.base, repo, what);
  const options = { maxBytes, what };
  return fromMirrors(net, source, record.href, options, async (first, base) => {
    let ready: Opened | null = first;
    const open = async (): Promise<Reading> => {
      // The second reading (strict) asks the same mirror again.
      const opened = ready ?? (await openAt(net, source, base, record.href, options));
      ready = null;
      const bar = mode.progress?.(`${repo.id}: ${name}`, record.size);
      const sent = checked(counted(opened.body, bar), {
        checksum: packed,
        size: record.size,
        what: `The ${what}, as sent,`,
        subject: opened.url,
      });
      const plain = checked(
        unpacked(sent.stream, record.openSize === null ? MAX_OPEN : record.openSize + SLACK, what, mode.pipe),
        {
          checksum: openSum,
          size: record.openSize,
          what: `The ${what}, uncompressed,`,
          subject: opened.url,
        },
      );
      return {
        stream: plain.stream,
        check() {
          sent.check();
          plain.check();
        },
      };
    };
    return read(open, what);
  });
}

/** The source of a file whose entry names a base of its own (xml:base): that place alone, and no credentials. */
function elsewhere(source: RepoSource, base: string, repo: RepoConfig, what: string): RepoSource {
  const from = repo.baseurl[0] ?? repo.metalink ?? repo.mirrorlist ?? base;
  const place = otherBase(base, from, what);
  return { ...source, mirrors: async () => [place] };
}

async function* counted(body: AsyncIterable<Buffer>, bar: Progress | undefined): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) {
      bar?.advance(chunk.length);
      yield chunk;
    }
  } finally {
    bar?.done();
  }
}

/** Longest magic that `sniff` looks at. */
const MAGIC = 8;

/** What is inside, by its magic: the name of the file says nothing certain. */
async function* unpacked(
  source: AsyncIterable<Buffer>,
  maxBytes: number,
  what: string,
  pipe: Pipe,
): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    if (head.length >= MAGIC) break;
  }
  const kind = sniff(head);
  if (kind === 'zchunk') {
    await chunks.return?.();
    throw new KpmError('metadata-unsupported', {
      text: `The ${what} is compressed as zchunk, which cannot be read.`,
      subject: what,
      hint: 'The repository must also offer an ordinary primary.xml; createrepo_c writes one by default.',
    });
  }
  async function* whole(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  yield* decompress(kind, whole(), { maxBytes, what: `The ${what}` }, pipe);
}

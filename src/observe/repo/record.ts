// A file that repomd.xml names, as a checked stream: as sent, unpacked by what it really is, and uncompressed.
import { KpmError } from '../../errors.ts';
import { decompress, type Pipe, type StreamLimits } from '../../formats/codec/decompress.ts';
import { sniff } from '../../formats/codec/sniff.ts';
import type { Progress } from '../../host/machine.ts';
import type { Net, Opened } from '../../net/access.ts';
import { fromMirrors, openAt, type RepoSource } from '../../net/source.ts';
import { otherBase } from '../../net/url.ts';
import type { RepoConfig } from '../config/types.ts';
import { acceptChecksum, checked, strongChecksum } from './checksum.ts';
import type { Mirrors } from './mirrors.ts';
import type { RefreshMode } from './mode.ts';
import type { Reading } from './primary.ts';
import type { RepomdRecord } from './repomd.ts';

/** Bytes of a file at most, where repomd.xml does not say: packed, and open. */
const MAX_PACKED = 1024 * 1024 * 1024;
const MAX_OPEN = 4 * 1024 * 1024 * 1024;
const SLACK = 1024 * 1024;

/** One file that repomd.xml names. */
export interface RecordRequest {
  readonly repo: RepoConfig;
  readonly mirrors: Mirrors;
  readonly record: RepomdRecord;
  readonly net: Net;
  readonly mode: RefreshMode;
  /** How it is called in messages: `package list`. */
  readonly name: string;
  /** The reader keeps no piece beyond asking for the next. */
  readonly passing?: boolean;
}

/**
 * Has a file of the metadata read from the first mirror that gives it as promised: checked as sent and as unpacked.
 * `open` may be called again by the reader; the second reading asks the same mirror. Raises the codes of the network,
 * `metadata-mismatch`, `metadata-unsupported` and what the reader raises.
 */
export async function readRecord<T>(
  { repo, mirrors, record, net, mode, name, passing = false }: RecordRequest,
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
        unpacked(
          sent.stream,
          { maxBytes: record.openSize === null ? MAX_OPEN : record.openSize + SLACK, what: `The ${what}`, passing },
          mode.pipe,
        ),
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
async function* unpacked(source: AsyncIterable<Buffer>, limits: StreamLimits, pipe: Pipe): AsyncGenerator<Buffer> {
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
      text: `${limits.what} is compressed as zchunk, which cannot be read.`,
      subject: limits.what,
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
  yield* decompress(kind, whole(), limits, pipe);
}

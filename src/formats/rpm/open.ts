// The payload, unpacked: all of it in one piece of memory, held against the digests the header has of it.
import { formatNevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import { decompress, type Pipe } from '../codec/decompress.ts';
import { type Compression, sniff } from '../codec/sniff.ts';
import { Gathering } from '../gather.ts';
import { Ahead } from './ahead.ts';
import type { Stripped } from './cpio.ts';
import { payloadAltDigests } from './digests.ts';
import type { HeaderFile } from './files.ts';
import { digestOf } from './hash.ts';
import { refused } from './malformed.ts';
import type { RpmPackage } from './package.ts';
import { TAG } from './tags.ts';

export interface PayloadLimits {
  /** Most bytes of the open payload. */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** Most open bytes per compressed byte (looked at from 16 MiB on). */
  readonly maxRatio?: number;
}

const KINDS: Readonly<Record<string, Compression>> = {
  gzip: 'gzip',
  bzip2: 'bzip2',
  xz: 'xz',
  lzma: 'lzma',
  zstd: 'zstd',
  none: 'none',
  uncompressed: 'none',
};

/** The compression of the payload. Raises `payload-malformed` when header and bytes contradict each other. */
export function payloadCompression(pkg: RpmPackage): Compression {
  const said = pkg.header.text(TAG.payloadCompressor);
  const seen = sniff(pkg.payload);
  if (said === null) return seen;
  const kind = KINDS[said.toLowerCase()];
  if (kind === undefined) throw refused('compression-unsupported', `The payload is compressed with ${said}.`);
  // rpm lets a package travel with its payload opened; checkDigests then holds it to the digest of the open payload.
  if (kind === seen || seen === 'none') return seen;
  throw refused('payload-malformed', `The header says the payload is ${said} data, but it is ${seen} data.`);
}

export interface Opening {
  readonly files: readonly HeaderFile[];
  readonly lookup: Stripped;
  readonly limits: Required<PayloadLimits>;
  readonly pipe: Pipe;
  /** Called with the length of each piece that came out, while the decompressor goes on. */
  readonly meanwhile: (bytes: number) => void;
}

export interface Opened {
  readonly bytes: Buffer;
  /** Its digests, as far as they were made while it came. */
  readonly ahead: Ahead;
}

/** What proves more than the check that a compressor adds. */
const STRONG = /^sha(224|256|384|512|3-\d+)$/;

/**
 * Opens the payload. Raises the codes of decompress, `payload-malformed`, and `payload-digest` where it is not what the
 * header promises.
 */
export async function openPayload(pkg: RpmPackage, opening: Opening): Promise<Opened> {
  const digests = payloadAltDigests(pkg);
  const algorithms = digests.map(({ algorithm }) => algorithm);
  const proved = algorithms.some((algorithm) => STRONG.test(algorithm) && digestOf(algorithm) !== null);
  const { expected, pieces } = unpacking(pkg, opening);
  const gathered = async (source: AsyncIterable<Buffer>): Promise<Opened> => {
    const ahead = new Ahead({
      all: algorithms,
      files: opening.files[0]?.algorithm ?? null,
      lookup: opening.lookup,
      maxEntries: opening.files.length,
    });
    const gathering = new Gathering(expected);
    for await (const piece of source) {
      gathering.take(piece);
      ahead.follow(gathering.bytes);
      opening.meanwhile(piece.length);
    }
    return { bytes: gathering.bytes, ahead };
  };
  const wrong = ({ ahead }: Opened) =>
    digests.find(({ algorithm, value }) => (ahead.digest(algorithm) ?? value) !== value);
  const quick = proved ? await gathered(pieces(true)).catch(damaged) : null;
  if (quick && !wrong(quick)) return quick;
  // Damaged, or of a kind the quick way cannot read: the sure way says which.
  const opened = await gathered(pieces(false));
  const differs = wrong(opened);
  if (!differs) return opened;
  throw refused('payload-digest', `The open payload does not match its ${differs.algorithm} digest.`);
}

/** Nothing, where a decompressor took the data for damaged. */
function damaged(error: unknown): null {
  if (error instanceof KpmError && error.code === 'corrupt-stream') return null;
  throw error;
}

/** Kernel modules open to three to eight times their size. */
const USUAL_RATIO = 8;

interface Unpacking {
  /** Bytes that will probably come. */
  readonly expected: number;
  readonly pieces: (proved: boolean) => AsyncIterable<Buffer>;
}

/** The header's own sizes bound what may come: nothing honest is larger than its files and their entries. */
function unpacking(pkg: RpmPackage, { files, limits, pipe }: Opening): Unpacking {
  const what = `The payload of ${formatNevra(pkg.nevra)}`;
  const declared = files.reduce((sum, file) => sum + file.size + Buffer.byteLength(file.path) + 128, 4096);
  const maxBytes = Math.min(limits.maxBytes, declared);
  const expected = Math.min(maxBytes, pkg.payload.length * USUAL_RATIO);
  const options = { maxBytes, what, maxRatio: limits.maxRatio, expected };
  async function* source(): AsyncIterable<Uint8Array> {
    yield pkg.payload;
  }
  const kind = payloadCompression(pkg);
  return { expected, pieces: (proved) => decompress(kind, source(), { ...options, proved }, pipe) };
}

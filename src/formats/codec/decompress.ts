// One door for every compressed stream: what goes in is untrusted, what comes out is bounded, and a stream that is
// damaged or ends too early is an error, never a shorter result.
import { Readable, type Transform, type TransformOptions } from 'node:stream';
import zlib, { type ZlibOptions } from 'node:zlib';
import { hasErrno, KpmError } from '../../errors.ts';
import { bunzip2 } from './bunzip2.ts';
import type { Compression } from './sniff.ts';

/**
 * How a stream goes through a program of the distribution; `Run.filter` has this shape.
 * A missing program is raised as `program-missing` before `source` is read; a failing one as `program-failed`.
 */
export type Pipe = (
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  options?: { readonly passing?: boolean; readonly expected?: number },
) => AsyncIterable<Buffer>;

export interface StreamLimits {
  /** Most bytes that may come out. */
  readonly maxBytes: number;
  /** What it is, for the error: `the payload of kpatch-patch-...`, a URL. */
  readonly what: string;
  /** Most bytes out per byte in, looked at from 16 MiB of output on; unlimited unless said. */
  readonly maxRatio?: number;
  /** Bytes that will probably come out: the pieces then lie side by side, as far as that can be had (by node: up to 32 MiB). */
  readonly expected?: number;
  /**
   * The reader holds everything that comes out against a strong digest of its own, and asks again without this where it does
   * not fit. Then xz leaves its own check out, which is a seventh of its work (it does SHA-256 without the processor's
   * instructions for it), and node's zstd does where node has one (22.15 on), though it stops behind the first frame and
   * takes a cut-off one for whole: no program has to be started.
   */
  readonly proved?: boolean;
  /** Each piece is valid only until the next is asked for (host/pair.ts): for readers that only look, or copy. */
  readonly passing?: boolean;
}

/** Below this a high ratio is ordinary (an empty archive is all zeros). */
const RATIO_FROM = 16 * 1024 * 1024;
/** node's default of 16 KiB takes twice the time, 256 KiB a twentieth more. */
const CHUNK = 512 * 1024;
/** Packed bytes that zlib is given at a time: each time costs some 100 us of waiting. */
const SLICE = 1024 * 1024;
const LARGEST_CHUNK = 32 * 1024 * 1024;
/** Empty pieces in a row after which the WebAssembly zstd decoder is taken to be stuck. */
const MOST_EMPTY = 64;
/** xz's dictionaries go up to 64 MiB at its own levels; a file that wants more memory than this is refused. */
const XZ_MEMORY = '--memlimit-decompress=256MiB';

const damaged = (what: string, why: string, cause?: unknown): KpmError =>
  new KpmError('corrupt-stream', {
    text: `${what} is damaged: ${why}.`,
    subject: what,
    hint: 'Fetch it again (--refresh).',
    cause,
  });

type Make = (options: ZlibOptions) => Transform;
const gunzip: Make = (options) => zlib.createGunzip(options);
/** node's own zstd; null before 22.15. */
const nodesZstd = (): Make | null => (zlib as { createZstdDecompress?: Make }).createZstdDecompress ?? null;

/** One of node's own decompressors, which work on another thread. */
async function* byNode(make: Make, source: AsyncIterable<Uint8Array>, expected: number): AsyncIterable<Buffer> {
  // One byte more than is expected, or a further piece of that size is made to see that nothing follows.
  const chunkSize = Math.min(LARGEST_CHUNK, Math.max(CHUNK, expected + 1));
  // Where one piece takes everything, it is filled slice by slice, so that zlib goes on while its reader looks at one.
  const inSlices = expected > SLICE;
  const options: ZlibOptions & Pick<TransformOptions, 'highWaterMark'> = { chunkSize };
  if (inSlices) options.highWaterMark = 4 * SLICE;
  const stream = make(options);
  const input = Readable.from(inSlices ? slices(source) : source);
  input.on('error', (error) => stream.destroy(error));
  input.pipe(stream);
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    input.destroy();
    stream.destroy();
  }
}

async function* slices(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += SLICE) yield piece.subarray(at, at + SLICE);
  }
}

/** zstd in WebAssembly: only where the program is absent. The compressed bytes are gathered first, for the decoder is synchronous. */
async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  if (parts.length === 0) throw new Error('it is empty');
  // On damaged data the decoder never ends and gives empty pieces for ever. Given all input at once, sound data gives
  // an empty piece only where a frame or a block ends (given in parts it would give many in a row).
  let empty = 0;
  for (const piece of decoder.decodeStreaming([Buffer.concat(parts)])) {
    empty = piece.length === 0 ? empty + 1 : 0;
    if (empty > MOST_EMPTY) throw new Error('the data is corrupt');
    if (piece.length > 0) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  }
}

/** Through the program; where it is absent, in process. */
async function* preferring(
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  pipe: Pipe,
  instead: (source: AsyncIterable<Uint8Array>, maxBytes: number) => AsyncIterable<Buffer>,
  limits: StreamLimits,
): AsyncIterable<Buffer> {
  try {
    yield* pipe(program, args, source, piecesOf(limits));
  } catch (error) {
    if (!(error instanceof KpmError) || error.code !== 'program-missing') throw error;
    yield* instead(source, limits.maxBytes);
  }
}

/** How a program's pieces are to come. */
function piecesOf({ passing = false, expected }: StreamLimits): { passing: boolean; expected?: number } {
  return expected === undefined ? { passing } : { passing, expected };
}

function open(
  kind: Compression,
  source: AsyncIterable<Uint8Array>,
  pipe: Pipe,
  limits: StreamLimits,
): AsyncIterable<Uint8Array> {
  switch (kind) {
    case 'none':
      return source;
    case 'gzip':
      return byNode(gunzip, source, limits.expected ?? 0);
    // The JavaScript xz readers reject the SHA-256 check that rpm writes: the program, always.
    case 'xz':
    case 'lzma': {
      const check = limits.proved && kind === 'xz' ? ['--ignore-check'] : [];
      const args = ['--decompress', '--stdout', '--quiet', `--format=${kind}`, XZ_MEMORY, ...check];
      return pipe('xz', args, source, piecesOf(limits));
    }
    // Measured (node 20, 2 cores): a package of 3 MB (16 MB open) takes 56-121 ms through the program and 141-264 ms
    // in WebAssembly; a primary.xml of 250 MB takes 330-480 ms and 280-450 ms, with 76 against 113 MB of memory.
    case 'zstd': {
      const make = limits.proved ? nodesZstd() : null;
      if (make) return byNode(make, source, limits.expected ?? 0);
      return preferring('zstd', ['--decompress', '--stdout', '--quiet'], source, pipe, unzstd, limits);
    }
    case 'bzip2':
      return preferring('bzip2', ['--decompress', '--stdout', '--quiet'], source, pipe, bunzip2, limits);
    case 'zchunk':
      throw new KpmError('compression-unsupported', {
        text: `${limits.what} is compressed with zchunk, which kpatch-pm cannot read.`,
        subject: limits.what,
      });
  }
}

/**
 * The open bytes of a compressed stream. Takes several members or frames one behind the other.
 * Raises `corrupt-stream` (damaged, cut off), `too-large`, `decompression-bomb`, `program-missing` (xz, lzma),
 * `compression-unsupported` (zchunk); errors of `source` itself come through as they are.
 */
export async function* decompress(
  kind: Compression,
  source: AsyncIterable<Uint8Array>,
  limits: StreamLimits,
  pipe: Pipe,
): AsyncIterable<Buffer> {
  let taken = 0;
  let given = 0;
  let sourceError: unknown = null;
  async function* counted(): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of source) {
        taken += chunk.length;
        yield chunk;
      }
    } catch (error) {
      sourceError = error;
      throw error;
    }
  }
  try {
    for await (const chunk of open(kind, counted(), pipe, limits)) {
      given += chunk.length;
      if (given > limits.maxBytes) {
        throw new KpmError('too-large', {
          text: `${limits.what} unpacks to more than the ${limits.maxBytes} bytes allowed.`,
          subject: limits.what,
        });
      }
      if (limits.maxRatio !== undefined && given > RATIO_FROM && given > taken * limits.maxRatio) {
        throw new KpmError('decompression-bomb', {
          text: `${limits.what} unpacks to more than ${limits.maxRatio} times its size.`,
          subject: limits.what,
        });
      }
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
  } catch (error) {
    if (sourceError !== null) throw sourceError;
    throw explained(error, kind, limits.what);
  }
}

/** Turns what decompressors throw into our own error; others come through. */
function explained(error: unknown, kind: Compression, what: string): unknown {
  if (error instanceof KpmError) {
    // A status is the program's verdict on the data; a signal or a time-out is not.
    if (error.code !== 'program-failed' || !/\(status \d+\)/.test(error.message)) return error;
    const said = error.message.split(': ').at(-1)?.replace(/\.+$/, '');
    return damaged(what, `${kind} says "${said}"`, error);
  }
  if (kind !== 'none' && !hasErrno(error, 'ENOENT', 'EACCES', 'EIO')) {
    return damaged(what, `as ${kind} data: ${(error as Error).message}`, error);
  }
  return error;
}

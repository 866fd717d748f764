// Compressed streams: the same bytes come out of every kind, damaged and cut-off ones are errors, output is bounded.
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { decompress, type Pipe, type StreamLimits } from '../../../src/formats/codec/decompress.ts';
import { type Compression, sniff } from '../../../src/formats/codec/sniff.ts';
import { realRun } from '../../../src/host/run.ts';
import { needs } from '../../support/programs.ts';

async function* pieces(bytes: Uint8Array, size = 1000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A machine without these programs. */
const without =
  (...missing: string[]): Pipe =>
  (program, args, source) => {
    if (!missing.includes(program)) return realRun.filter(program, args, source);
    throw new KpmError('program-missing', { text: `The program ${program} is needed and not installed.` });
  };

const open = async (
  kind: Compression,
  bytes: Uint8Array,
  limits: Partial<StreamLimits> = {},
  pipe: Pipe = realRun.filter,
): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  const source = pieces(bytes);
  for await (const chunk of decompress(kind, source, { maxBytes: 1e8, what: 'test data', ...limits }, pipe)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const by =
  (program: string, ...args: string[]) =>
  (bytes: Buffer): Buffer =>
    execFileSync(program, args, { input: bytes, maxBuffer: 1e9 });

const text = Buffer.from(Array.from({ length: 20_000 }, (_, n) => `line ${n} ${(n * 7919) % 104729}\n`).join(''));

const KINDS: [Compression, (bytes: Buffer) => Buffer, Pipe, string][] = [
  ['gzip', gzipSync, realRun.filter, 'node'],
  ['xz', by('xz', '-c'), realRun.filter, 'xz'],
  ['xz', by('xz', '-c', '--check=sha256'), realRun.filter, 'xz with the check rpm writes'],
  ['lzma', by('xz', '-c', '--format=lzma'), realRun.filter, 'xz'],
  ['zstd', by('zstd', '-qc19'), realRun.filter, 'zstd'],
  ['zstd', by('zstd', '-qc19'), without('zstd'), 'WebAssembly'],
  ['bzip2', by('bzip2', '-c'), realRun.filter, 'bzip2'],
  ['bzip2', by('bzip2', '-c'), without('bzip2'), 'JavaScript'],
];

needs('xz', 'zstd', 'bzip2').each(KINDS)('%s', (kind, pack, pipe, how) => {
  const packed = pack(text);

  test(`opens (${how})`, async () => {
    expect(sniff(packed)).toBe(kind);
    expect((await open(kind, packed, {}, pipe)).equals(text)).toBe(true);
  });

  test(`opens several, one behind the other (${how})`, async () => {
    // lzma has no frame to tell where one ends.
    const two = Buffer.concat([packed, packed]);
    if (kind === 'lzma') await expect(open(kind, two, {}, pipe)).rejects.toMatchObject({ code: 'corrupt-stream' });
    else expect((await open(kind, two, {}, pipe)).equals(Buffer.concat([text, text]))).toBe(true);
  });

  test(`opens nothing (${how})`, async () => {
    expect((await open(kind, pack(Buffer.alloc(0)), {}, pipe)).length).toBe(0);
  });

  test.each([2, 7, 100, 1000])(`cut off %i bytes before its end (${how})`, async (missing) => {
    const cut = packed.subarray(0, packed.length - missing);
    await expect(open(kind, cut, {}, pipe)).rejects.toMatchObject({ code: 'corrupt-stream' });
  });

  test(`an empty stream is no stream (${how})`, async () => {
    await expect(open(kind, Buffer.alloc(0), {}, pipe)).rejects.toMatchObject({ code: 'corrupt-stream' });
  });

  test(`damaged in the middle: an error, never other bytes (${how})`, async () => {
    for (let n = 1; n < 8; n++) {
      const bad = Buffer.from(packed);
      const at = Math.floor((packed.length * n) / 8);
      bad.writeUInt8(bad.readUInt8(at) ^ 0x55, at);
      const result = await open(kind, bad, {}, pipe).then(
        (bytes) => (bytes.equals(text) ? 'the same' : 'other bytes'),
        (error) => error.code,
      );
      // lzma carries no checksum: rpm's digests find what it does not.
      if (kind === 'lzma') expect(['corrupt-stream', 'other bytes']).toContain(result);
      else expect(result).toBe('corrupt-stream');
    }
  });

  test(`stops at the byte limit (${how})`, async () => {
    await expect(open(kind, packed, { maxBytes: text.length - 1 }, pipe)).rejects.toMatchObject({
      code: 'too-large',
    });
    expect((await open(kind, packed, { maxBytes: text.length }, pipe)).length).toBe(text.length);
  });

  // The JavaScript bzip2 would take seconds for it; the check is outside of the decoders.
  if (how !== 'JavaScript') {
    test(`stops at a ratio (${how})`, async () => {
      const zeros = pack(Buffer.alloc(17 * 1024 * 1024));
      await expect(open(kind, zeros, { maxRatio: 100 }, pipe)).rejects.toMatchObject({ code: 'decompression-bomb' });
    });
  }

  test(`hands on the error of its source (${how})`, async () => {
    async function* failing(): AsyncIterable<Uint8Array> {
      yield packed.subarray(0, 50);
      throw new KpmError('no-space', { text: 'the source failed' });
    }
    const all = async () => {
      for await (const chunk of decompress(kind, failing(), { maxBytes: 1e8, what: 'test data' }, pipe)) void chunk;
    };
    await expect(all()).rejects.toMatchObject({ code: 'no-space' });
  });
});

describe('other kinds', () => {
  test('not compressed', async () => {
    expect(sniff(text)).toBe('none');
    expect((await open('none', text)).equals(text)).toBe(true);
    await expect(open('none', text, { maxBytes: 10 })).rejects.toMatchObject({ code: 'too-large' });
  });

  test('zchunk is recognised and refused', async () => {
    const bytes = Buffer.from('\0ZCK1rest', 'latin1');
    expect(sniff(bytes)).toBe('zchunk');
    await expect(open('zchunk', bytes)).rejects.toMatchObject({ code: 'compression-unsupported' });
  });

  test('xz without the program says which one is missing', async () => {
    await expect(open('xz', Buffer.from('x'), {}, without('xz'))).rejects.toMatchObject({ code: 'program-missing' });
  });

  test('a short or empty start is no magic', () => {
    expect(sniff(Buffer.alloc(0))).toBe('none');
    expect(sniff(Buffer.from([0x1f]))).toBe('none');
  });
});

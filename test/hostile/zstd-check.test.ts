// What node's own zstd (22.15 on) makes of a payload, beside the digest the header has of what it opens to: it stops behind the
// first frame and does not see that the last bytes are missing. Header and digest of the packed bytes fit.
import { spawnSync } from 'node:child_process';
import zlib from 'node:zlib';
import { expect, test } from '@jest/globals';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { readPayload } from '../../src/formats/rpm/payload.ts';
import { TAG } from '../../src/formats/rpm/tags.ts';
import { realRun } from '../../src/host/run.ts';
import { archiveOf, type ForgedFile, forgeCpio, forgeRpm, sha256 } from '../support/forge-rpm.ts';
import { needs } from '../support/programs.ts';

const ko: ForgedFile = { path: '/usr/lib/kpatch/k/a.ko', data: Buffer.alloc(3_000_000, 'a module ') };
const archive = forgeCpio(archiveOf([ko]));
const ownZstd = 'createZstdDecompress' in zlib;

const pack = (open: Buffer): Buffer => spawnSync('zstd', ['-qc', '--check'], { input: open }).stdout;
const flipped = (bytes: Buffer, at: number): Buffer => {
  bytes[at] = (bytes[at] as number) ^ 0x55;
  return bytes;
};
const WAYS = {
  'one frame': pack,
  'two frames': (open: Buffer) => Buffer.concat([pack(open.subarray(0, 5000)), pack(open.subarray(5000))]),
  'cut off in the data': (open: Buffer) => pack(open).subarray(0, -20),
  'data changed': (open: Buffer) => flipped(pack(open), 40),
  'check changed': (open: Buffer) => {
    const packed = pack(open);
    return flipped(packed, packed.length - 1);
  },
  'something behind it': (open: Buffer) => Buffer.concat([pack(open), Buffer.from('more')]),
} as const;

async function opened(way: keyof typeof WAYS, promised: Buffer | null): Promise<{ result: string; programs: number }> {
  const tags = [
    { tag: TAG.payloadCompressor, value: 'zstd' },
    ...(promised ? [{ tag: TAG.payloadDigestAlt, value: [sha256(promised)] }] : []),
  ];
  let programs = 0;
  const filter: typeof realRun.filter = (...args) => {
    programs++;
    return realRun.filter(...args);
  };
  const result = await readPayload(parseRpm(forgeRpm({ files: [ko], tags, compress: WAYS[way] })), {}, filter).then(
    ([file]) => (file?.content?.equals(ko.data as Buffer) ? 'right' : 'wrong'),
    ({ code }) => code,
  );
  return { result, programs };
}

const other = Buffer.from('another archive');
needs('zstd').each([
  ['one frame', 'no digest', null, 'right'],
  ['one frame', 'its digest', archive, 'right'],
  ['one frame', 'another digest', other, 'payload-digest'],
  ['two frames', 'no digest', null, 'right'],
  ['two frames', 'its digest', archive, 'right'],
  ['two frames', 'another digest', other, 'payload-digest'],
  ['cut off in the data', 'no digest', null, 'corrupt-stream'],
  ['cut off in the data', 'its digest', archive, 'corrupt-stream'],
  ['data changed', 'no digest', null, 'corrupt-stream'],
  ['data changed', 'its digest', archive, 'corrupt-stream'],
  ['check changed', 'no digest', null, 'corrupt-stream'],
  ['check changed', 'its digest', archive, 'corrupt-stream'],
  ['check changed', 'another digest', other, 'corrupt-stream'],
  ['something behind it', 'no digest', null, 'corrupt-stream'],
] as const)('%s, promised: %s', (way, _, promised, outcome) => {
  test(outcome, async () => expect((await opened(way, promised)).result).toBe(outcome));
});

needs('zstd')('the program', () => {
  test("is started only where node's own zstd cannot do it", async () => {
    const once = ownZstd ? 0 : 1;
    expect(await opened('one frame', archive)).toEqual({ result: 'right', programs: once });
    expect(await opened('one frame', null)).toEqual({ result: 'right', programs: 1 });
    expect(await opened('two frames', archive)).toEqual({ result: 'right', programs: 1 });
  });
});

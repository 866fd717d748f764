// What xz itself says of a payload, beside the digest the header has of what it opens to. The check at the end of a block
// (SHA-256, as rpm writes it) is changed, or its data; header and digest of the packed bytes fit.
import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { readPayload } from '../../src/formats/rpm/payload.ts';
import { TAG } from '../../src/formats/rpm/tags.ts';
import { realRun } from '../../src/host/run.ts';
import { archiveOf, type ForgedFile, forgeCpio, forgeRpm, sha256 } from '../support/forge-rpm.ts';
import { needs } from '../support/programs.ts';

const ko: ForgedFile = { path: '/usr/lib/kpatch/k/a.ko', data: Buffer.alloc(100_000, 'a module ') };
const archive = forgeCpio(archiveOf([ko]));

/** A stream of one block ends with its check, the index and 12 bytes of footer, which says how long the index is. */
function xz(change: 'nothing' | 'check' | 'data', open: Buffer): Buffer {
  const packed = spawnSync('xz', ['-c', '--check=sha256', '--threads=1'], { input: open }).stdout;
  const index = (packed.readUInt32LE(packed.length - 8) + 1) * 4;
  const check = packed.length - 12 - index - 32;
  if (change === 'check') packed[check] = (packed[check] as number) ^ 1;
  if (change === 'data') packed[check - 20] = (packed[check - 20] as number) ^ 1;
  return packed;
}

function opened(change: 'nothing' | 'check' | 'data', promised: Buffer | null): Promise<string> {
  const tags = [
    { tag: TAG.payloadCompressor, value: 'xz' },
    ...(promised ? [{ tag: TAG.payloadDigestAlt, value: [sha256(promised)] }] : []),
  ];
  const pkg = parseRpm(forgeRpm({ files: [ko], tags, compress: (open) => xz(change, open) }));
  return readPayload(pkg, {}, realRun.filter).then(
    ([file]) => (file?.content?.equals(ko.data as Buffer) ? 'right' : 'wrong'),
    ({ code }) => code,
  );
}

const other = Buffer.from('another archive');
needs('xz').each([
  ['nothing', 'no digest', null, 'right'],
  ['nothing', 'its digest', archive, 'right'],
  ['nothing', 'another digest', other, 'payload-digest'],
  ['check', 'no digest', null, 'corrupt-stream'],
  // What comes out is what the header promises by a digest as strong as the check.
  ['check', 'its digest', archive, 'right'],
  // Neither fits: xz is believed first, as without a digest.
  ['check', 'another digest', other, 'corrupt-stream'],
  ['data', 'no digest', null, 'corrupt-stream'],
  ['data', 'its digest', archive, 'corrupt-stream'],
  ['data', 'another digest', other, 'corrupt-stream'],
] as const)('changed: %s, promised: %s', (change, _, promised, outcome) => {
  test(outcome, async () => expect(await opened(change, promised)).toBe(outcome));
});

needs('xz')('a digest that is weak', () => {
  test('does not stand for the check', async () => {
    const tags = [
      { tag: TAG.payloadCompressor, value: 'xz' },
      { tag: TAG.payloadDigestAlgo, value: [1] },
      { tag: TAG.payloadDigestAlt, value: ['0'.repeat(32)] },
    ];
    const pkg = parseRpm(forgeRpm({ files: [ko], tags, compress: (open) => xz('check', open) }));
    await expect(readPayload(pkg, {}, realRun.filter)).rejects.toMatchObject({ code: 'corrupt-stream' });
  });
});

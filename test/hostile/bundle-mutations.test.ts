// Bundles and manifests with anything in them: an answer or a refusal, never a crash, and nothing is taken that does not have
// the digest its manifest says. Structure-aware mutation of what the program made, as in test/fuzz.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KpmError } from '../../src/errors.ts';
import { BLOCK, readTarEntry } from '../../src/formats/tar/entry.ts';
import { Root } from '../../src/host/root.ts';
import { readManifest } from '../../src/usecases/bundle/manifest.ts';
import { openBundle } from '../../src/usecases/bundle/open.ts';
import { mutate } from '../fuzz/mutate.ts';
import { type Random, randomFor } from '../fuzz/random.ts';
import { archive, type Entry, entriesOf, madeBundle } from '../support/bundle.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-mutations-'));
const host = new Root('/');
let entries: Entry[];
beforeAll(async () => {
  entries = entriesOf(await madeBundle(['--all-levels']));
});
afterAll(() => rmSync(scratch, { recursive: true }));

const WORDS = [
  '../',
  '"path":',
  '"size":',
  '"sha256":',
  '"format":',
  'null',
  '[]',
  '{}',
  '1e999',
  '-1',
  '__proto__',
  '\\u0000',
];

/** Counts of what was taken and refused; anything else that is raised ends the test. */
function campaign(inputs: number, read: (random: Random) => void): { taken: number; refused: number } {
  const tally = { taken: 0, refused: 0 };
  for (let n = 0; n < inputs; n++) {
    try {
      read(randomFor(20240603, n));
      tally.taken++;
    } catch (error) {
      if (!(error instanceof KpmError) || error.code === 'internal') throw new Error(`input ${n}`, { cause: error });
      tally.refused++;
    }
  }
  return tally;
}

test('2000 manifests', () => {
  const { bytes } = entries[0] as Entry;
  const tally = campaign(2000, (random) => {
    const manifest = readManifest(mutate(bytes, [bytes], random, WORDS));
    for (const { path: name, sha256 } of manifest.files) {
      expect(name).toMatch(/^[A-Za-z0-9][^\u0000-\u001f]*$/);
      expect(name.split('/')).not.toContain('..');
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
  expect(tally).toEqual({ taken: expect.any(Number), refused: expect.any(Number) });
  expect(Math.min(tally.taken, tally.refused)).toBeGreaterThan(50);
});

test('2000 header blocks', () => {
  const block = archive(entries).subarray(0, BLOCK);
  const tally = campaign(2000, (random) => {
    const changed = Buffer.alloc(BLOCK);
    mutate(block, [block], random, ['../', '/etc', '\0', 'ustar']).copy(changed);
    // Without this the checksum alone would refuse nearly all.
    changed.fill(' ', 148, 156);
    changed.write(
      `${changed
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    const entry = readTarEntry(changed);
    if (entry === null) return;
    expect(entry.name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._+~^%:/-]*$/);
    expect(entry.size).toBeGreaterThanOrEqual(0);
  });
  expect(Math.min(tally.taken, tally.refused)).toBeGreaterThan(50);
});

test('600 archives', () => {
  const whole = archive(entries);
  const file = path.join(scratch, 'bundle.tar');
  const tally = campaign(600, (random) => {
    writeFileSync(file, mutate(whole, [whole], random, WORDS));
    const bundle = openBundle(host, file);
    try {
      for (const { path: name, sha256 } of bundle.manifest.files) {
        expect(
          createHash('sha256')
            .update(bundle.read(name) as Buffer)
            .digest('hex'),
        ).toBe(sha256);
      }
    } finally {
      bundle.close();
    }
  });
  expect(tally.refused).toBeGreaterThan(500);
});

// One changed byte anywhere in a package: either a coded error, or a digest that is bad, or exactly the same content
// and the same facts as before. Never other content that is taken for good.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { KpmError } from '../../src/errors.ts';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import { packageFacts } from '../../src/formats/rpm/facts.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { readPayload } from '../../src/formats/rpm/payload.ts';
import { signatureBlobs } from '../../src/formats/rpm/signatures.ts';
import { realRun } from '../../src/host/run.ts';
import { corpusDir, describeCorpus } from '../support/corpus.ts';
import { forgeRpm } from '../support/forge-rpm.ts';

/** A seeded generator (mulberry32): the same flips on every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Outcome = 'refused' | 'bad digest' | 'the same' | 'OTHER CONTENT TAKEN';

async function content(bytes: Buffer): Promise<string> {
  const pkg = parseRpm(bytes);
  return JSON.stringify([packageFacts(pkg), await readPayload(pkg, {}, realRun.filter)]);
}

async function outcome(bytes: Buffer, before: string): Promise<Outcome> {
  try {
    const pkg = parseRpm(bytes);
    signatureBlobs(pkg);
    if (checkDigests(pkg).some((digest) => digest.verdict === 'bad')) return 'bad digest';
    return (await content(bytes)) === before ? 'the same' : 'OTHER CONTENT TAKEN';
  } catch (error) {
    if (error instanceof KpmError) return 'refused';
    throw error;
  }
}

function flip(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at);
  return copy;
}

describe('every byte of a small package', () => {
  const bytes = forgeRpm({
    files: [
      { path: '/usr/lib/kpatch', mode: 0o040755 },
      { path: '/usr/lib/kpatch/a.ko', data: Buffer.from('the content of a module') },
      { path: '/usr/lib/kpatch/b', mode: 0o120777, linkTo: 'a.ko' },
    ],
  });

  test('each of its bits', async () => {
    const before = await content(bytes);
    const seen = new Map<Outcome, number>();
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const result = await outcome(flip(bytes, at, bit), before);
        if (result === 'OTHER CONTENT TAKEN') throw new Error(`bit ${bit} of byte ${at}`);
        seen.set(result, (seen.get(result) ?? 0) + 1);
      }
    }
    // Both ways of being found happen, and what stays the same is what carries nothing (the lead, mostly).
    expect(seen.get('refused')).toBeGreaterThan(1000);
    expect(seen.get('bad digest')).toBeGreaterThan(1000);
    expect(seen.get('the same')).toBeLessThan(bytes.length * 8 * 0.3);
  });

  test('each bit of the payload, with no digest of the package looked at: the header alone protects the files', async () => {
    const before = await content(bytes);
    const start = bytes.length - parseRpm(bytes).payload.length;
    for (let at = start; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const after = await content(flip(bytes, at, bit)).catch((error) => {
          if (!(error instanceof KpmError)) throw error;
          return 'refused';
        });
        expect([at, bit, after === before || after === 'refused']).toEqual([at, bit, true]);
      }
    }
  });

  test('every shorter and one longer', async () => {
    const before = await content(bytes);
    for (let length = 0; length < bytes.length; length++) {
      expect([length, await outcome(bytes.subarray(0, length), before)]).toEqual([
        length,
        expect.stringMatching(/^(refused|bad digest)$/),
      ]);
    }
    expect(await outcome(Buffer.concat([bytes, Buffer.from([0])]), before)).toBe('bad digest');
  });
});

describeCorpus('real packages', () => {
  const dir = path.join(corpusDir() ?? '', 'rpms');
  const { packages } = JSON.parse(
    corpusDir() ? readFileSync(path.join(dir, 'expected.json'), 'utf8') : '{"packages":[]}',
  ) as {
    packages: { file: string; is_rpm?: false; digests?: Record<string, string> }[];
  };
  const sound = packages.filter((p) => p.is_rpm !== false && !Object.values(p.digests ?? {}).includes('BAD'));

  test.each(sound.map((p, n) => [p.file, n] as const))('%s', async (file, seed) => {
    const bytes = readFileSync(path.join(dir, file));
    const before = await content(bytes);
    const next = random(seed + 1);
    for (let n = 0; n < 40; n++) {
      const at = Math.floor(next() * bytes.length);
      const bit = Math.floor(next() * 8);
      const result = await outcome(flip(bytes, at, bit), before);
      expect([at, bit, result]).toEqual([at, bit, expect.stringMatching(/^(refused|bad digest|the same)$/)]);
    }
  });
});

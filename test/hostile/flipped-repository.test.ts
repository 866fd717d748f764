// A flipped byte in an unsigned repomd.xml, or in a package, through the whole program: either a coded end with nothing
// installed, or exactly what the vendor signed.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { FIXTURES, KERNELS, scratchRoot } from '../support/fixtures.ts';
import { surroundings } from '../support/surroundings.ts';
import { treeOf } from '../support/tree.ts';

const FLIPS = process.env.CI === 'true' ? 120 : 40;

let scratch = '';
let sound: string[] = [];
beforeAll(async () => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-flipped-'));
  cpSync(path.join(FIXTURES, 'keys'), path.join(scratch, 'keys'), { recursive: true });
  cpSync(path.join(FIXTURES, 'el9'), path.join(scratch, 'el9'), { recursive: true });
  sound = (await auto()).modules;
  expect(sound).toHaveLength(1);
});
afterAll(() => rmSync(scratch, { recursive: true }));

interface Told {
  readonly error: { code: string } | null;
  readonly actions: readonly { kernel: string | null; outcome: string; error: { code: string } | null }[];
  readonly skipped: readonly { kernel: string }[];
}

/** One `auto -y` over the repository as it stands now. */
async function auto(): Promise<{ status: number; told: Told; modules: string[] }> {
  const root = scratchRoot({
    url: `file://${scratch}`,
    kernels: [KERNELS.K1],
    rpmdb: false,
  });
  try {
    const around = surroundings({ hostPath: '/', now: '2024-06-10T00:00:00Z' });
    const status = await main(['--installroot', root.path, 'auto', '-y', '--json'], around);
    const modules = treeOf(root.at('var/lib/kpatch')).filter((line) => line.includes('.ko '));
    return { status, told: JSON.parse(around.stdout.text) as Told, modules };
  } finally {
    root.remove();
  }
}

/** The same sequence in every run. */
function* numbers(): Generator<number> {
  let seed = 7;
  for (;;) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    yield seed / 2147483648;
  }
}

async function flipAll(file: string): Promise<Map<string, number>> {
  const good = readFileSync(file);
  const random = numbers();
  const ends = new Map<string, number>();
  try {
    for (let n = 0; n < FLIPS; n++) {
      const bytes = Buffer.from(good);
      const at = Math.floor((random.next().value as number) * bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor((random.next().value as number) * 8));
      writeFileSync(file, bytes);
      const { status, told, modules } = await auto();
      const code = told.error?.code ?? told.actions.find(({ error }) => error)?.error?.code ?? null;
      if (modules.length > 0) expect([at, modules]).toEqual([at, sound]);
      else expect([at, code !== null || told.skipped.length > 0]).toEqual([at, true]);
      if (code !== null) {
        expect(Object.keys(ERROR_CODES)).toContain(code);
        expect([code, status]).not.toEqual([code, 0]);
        expect(code).not.toBe('internal');
      }
      const end = modules.length > 0 ? 'installed' : (code ?? 'skipped');
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  } finally {
    writeFileSync(file, good);
  }
  return ends;
}

describe('through the whole program', () => {
  test(`${FLIPS} flipped bits of repomd.xml`, async () => {
    const ends = await flipAll(path.join(scratch, 'el9/repodata/repomd.xml'));
    // Both kinds of end must occur, or the test looks in the wrong place.
    expect(ends.size).toBeGreaterThan(2);
  });

  test(`${FLIPS} flipped bits of the package`, async () => {
    const packages = path.join(scratch, 'el9/Packages');
    const name = readdirSync(packages).find((file) => file.startsWith('kpatch-patch-5_14_0-427_13_1-1-2.'));
    const ends = await flipAll(path.join(packages, name as string));
    // Metadata promises its checksum: no changed package gets further than that.
    expect([...ends.keys()]).toEqual(['package-mismatch']);
  });

  test(`${FLIPS} flipped bits of primary`, async () => {
    const repodata = path.join(scratch, 'el9/repodata');
    const name = readdirSync(repodata).find((file) => file.includes('-primary.xml'));
    const ends = await flipAll(path.join(repodata, name as string));
    expect(ends.has('installed')).toBe(false);
    expect(ends.has('skipped')).toBe(false);
  });
});

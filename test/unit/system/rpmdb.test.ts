// Databases of every kind: with the real rpm and without it. The corpus says what is in them.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { formatNevra } from '../../../src/domain/nevra.ts';
import { Root } from '../../../src/host/root.ts';
import { type Run, realRun } from '../../../src/host/run.ts';
import { readRpmdb } from '../../../src/observe/system/rpmdb.ts';
import { corpusDir, describeCorpus } from '../../support/corpus.ts';
import { scratchRoot } from '../../support/fixtures.ts';
import { needs } from '../../support/programs.ts';

const withoutRpm: Run = { ...realRun, which: (program) => (program === 'rpm' ? null : realRun.which(program)) };

let top = '';
beforeEach(() => {
  top = mkdtempSync(path.join(os.tmpdir(), 'kpm-rpmdb-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function place(from: string, where = 'var/lib/rpm'): Root {
  const target = path.join(top, where);
  cpSync(from, target, { recursive: true });
  chmodSync(target, 0o755);
  for (const file of readdirSync(target)) chmodSync(path.join(target, file), 0o644);
  return new Root(top);
}

const corpus = path.join(corpusDir() ?? '', 'rpmdb');
interface Truth {
  readonly packages: readonly { readonly nevra: string; readonly name: string }[];
}
const truth = (): [string, Truth][] =>
  corpusDir() === null
    ? [['none', { packages: [] }]]
    : Object.entries(JSON.parse(readFileSync(path.join(corpus, 'expected.json'), 'utf8')));

/** A database file without the table of packages: no rpm makes it. */
const NO_TABLE = 'sqlite-claircore-no_packages';
const sound = () => truth().filter(([name]) => name !== NO_TABLE);

describeCorpus('databases of the corpus', () => {
  test.each([withoutRpm, realRun])('without the table of packages is none', async (run) => {
    const seen = await readRpmdb(place(path.join(corpus, NO_TABLE)), run);
    expect(seen).toMatchObject({ how: 'none', packages: [], notices: [{ code: 'rpmdb-unreadable' }] });
  });

  test.each(sound())('%s without rpm', async (name, { packages }) => {
    const seen = await readRpmdb(place(path.join(corpus, name)), withoutRpm);
    expect(seen).toMatchObject({ how: 'parser', path: 'var/lib/rpm', notices: [] });
    // Public keys have no architecture; rpm calls them (none).
    const names = seen.packages.map(({ nevra }) => formatNevra({ ...nevra, arch: nevra.arch || '(none)' }));
    expect(names.sort()).toEqual(packages.map(({ nevra }) => nevra.replace(/-0:/, '-')).sort());
  });

  needs('rpm')('with rpm', () => {
    test.each(sound())('%s', async (name, { packages }) => {
      const root = place(path.join(corpus, name), 'usr/lib/sysimage/rpm');
      const before = readdirSync(path.join(top, 'usr/lib/sysimage/rpm')).filter((file) => !/-(wal|shm)$/.test(file));
      const seen = await readRpmdb(root, realRun);
      expect(seen).toMatchObject({ path: 'usr/lib/sysimage/rpm', notices: [] });
      expect(seen.packages.map((pkg) => pkg.nevra.name).sort()).toEqual(packages.map((pkg) => pkg.name).sort());
      // An rpm that does not know the format must not make a database of its own beside it.
      const after = readdirSync(path.join(top, 'usr/lib/sysimage/rpm')).filter((file) => !/-(wal|shm)$/.test(file));
      expect(after.filter((file) => !before.includes(file) && file !== '.rpm.lock')).toEqual([]);
    });
  });
});

const SQLITE = 'var/lib/rpm/rpmdb.sqlite';

/** A root with the ready-made database, changed. */
function readyMade(change: (bytes: Buffer) => Buffer): Root {
  const ready = scratchRoot();
  mkdirSync(path.join(top, 'var/lib/rpm'), { recursive: true });
  writeFileSync(path.join(top, SQLITE), change(readFileSync(ready.at(SQLITE))));
  ready.remove();
  return new Root(top);
}

test('no database: said once, no error', async () => {
  expect(await readRpmdb(new Root(top), realRun)).toMatchObject({
    how: 'none',
    path: null,
    notices: [{ code: 'rpmdb-missing' }],
  });
});

describe.each([
  ['with rpm', realRun],
  ['without rpm', withoutRpm],
] as const)('a damaged database %s gives no list at all', (_, run) => {
  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['overwritten in the middle', (bytes) => Buffer.from(bytes).fill(0xaa, 8192, bytes.length - 4096)],
    ['something else', () => Buffer.from('not a database\n'.repeat(1000))],
  ])('%s', async (_what, change) => {
    const seen = await readRpmdb(readyMade(change), run);
    expect(seen).toMatchObject({ how: 'none', packages: [], notices: [{ code: 'rpmdb-unreadable' }] });
  });
});

needs('rpm')('the ready-made root', () => {
  test('rpm knows provides and files', async () => {
    const seen = await readRpmdb(
      readyMade((bytes) => bytes),
      realRun,
    );
    expect(seen.how).toBe('rpm');
    const kernel = seen.packages.find(
      ({ nevra }) => nevra.name === 'kernel-core' && nevra.release === '427.13.1.el9_4',
    );
    expect(kernel?.provides).toContainEqual({
      name: 'kernel-uname-r',
      flags: 'EQ',
      evr: '5.14.0-427.13.1.el9_4.x86_64',
    });
    expect(seen.packages.find(({ nevra }) => nevra.name === 'kpatch')?.hasFiles).toBe(true);
  });

  test('rpm is asked once for one state of the database', async () => {
    const root = readyMade((bytes) => bytes);
    let asked = 0;
    const counting: Run = {
      ...realRun,
      run: (...args) => {
        asked++;
        return realRun.run(...args);
      },
    };
    const answers = new Map<string, string>();
    const memo = {
      get: (key: string) => answers.get(key) ?? null,
      put: (key: string, answer: string) => void answers.set(key, answer),
    };
    const first = await readRpmdb(root, counting, memo);
    expect(await readRpmdb(root, counting, memo)).toEqual(first);
    expect(asked).toBe(1);
    await realRun.run('rpm', ['--dbpath', path.join(top, 'var/lib/rpm'), '-e', '--justdb', '--nodeps', 'kpatch']);
    const later = await readRpmdb(root, counting, memo);
    expect(asked).toBe(2);
    expect(later.packages.length).toBe(first.packages.length - 1);
  });

  test('rows that are only in the log are missed without rpm, and that is said', async () => {
    const root = readyMade((bytes) => bytes);
    writeFileSync(path.join(top, `${SQLITE}-wal`), Buffer.alloc(4096, 1));
    const seen = await readRpmdb(root, withoutRpm);
    expect(seen).toMatchObject({
      how: 'parser',
      notices: [{ code: 'rpmdb-unreadable', text: expect.stringContaining('-wal') }],
    });
  });
});

// Full disks and read-only ones under the whole program: real file systems of a limited size, real HTTP, the real main().
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { type FixtureServer, KERNELS, type ScratchRoot, scratchRoot, serveFixtures } from '../support/fixtures.ts';
import { fill, Mounts, mayMount } from '../support/mounts.ts';
import { needsThat } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';
import { treeOf } from '../support/tree.ts';

const { K1, K2 } = KERNELS;
const LEVEL = 'kpatch-5_14_0-427_13_1-1-2.ko';
const mounts = new Mounts();
let root: ScratchRoot;
let server: FixtureServer;
let before: (path: string) => void;
beforeEach(async () => {
  before = () => undefined;
  server = await serveFixtures(undefined, (name) => before(name));
  root = scratchRoot({ url: server.url, rpmdb: false });
});
afterEach(async () => {
  mounts.unmount();
  root.remove();
  await server.close();
});

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const around = surroundings({ hostPath: '/', now: new Date().toISOString() });
  const status = await main([...args, '--installroot', root.path], around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}

const packagesAsked = (): string[] => server.requests.filter((request) => request.endsWith('.rpm'));
const filesIn = (relative: string): string[] => (existsSync(root.at(relative)) ? readdirSync(root.at(relative)) : []);
/** Everything but the cache, which any run may fill, and the lock file that it leaves. */
const tree = (): string[] => treeOf(root.path, ['var/cache']).filter((line) => !line.includes('kpatch-pm/lock '));
const sentences = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('Error: '));

needsThat(mayMount(), 'the right to mount a tmpfs (root)')('full', () => {
  test('the cache: told before anything is asked for, with what is needed and what is free', async () => {
    mounts.tmpfs(root.at('var/cache/kpatch-pm'), 'size=1m,mode=755');
    expect((await run('makecache')).status).toBe(0);
    fill(root.at('var/cache/kpatch-pm'));
    const was = tree();
    const { status, err, out } = await run('install', '-y', '--json');
    expect(status).toBe(1);
    expect(sentences(err)).toEqual([
      expect.stringMatching(
        /^Error: Not enough room: \S+\/var\/cache\/kpatch-pm needs \d+ KiB, and 0 KiB are free there\.$/,
      ),
    ]);
    expect(err).toMatch(
      /Free \d+ KiB on the file system of \S+ and run the same command again; nothing was downloaded or changed\./,
    );
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'no-space' } });
    expect(packagesAsked()).toEqual([]);
    expect(tree().filter((line) => !line.startsWith('var/lib/kpatch-pm'))).toEqual(
      was.filter((line) => !line.startsWith('var/lib/kpatch-pm')),
    );
    rmSync(root.at('var/cache/kpatch-pm/ballast'));
    expect((await run('install', '-y')).status).toBe(0);
    expect(filesIn(`var/lib/kpatch/${K1}`)).toEqual([LEVEL]);
  });

  test('one file system below both directories: what they need is added up', async () => {
    mounts.tmpfs(root.at('var/lib'), 'size=1088k,mode=755');
    mkdirSync(root.at('var/lib/kpatch'));
    const was = tree();
    const { status, err } = await run('install', '-y');
    expect(status).toBe(1);
    expect(sentences(err)).toEqual([
      expect.stringMatching(
        /^Error: Not enough room: \S+\/kpatch-pm and \S+\/kpatch together need 1\.\d MiB, and 1\.\d MiB are free there\.$/,
      ),
    ]);
    expect(packagesAsked()).toEqual([]);
    expect(tree().filter((line) => !line.startsWith('var/lib/kpatch-pm'))).toEqual(was);
  });

  test.each([
    ['where modules lie', 'var/lib/kpatch'],
    ['where our state lies', 'var/lib/kpatch-pm'],
    ['the cache', 'var/cache/kpatch-pm'],
  ])('%s, filled while packages are on their way: ends clean, and the next run does it', async (_, place) => {
    mounts.tmpfs(root.at(place), 'size=2m,mode=755');
    let ballast = '';
    before = (name) => {
      if (name.endsWith('.rpm') && ballast === '') ballast = fill(root.at(place));
    };
    if (place === 'var/lib/kpatch-pm') chmodSync(root.at(place), 0o700);
    const { status, err } = await run('install', '-y');
    expect(ballast).not.toBe('');
    expect(status).toBe(1);
    expect(sentences(err).length).toBeGreaterThan(0);
    for (const sentence of sentences(err)) expect(sentence).toMatch(/^Error: (Not enough room: |No space left for )\S/);
    expect(err).not.toMatch(/^\s+at |should not/m);
    expect(filesIn(`var/lib/kpatch/${K1}`)).toEqual([]);
    expect(filesIn('var/lib/kpatch-pm').filter((name) => /journal|staging|tmp/.test(name))).toEqual([]);
    rmSync(ballast);
    expect((await run('install', '-y')).status).toBe(0);
    expect(filesIn(`var/lib/kpatch/${K1}`)).toEqual([LEVEL]);
    expect(filesIn('var/lib/kpatch-pm').filter((name) => /journal|staging|tmp/.test(name))).toEqual([]);
  });
});

needsThat(mayMount(), 'the right to mount a tmpfs (root)')('read-only', () => {
  test('/var: what changes nothing works, what would change says one sentence', async () => {
    expect((await run('makecache')).status).toBe(0);
    mounts.readOnly(root.at('var'));
    expect((await run('status')).status).toBe(0);
    const { status, err } = await run('auto', '-y');
    expect(status).toBe(1);
    expect(sentences(err)).toEqual([
      expect.stringMatching(/^Error: \S+\/var\/lib\/kpatch-pm is on a read-only file system\.$/),
    ]);
    expect(packagesAsked()).toEqual([]);
  });

  test('/var/lib/kpatch: each kernel is named, the others go on', async () => {
    mounts.readOnly(root.at('var/lib/kpatch'));
    const { status, err } = await run('auto', '-y');
    expect(status).toBe(1);
    expect(sentences(err)).toEqual([`Error: ${root.at(`var/lib/kpatch/${K1}`)} is on a read-only file system.`]);
    // An empty package needs no module directory.
    expect(filesIn('var/lib/kpatch-pm/receipts')).toEqual([K2]);
    expect(filesIn('var/lib/kpatch-pm')).not.toContain('journal.json');
  });

  test('/etc: the packages are installed, the setting is not, and that is said', async () => {
    mounts.readOnly(root.at('etc'));
    const { status, err } = await run('auto', '-y');
    expect(status).toBe(1);
    expect(sentences(err)).toEqual([`Error: ${root.at('etc/dnf/plugins')} is on a read-only file system.`]);
    expect(filesIn(`var/lib/kpatch/${K1}`)).toEqual([LEVEL]);
    expect(filesIn('var/lib/kpatch-pm')).not.toContain('journal.json');
  });

  test('the cache: the run goes on without one', async () => {
    mkdirSync(root.at('var/cache/kpatch-pm'), { recursive: true });
    mounts.readOnly(root.at('var/cache/kpatch-pm'));
    const { status, err } = await run('install', '-y');
    expect([status, sentences(err)]).toEqual([0, []]);
    expect(filesIn(`var/lib/kpatch/${K1}`)).toEqual([LEVEL]);
  });

  test('/var/lib/kpatch is missing: it is made', async () => {
    rmSync(root.at('var/lib/kpatch'), { recursive: true });
    expect((await run('install', '-y')).status).toBe(0);
    expect(filesIn(`var/lib/kpatch/${K1}`)).toEqual([LEVEL]);
  });
});

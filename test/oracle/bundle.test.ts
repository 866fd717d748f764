// A bundle's way: made where there is a network, carried, taken where there is none; signed by the real gpg, unpacked by the
// real tar, read as a repository by the real dnf.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tool } from '../../repo-fixtures/builder/tools.ts';
import {
  connectedRoot,
  entriesOf,
  fileWith,
  freshBundle,
  isolatedRoot,
  madeBundle,
  manifestOf,
  runOn,
} from '../support/bundle.ts';
import { FIXTURES, KERNELS, type ScratchRoot, scratchRoot, serveFixtures } from '../support/fixtures.ts';
import { Gpg } from '../support/gpg.ts';
import { needs } from '../support/programs.ts';

const { K1 } = KERNELS;
const OTHER = '5.14.0-362.18.1.el9_3.x86_64';
const RELEASE = '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B';
const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-bundles-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => path.join(scratch, name);

async function on<T>(root: ScratchRoot, act: (root: ScratchRoot) => Promise<T>): Promise<T> {
  try {
    return await act(root);
  } finally {
    root.remove();
  }
}

const CREATE = ['bundle', 'create', '--kernel', K1, '-o'];

describe('making', () => {
  test('the same content gives the same bytes, wherever and whenever it is made', async () => {
    const one = await madeBundle(['--kernel', K1, '--kernel', OTHER]);
    const two = await freshBundle(['--kernel', OTHER, '--kernel', K1, '--kernel', K1], { now: '2026-03-01T10:00:00Z' });
    expect(two.equals(one)).toBe(true);
    // The repository says when it was made; that is the time of the bundle.
    expect(manifestOf(entriesOf(one))).toMatchObject({
      made: '2024-06-03T12:00:00Z',
      kernels: [OTHER, K1],
      levels: 'newest',
    });
  });
  test('for a kernel that is not installed here; every level on wish', async () => {
    const all = manifestOf(entriesOf(await madeBundle(['--kernel', OTHER, '--all-levels'])));
    expect(all.packages.map(({ nevra }) => nevra)).toEqual(
      ['0-0', '1-1', '1-2', '1-9', '1-10'].map((level) => `kpatch-patch-5_14_0-362_18_1-${level}.el9_3.x86_64`),
    );
    expect(all.packages.every(({ signer }) => signer === RELEASE)).toBe(true);
    expect(all.advisories.length).toBeGreaterThan(0);
  });
  test('over HTTP, the cache used for the second reading', async () => {
    const server = await serveFixtures();
    try {
      const root = scratchRoot({ url: server.url, rpmdb: false });
      await on(root, async () => {
        expect((await runOn(root, [...CREATE, at('http.tar')])).status).toBe(0);
      });
      expect(server.requests.filter((one) => one.endsWith('.rpm'))).toHaveLength(1);
    } finally {
      await server.close();
    }
  });
  test('an existing file is overwritten only with --force; nothing is left of what failed', async () => {
    writeFileSync(at('taken.tar'), 'mine\n');
    await on(connectedRoot(), async (root) => {
      const refused = await runOn(root, [...CREATE, at('taken.tar')]);
      expect([refused.status, refused.err]).toEqual([
        1,
        expect.stringMatching(/taken.tar exists and is not overwritten/),
      ]);
      expect(readFileSync(at('taken.tar'), 'utf8')).toBe('mine\n');
      expect((await runOn(root, [...CREATE, at('taken.tar'), '--force'])).status).toBe(0);
      expect(readFileSync(at('taken.tar')).length).toBeGreaterThan(10_000);
      const nowhere = await runOn(root, [...CREATE, at('no/such/place.tar')]);
      expect([nowhere.status, nowhere.err]).toEqual([1, expect.stringMatching(/place.tar/)]);
    });
  });
  test('a kernel that nothing is on offer for ends it: no bundle lacks one silently', async () => {
    await on(connectedRoot(), async (root) => {
      for (const kernel of [KERNELS.K3, KERNELS.K4, '5.14.0-1.el9']) {
        const { status, err } = await runOn(root, ['bundle', 'create', '-k', K1, '-k', kernel, '-o', at('never.tar')]);
        expect([status, err]).toEqual([1, expect.stringContaining(`no live patch to bundle for the kernel ${kernel}`)]);
      }
      expect(existsSync(at('never.tar'))).toBe(false);
    });
  });
});

needs('gpg')('signed', () => {
  const gpg = new Gpg();
  let ops: string;
  let env: Record<string, string>;
  beforeAll(() => {
    gpg.time = Date.parse('2025-06-01T00:00:00Z') / 1000;
    ops = gpg.key('Ops <ops@bundle.invalid>', 'rsa2048');
    gpg.time = null;
    env = { TERM: 'dumb', LANG: 'C.UTF-8', GNUPGHOME: gpg.home };
    writeFileSync(at('ops.asc'), gpg.run(['--armor', '--export', ops]));
  });
  afterAll(() => gpg.close());
  const signed = (more: readonly string[] = []): Promise<Buffer> =>
    madeBundle(['--sign', 'ops@bundle.invalid', ...more], { env });

  test('gpg takes the signature, and it is the same each time', async () => {
    const one = await signed();
    expect((await freshBundle(['--sign', 'ops@bundle.invalid'], { env })).equals(one)).toBe(true);
    const [manifest, signature] = entriesOf(one);
    writeFileSync(at('manifest.json'), manifest?.bytes ?? '');
    writeFileSync(at('manifest.json.asc'), signature?.bytes ?? '');
    gpg.run(['--verify', at('manifest.json.asc'), at('manifest.json')]);
    // Older than the key is no signature: the key's own beginning counts then.
    expect(gpg.run(['--list-packets', at('manifest.json.asc')]).toString()).toMatch(/created 1748736000,/);
  });
  test('a key that is not there, or has ended, signs nothing', async () => {
    await expect(madeBundle(['--sign', 'nobody@bundle.invalid'], { env })).rejects.toThrow(
      /gpg has no secret key of that name/,
    );
    const old = gpg.key('Old <old@bundle.invalid>', 'rsa2048', 'sign', '1d');
    const later = { env, now: '2099-01-01T00:00:00Z' };
    await expect(madeBundle(['--sign', old], later)).rejects.toThrow(/may not be used: it expired on/);
  });
  test('verify: by the key that is named, and by no other', async () => {
    const { file, remove } = fileWith(await signed());
    const unsigned = fileWith(await madeBundle());
    await on(isolatedRoot(), async (root) => {
      const good = await runOn(root, ['bundle', 'verify', '--key', at('ops.asc'), file]);
      expect([good.status, good.out]).toEqual([
        0,
        expect.stringContaining(`Signed by   : ${ops} (Ops <ops@bundle.invalid>)`),
      ]);
      const vendor = path.join(FIXTURES, 'keys', 'RPM-GPG-KEY-fixtures');
      const other = await runOn(root, ['bundle', 'verify', '--key', vendor, file]);
      expect([other.status, other.err]).toEqual([1, expect.stringMatching(/none of the keys that may/)]);
      const none = await runOn(root, ['bundle', 'verify', '--key', at('ops.asc'), unsigned.file]);
      expect([none.status, none.err]).toEqual([1, expect.stringMatching(/it is not signed/)]);
      expect((await runOn(root, ['bundle', 'verify', unsigned.file])).status).toBe(0);
    });
    remove();
    unsigned.remove();
  });
  test('a signature over another manifest, and one that is none', async () => {
    const entries = entriesOf(await signed());
    const { archive } = await import('../support/bundle.ts');
    const manifest = {
      name: 'manifest.json',
      bytes: Buffer.concat([entries[0]?.bytes ?? Buffer.alloc(0), Buffer.from('\n')]),
    };
    const other = fileWith(archive([manifest, ...entries.slice(1)]));
    const junk = fileWith(
      archive(entries.map((one) => (one.name.endsWith('.json.asc') ? { ...one, bytes: Buffer.from('junk') } : one))),
    );
    await on(isolatedRoot(), async (root) => {
      for (const file of [other.file, junk.file]) {
        for (const word of ['verify', 'install']) {
          const ran = await runOn(root, ['-y', 'bundle', word, '--key', at('ops.asc'), file]);
          expect([word, ran.status, ran.err]).toEqual([
            word,
            1,
            expect.stringMatching(/signature does not count|its signature is none/),
          ]);
        }
        // Also where the key is only the one the bundle itself names.
        const ran = await runOn(root, ['-y', 'bundle', 'install', file]);
        expect(ran.status).toBe(1);
        expect((await runOn(root, ['list', '--installed'])).out).not.toMatch(/kpatch-patch/);
      }
    });
    other.remove();
    junk.remove();
  });
  test('install asks about the key once; then unsigned and older bundles are refused', async () => {
    const newer = fileWith(await signed());
    const unsigned = fileWith(await madeBundle());
    const older = fileWith(await withRevision(1_700_000_000, (root) => bundleFrom(root, ['--sign', ops], env)));
    await on(isolatedRoot(), async (root) => {
      const asked = await runOn(root, ['bundle', 'install', newer.file], { terminal: 100, typed: ['n'] });
      expect([asked.status, asked.err]).toEqual([
        1,
        expect.stringMatching(/Importing key for bundles[\s\S]*was not accepted/),
      ]);
      const done = await runOn(root, ['bundle', 'install', newer.file], { terminal: 100, typed: ['y', 'y', 'y', 'y'] });
      expect([done.status, done.out]).toEqual([
        0,
        expect.stringMatching(/Installed:\n {2}kpatch-patch-5_14_0-427_13_1-1-2/),
      ]);
      expect((await runOn(root, ['keys', '--metadata', '@bundle'])).out).toContain(ops);
      const again = await runOn(root, ['bundle', 'install', newer.file]);
      expect([again.status, again.err]).toEqual([0, expect.not.stringMatching(/key/i)]);
      const plain = await runOn(root, ['-y', 'bundle', 'install', unsigned.file]);
      expect([plain.status, plain.err]).toEqual([
        1,
        expect.stringMatching(/it is not signed, and a signature is asked for/),
      ]);
      const looked = await runOn(root, ['bundle', 'verify', unsigned.file]);
      expect([looked.status, looked.err]).toEqual([1, expect.stringMatching(/it is not signed/)]);
      expect((await runOn(root, ['bundle', 'verify', newer.file])).out).toMatch(/Signed by {3}: [0-9A-F]{40} \(Ops/);
      const back = await runOn(root, ['-y', 'bundle', 'install', older.file]);
      expect([back.status, back.err]).toEqual([1, expect.stringMatching(/newer was seen before/)]);
      expect((await runOn(root, ['-y', 'bundle', 'install', older.file, '--allow-older-metadata'])).status).toBe(0);
    });
    for (const one of [newer, unsigned, older]) one.remove();
  });
  test('unattended, an unknown key is not accepted', async () => {
    const { file, remove } = fileWith(await signed());
    await on(isolatedRoot(), async (root) => {
      const ran = await runOn(root, ['--unattended', 'bundle', 'install', file]);
      expect([ran.status, ran.err]).toEqual([1, expect.stringMatching(/none of the keys that may/)]);
      expect((await runOn(root, ['list', '--installed'])).out).not.toMatch(/kpatch-patch/);
    });
    remove();
  });
});

describe('installing', () => {
  test('the plan, question, pin and receipt of any installation; no network is asked', async () => {
    const { file, remove } = fileWith(await madeBundle(), 'with $odd, %41 name.tar');
    await on(isolatedRoot(), async (root) => {
      const dry = await runOn(root, ['bundle', 'install', file, '--dry-run', '--json']);
      expect(dry.status).toBe(0);
      expect(JSON.parse(dry.out).actions).toEqual([
        expect.objectContaining({
          do: 'install',
          kernel: K1,
          nevra: 'kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64',
          repo: 'bundle',
        }),
      ]);
      expect(existsSync(root.at('var/lib/kpatch-pm'))).toBe(false);
      const done = await runOn(root, ['-y', 'bundle', 'install', file]);
      expect([done.status, done.err]).toEqual([
        0,
        expect.stringMatching(new RegExp(`Importing key 0x0F6AB0C2B5D41D1B[\\s\\S]*${RELEASE}`)),
      ]);
      expect(existsSync(root.at(`var/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-2.ko`))).toBe(true);
      const receipt = JSON.parse(
        readFileSync(root.at(`var/lib/kpatch-pm/receipts/${K1}/kpatch-patch-5_14_0-427_13_1.json`), 'utf8'),
      );
      expect(receipt).toMatchObject({ repo: 'bundle', signer: { fingerprint: RELEASE } });
      expect(receipt.url).toContain('packages/kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64.rpm');
      expect((await runOn(root, ['keys'])).out).toMatch(/rhel/);
    });
    remove();
  });
  test('a bundle for other kernels installs nothing and says so', async () => {
    const { file, remove } = fileWith(await madeBundle(['--kernel', OTHER]));
    await on(isolatedRoot(), async (root) => {
      const { status, out } = await runOn(root, ['-y', 'bundle', 'install', file]);
      expect([status, out]).toEqual([0, expect.stringMatching(/Nothing to do\./)]);
    });
    remove();
  });
});

needs('dnf', 'tar')('unpacked, it is a repository', () => {
  let directory: string;
  beforeAll(async () => {
    directory = at('unpacked');
    mkdirSync(directory);
    const { file, remove } = fileWith(await madeBundle(['--all-levels']));
    tool('tar', ['-xf', file, '-C', directory]);
    remove();
  });
  test('for dnf: packages and advisories', () => {
    const dnf = (...args: string[]): string =>
      tool('dnf', [
        ...['-q', `--installroot=${at('dnf-root')}`, '--releasever=9', '--forcearch=x86_64', '--disablerepo=*'],
        ...[`--repofrompath=bundle,file://${directory}`, ...args],
      ]).toString('utf8');
    expect(dnf('repoquery', '--provides', 'kpatch-patch-5_14_0-427_13_1-1-2.el9_4')).toContain(`kpatch-patch = ${K1}`);
    expect(dnf('repoquery', '--security', '--available')).toMatch(/kpatch-patch-5_14_0-427_13_1-0:1-2/);
  });
  test('for kpatch-pm', async () => {
    const key = path.join(directory, 'keys', `${RELEASE}.asc`);
    copyFileSync(key, at('key.asc'));
    const repos = `[carried]\nbaseurl=file://${directory}\ngpgkey=file://${at('key.asc')}\n`;
    await on(scratchRoot({ repos, rpmdb: false, kernels: [K1] }), async (root) => {
      const { status, out } = await runOn(root, ['-y', 'auto']);
      expect([status, out]).toEqual([0, expect.stringMatching(/Installed:\n {2}kpatch-patch-5_14_0-427_13_1-1-2/)]);
      expect((await runOn(root, ['updateinfo', 'list', '--all'])).out).toMatch(/kpatch-patch-5_14_0-427_13_1/);
    });
  });
});

/** A repository of one package whose metadata was made at another time, and a root that uses it. */
async function withRevision<T>(revision: number, act: (root: ScratchRoot) => Promise<T>): Promise<T> {
  const directory = at(`revision-${revision}`);
  mkdirSync(path.join(directory, 'Packages'), { recursive: true });
  const file = 'kpatch-patch-5_14_0-427_13_1-1-1.el9_4.x86_64.rpm';
  copyFileSync(path.join(FIXTURES, 'el9', 'Packages', file), path.join(directory, 'Packages', file));
  tool('createrepo_c', [
    '--quiet',
    '--no-database',
    '--revision',
    String(revision),
    '--set-timestamp-to-revision',
    directory,
  ]);
  const repos = `[old]\nbaseurl=file://${directory}\ngpgkey=file://${FIXTURES}/keys/RPM-GPG-KEY-fixtures\n`;
  return on(scratchRoot({ repos, rpmdb: false, kernels: [K1] }), act);
}

async function bundleFrom(root: ScratchRoot, more: readonly string[], env: Record<string, string>): Promise<Buffer> {
  const file = at('from.tar');
  const { status, err } = await runOn(root, [...CREATE, file, '--force', ...more], { env });
  expect([status, err]).toEqual([0, expect.any(String)]);
  return readFileSync(file);
}

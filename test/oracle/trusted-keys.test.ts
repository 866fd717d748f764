// Trusted keys of a root, with a real rpm and its database.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { Root } from '../../src/host/root.ts';
import { type Run, realRun } from '../../src/host/run.ts';
import { importKey, KEY_STORE, removeKey, trustedKeys } from '../../src/state/keys.ts';
import { Gpg } from '../support/gpg.ts';
import { needs } from '../support/programs.ts';

const withoutRpm: Run = { ...realRun, which: (program) => (program === 'rpm' ? null : realRun.which(program)) };

needs('rpm', 'gpg')('trusted keys of a root', () => {
  let gpg: Gpg;
  let dir: string;
  let root: Root;
  const database = (): string => path.join(dir, 'usr/lib/sysimage/rpm');
  const makeDatabase = (): void => {
    mkdirSync(database(), { recursive: true });
    expect(spawnSync('rpm', ['--dbpath', database(), '--initdb']).status).toBe(0);
  };
  const names = async (run = realRun) => {
    const { keys, notices } = await trustedKeys(root, run);
    return {
      keys: keys.map(({ key, homes }) => [key.owner, homes.join('+')]),
      notices: notices.map(({ code }) => code),
    };
  };
  const rpmHas = (): string[] =>
    spawnSync('rpm', ['--dbpath', database(), '-qa', 'gpg-pubkey', '--qf', '%{SUMMARY}\n'])
      .stdout.toString()
      .split('\n')
      .filter(Boolean);

  beforeAll(() => {
    gpg = new Gpg();
    gpg.key('Vendor One', 'rsa2048');
    gpg.key('Vendor Two', 'ed25519');
    gpg.key('Vendor Three', 'nistp256');
  });
  afterAll(() => gpg.close());
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'kpm-keys-'));
    root = new Root(dir);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const key = (name: string) => {
    const [one] = parseKeys(gpg.export(name));
    if (!one) throw new Error(name);
    return one;
  };

  test('nothing there: nothing is trusted, and no rpm database is created', async () => {
    expect(await names()).toEqual({ keys: [], notices: [] });
    expect(readdirSync(dir)).toEqual([]);
  });

  test('what rpm imported is trusted', async () => {
    makeDatabase();
    for (const name of ['Vendor One', 'Vendor Two']) {
      const file = path.join(dir, 'key.asc');
      writeFileSync(file, gpg.export(name));
      expect(spawnSync('rpm', ['--dbpath', database(), '--import', file]).status).toBe(0);
    }
    expect(await names()).toEqual({
      keys: [
        ['Vendor One', 'rpm'],
        ['Vendor Two', 'rpm'],
      ],
      notices: [],
    });
    const { keys } = await trustedKeys(root, realRun);
    expect(keys.map((one) => one.key.bytes)).toEqual([key('Vendor One').bytes, key('Vendor Two').bytes]);
  });

  test('an import goes into the rpm database, where rpm finds it', async () => {
    makeDatabase();
    expect(await importKey(root, realRun, key('Vendor One'))).toEqual({ home: 'rpm', notice: null });
    expect(rpmHas()).toEqual(['Vendor One public key']);
    expect(await names()).toEqual({ keys: [['Vendor One', 'rpm']], notices: [] });
    expect(root.list(KEY_STORE)).toEqual([]);
  });

  test('without an rpm database the key goes into our own store, closed to others', async () => {
    expect(await importKey(root, realRun, key('Vendor Three'))).toEqual({ home: 'store', notice: null });
    expect(await names()).toEqual({ keys: [['Vendor Three', 'store']], notices: [] });
    const file = path.join(dir, KEY_STORE, `${key('Vendor Three').fingerprint}.asc`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    expect(gpg.try(['--show-keys', file]).status).toBe(0);
  });

  test('a database but no rpm: the own store alone counts, and that is said', async () => {
    makeDatabase();
    await importKey(root, realRun, key('Vendor One'));
    expect(await importKey(root, withoutRpm, key('Vendor Two'))).toMatchObject({
      home: 'store',
      notice: { code: 'rpm-missing' },
    });
    expect(await names(withoutRpm)).toEqual({ keys: [['Vendor Two', 'store']], notices: ['rpm-missing'] });
    expect(await names()).toEqual({
      keys: [
        ['Vendor One', 'rpm'],
        ['Vendor Two', 'store'],
      ],
      notices: [],
    });
  });

  test('a key that rpm refuses is kept in our own store, and that is said', async () => {
    makeDatabase();
    const refusing: Run = {
      ...realRun,
      run: (program, args, options) =>
        realRun.run(program, args.includes('--import') ? ['--import', '/dev/null'] : args, options),
    };
    expect(await importKey(root, refusing, key('Vendor Two'))).toMatchObject({
      home: 'store',
      notice: { code: 'rpm-refused-key' },
    });
    expect(await names()).toEqual({ keys: [['Vendor Two', 'store']], notices: [] });
  });

  test('the same key in both places is one, with what the newer form says', async () => {
    makeDatabase();
    await importKey(root, realRun, key('Vendor One'));
    gpg.revoke(gpg.fingerprint('Vendor One'));
    await importKey(root, withoutRpm, key('Vendor One'));
    const { keys } = await trustedKeys(root, realRun);
    expect(keys.map(({ key: one, homes }) => [one.owner, homes, one.revoked?.slice(0, 10)])).toEqual([
      ['Vendor One', ['rpm', 'store'], 'revoked on'],
    ]);
  });

  test('a newer form that rpm ignores is not lost: an extension, then a revocation', async () => {
    makeDatabase();
    const fingerprint = gpg.key('Vendor Four', 'rsa2048', 'sign', '2y');
    await importKey(root, realRun, key('Vendor Four'));
    const [before] = (await trustedKeys(root, realRun)).keys;
    gpg.run(['--quick-set-expire', fingerprint, '9y']);
    await importKey(root, realRun, key('Vendor Four'));
    const [extended] = (await trustedKeys(root, realRun)).keys;
    expect(Number(extended?.key.expires) - Number(before?.key.expires)).toBeGreaterThan(6 * 365 * 86_400_000);
    gpg.revoke(fingerprint);
    await importKey(root, realRun, key('Vendor Four'));
    expect((await trustedKeys(root, realRun)).keys.map((one) => one.key.revoked?.slice(0, 10))).toEqual(['revoked on']);
    // Nothing new in it: what rpm and the store hold stays as it is.
    expect(await importKey(root, realRun, key('Vendor Four'))).toMatchObject({ home: 'store' });
    expect((await trustedKeys(root, realRun)).keys).toHaveLength(1);
  });

  test.each(['rpm', 'store'])('a key removed from the %s stays away until a person wants it again', async (home) => {
    makeDatabase();
    const run = home === 'rpm' ? realRun : withoutRpm;
    await importKey(root, run, key('Vendor Two'));
    const [trusted] = (await trustedKeys(root, realRun)).keys;
    if (!trusted) throw new Error('no key');
    expect(trusted.homes).toEqual([home]);
    await removeKey(root, realRun, trusted, '2026-03-01T10:00:00Z');
    expect(rpmHas()).toEqual([]);
    expect(root.list(KEY_STORE)).toEqual([]);
    expect(await names()).toEqual({ keys: [], notices: [] });
    // Somebody else (dnf -y) puts it back: it is there, and not trusted.
    const file = path.join(dir, 'key.asc');
    writeFileSync(file, gpg.export('Vendor Two'));
    expect(spawnSync('rpm', ['--dbpath', database(), '--import', file]).status).toBe(0);
    expect(await names()).toEqual({ keys: [], notices: ['key-removed'] });
    await importKey(root, realRun, key('Vendor Two'));
    expect((await names()).keys.map(([owner]) => owner)).toEqual(['Vendor Two']);
  });

  test('a file in the store that is no key is named and left out', async () => {
    await importKey(root, realRun, key('Vendor Two'));
    root.write(`${KEY_STORE}/${'A'.repeat(40)}.asc`, 'something else');
    root.write(`${KEY_STORE}/notes.txt`, 'not looked at');
    expect(await names()).toEqual({ keys: [['Vendor Two', 'store']], notices: ['key-unreadable'] });
  });

  test('a database rpm cannot read costs its keys, not the run', async () => {
    mkdirSync(database(), { recursive: true });
    writeFileSync(path.join(database(), 'rpmdb.sqlite'), 'this is no database at all, not even a small one');
    await importKey(root, withoutRpm, key('Vendor Two'));
    expect(await names()).toEqual({ keys: [['Vendor Two', 'store']], notices: ['rpmdb-unreadable'] });
  });
});

describe('published test keys', () => {
  test('are refused on the running system and only there', async () => {
    const [released] = parseKeys(readFileSync('repo-fixtures/keys/release.pub.asc'));
    if (!released) throw new Error('no key');
    await expect(importKey(new Root('/'), withoutRpm, released)).rejects.toMatchObject({ code: 'key-refused' });
    const scratch = mkdtempSync(path.join(tmpdir(), 'kpm-keys-'));
    try {
      expect((await importKey(new Root(scratch), withoutRpm, released)).home).toBe('store');
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

// repo_gpgcheck with real signatures by gpg: who may speak for a repository, and that time does not run backwards.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type PublicKey, parseKeys } from '../../../src/formats/openpgp/index.ts';
import { Root } from '../../../src/host/root.ts';
import { realRun } from '../../../src/host/run.ts';
import type { Net } from '../../../src/net/access.ts';
import { openNet } from '../../../src/net/net.ts';
import type { RepoConfig } from '../../../src/observe/config/types.ts';
import type { RefreshMode } from '../../../src/observe/repo/mode.ts';
import { keyOf, refreshRepositories, type Snapshot } from '../../../src/observe/repo/refresh.ts';
import type { MetadataTrust, OfferedMetadataKey } from '../../../src/observe/repo/signed.ts';
import { type Cache, cleanCache, openCache } from '../../../src/state/cache.ts';
import { type Cdn, startCdn } from '../../support/cdn.ts';
import { Gpg } from '../../support/gpg.ts';
import { needs } from '../../support/programs.ts';
import { configOf, repoConfig } from '../../support/repo-config.ts';
import { livePatch, type MadeRepo, makeRepo, serveRepo } from '../../support/repodata.ts';

const K1 = '5.14.0-427.13.1.el9_4.x86_64';

needs('gpg')('signed metadata', () => {
  let gpg: Gpg;
  let cdn: Cdn;
  let net: Net;
  let dir: string;
  let cache: Cache;
  let n = 0;
  let base: string;
  let good: string;
  let other: string;
  let accepted: OfferedMetadataKey[];

  beforeAll(async () => {
    gpg = new Gpg();
    good = gpg.key('Metadata <m@example.com>', 'ed25519');
    other = gpg.key('Somebody <s@example.com>', 'rsa2048');
    cdn = await startCdn();
    net = openNet({ host: new Root('/'), env: {}, version: '1' });
    for (const key of [good, other]) cdn.put(`/keys/${key}`, gpg.run(['--armor', '--export', key]));
  });
  afterAll(async () => {
    await net.close();
    await cdn.close();
    rmSync(gpg.home, { recursive: true, force: true });
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    if (dir) rmSync(dir, { recursive: true, force: true });
    dir = mkdtempSync(path.join(tmpdir(), 'signed-'));
    cache = openCache({ root: new Root(dir), host: new Root('/'), uid: 0, env: {} });
    base = `/r${++n}`;
    accepted = [];
  });

  const now = new Date();
  const seconds = Math.floor(now.getTime() / 1000);
  /** A repository made `age` seconds ago (below 0: in the future), with so many levels. */
  const made = (age: number, ...levels: string[]): MadeRepo =>
    makeRepo(
      levels.map((level) => livePatch(K1, level)),
      { revision: String(seconds - age), repomd: (text) => text.replaceAll('1700000000', String(seconds - age)) },
    );
  const sign = (bytes: Buffer, key: string, armored = true): Buffer =>
    gpg.run([...(armored ? ['--armor'] : []), '--detach-sign', '--local-user', key, '--output', '-'], bytes);
  function serve(repo: MadeRepo, key: string | null, at = base): void {
    serveRepo(cdn, at, repo);
    if (key) cdn.put(`${at}/repodata/repomd.xml.asc`, sign(repo.repomd, key));
  }
  const keyOfGpg = (fingerprint: string): PublicKey => parseKeys(gpg.run(['--export', fingerprint]))[0] as PublicKey;

  /** Keys that are trusted already; whether an offered one is accepted. */
  function trust(keys: string[] | null, yes = false): MetadataTrust {
    const known = keys?.map(keyOfGpg) ?? null;
    return {
      keys: () => (known === null ? null : [...known, ...accepted.map(({ key }) => key)]),
      async accept(_repo, offered) {
        if (yes) accepted.push(offered);
        return yes;
      },
      policy: null,
    };
  }

  const repo = (more: Partial<RepoConfig> = {}): RepoConfig =>
    repoConfig({ baseurl: [`${cdn.url}${base}`], repoGpgcheck: true, gpgkey: [`${cdn.url}/keys/${good}`], ...more });

  async function refresh(mode: Partial<RefreshMode>, config = repo()): Promise<Snapshot> {
    const all = { refresh: true, cacheOnly: false, now, pipe: realRun.filter, backoff: 1, ...mode };
    const [snapshot] = await refreshRepositories(configOf(config), cache, net, all);
    return snapshot as Snapshot;
  }

  describe('who signed', () => {
    test('a trusted key', async () => {
      serve(made(10, '1-1'), good);
      expect((await refresh({ trust: trust([good]) })).packages).toHaveLength(1);
      expect(cdn.count(`/keys/${good}`)).toBe(0);
    });

    test('a binary signature', async () => {
      const repomd = made(10, '1-1');
      serve(repomd, null);
      cdn.put(`${base}/repodata/repomd.xml.asc`, sign(repomd.repomd, good, false));
      expect((await refresh({ trust: trust([good]) })).state.used).toBe(true);
    });

    test('a key of gpgkey= that is accepted: asked once, with owner and source', async () => {
      serve(made(10, '1-1'), good);
      const trusted = trust([], true);
      await refresh({ trust: trusted });
      await refresh({ trust: trusted });
      expect(accepted.map(({ key, source }) => [key.fingerprint, source])).toEqual([[good, `${cdn.url}/keys/${good}`]]);
    });

    test('a key of gpgkey= that is not accepted', async () => {
      serve(made(10, '1-1'), good);
      await expect(refresh({ trust: trust([]) })).rejects.toMatchObject({
        code: 'repo-key-untrusted',
        message: expect.stringContaining(good),
      });
    });

    test.each<[string, string[] | null, string]>([
      ['a key nobody knows', [], 'no key of its gpgkey= made that'],
      ['keys that may not be read', null, 'only be read by root'],
    ])('%s', async (_what, keys, text) => {
      serve(made(10, '1-1'), other);
      await expect(refresh({ trust: trust(keys, true) })).rejects.toMatchObject({
        code: 'repo-key-untrusted',
        message: expect.stringContaining(text),
      });
    });

    test('no signature at all', async () => {
      serve(made(10, '1-1'), null);
      await expect(refresh({ trust: trust([good]) })).rejects.toMatchObject({ code: 'repo-unsigned' });
      const local = path.join(dir, 'local');
      for (const [name, content] of made(10, '1-1').files) {
        mkdirSync(path.join(local, path.dirname(name)), { recursive: true });
        writeFileSync(path.join(local, name), content);
      }
      await expect(refresh({ trust: trust([good]) }, repo({ baseurl: [`file://${local}`] }))).rejects.toMatchObject({
        code: 'repo-unsigned',
      });
    });

    test('a signature of something else, or nonsense: the mirror is passed over', async () => {
      serve(made(10, '1-1'), good, `${base}/b`);
      const both = repo({ baseurl: [`${cdn.url}${base}/a`, `${cdn.url}${base}/b`] });
      for (const blob of [sign(Buffer.from('other'), good), Buffer.from('nonsense'), Buffer.alloc(0)]) {
        serve(made(10, '1-1'), null, `${base}/a`);
        cdn.put(`${base}/a/repodata/repomd.xml.asc`, blob);
        const snapshot = await refresh({ trust: trust([good]) }, both);
        expect(snapshot.baseurl).toBe(`${cdn.url}${base}/b`);
        const alone = refresh({ trust: trust([good]) }, repo({ baseurl: [`${cdn.url}${base}/a`] }));
        await expect(alone).rejects.toMatchObject({ code: 'repo-signature-bad' });
      }
    });

    test('what was fetched unsigned does not count once repo_gpgcheck is on', async () => {
      serve(made(10, '1-1'), null);
      await refresh({}, repo({ repoGpgcheck: false }));
      await expect(refresh({ refresh: false, trust: trust([good]) })).rejects.toMatchObject({ code: 'repo-unsigned' });
    });

    test('a key that was taken away does not confirm what it signed', async () => {
      serve(made(10, '1-1'), good);
      await refresh({ trust: trust([good]) });
      await expect(refresh({ trust: trust([]) })).rejects.toMatchObject({ code: 'repo-key-untrusted' });
    });
  });

  describe('time', () => {
    test('older than what was seen is refused, also after clean all; --allow-older-metadata takes it', async () => {
      serve(made(10, '1-1', '1-2'), good);
      await refresh({ trust: trust([good]) });
      serve(made(1000, '1-1'), good);
      await expect(refresh({ trust: trust([good]) })).rejects.toMatchObject({ code: 'repo-older' });
      cleanCache(cache, 'all');
      await expect(refresh({ trust: trust([good]) })).rejects.toMatchObject({ code: 'repo-older' });
      expect((await refresh({ trust: trust([good]), allowOlder: true })).packages).toHaveLength(1);
      expect((await refresh({ trust: trust([good]) })).packages).toHaveLength(1);
    });

    test('a stale mirror is passed over', async () => {
      serve(made(10, '1-1', '1-2'), good);
      await refresh({ trust: trust([good]) });
      serve(made(1000, '1-1'), good);
      serve(made(5, '1-1', '1-2', '1-3'), good, `${base}b`);
      const both = repo({ baseurl: [`${cdn.url}${base}`, `${cdn.url}${base}b`] });
      // Another list of places is another cache: the floor moves along here.
      const floor = path.join(dir, 'var/cache/kpatch-pm', keyOf(repo()), 'floor.json');
      new Root(dir).mkdirs(`var/cache/kpatch-pm/${keyOf(both)}`);
      writeFileSync(path.join(dir, 'var/cache/kpatch-pm', keyOf(both), 'floor.json'), readFileSync(floor));
      expect((await refresh({ trust: trust([good]) }, both)).packages).toHaveLength(3);
    });

    test('metadata from the future is taken and does not move the floor', async () => {
      serve(made(-86_400, '1-1'), good);
      await refresh({ trust: trust([good]) });
      serve(made(10, '1-1', '1-2'), good);
      expect((await refresh({ trust: trust([good]) })).packages).toHaveLength(2);
    });

    test('unsigned metadata that goes back is a warning', async () => {
      const unsigned = repo({ repoGpgcheck: false });
      serve(made(10, '1-1', '1-2'), null);
      await refresh({}, unsigned);
      serve(made(1000, '1-1'), null);
      const snapshot = await refresh({}, unsigned);
      expect(snapshot.packages).toHaveLength(1);
      expect(snapshot.notices).toEqual([{ code: 'repo-older', text: expect.stringContaining('older than before') }]);
    });
  });
});

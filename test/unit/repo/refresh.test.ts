// Repositories over a real server and a real cache directory: what is asked for when, and what is kept.
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { realRun } from '../../../src/host/run.ts';
import type { Net } from '../../../src/net/access.ts';
import { openNet } from '../../../src/net/net.ts';
import type { RepoConfig } from '../../../src/observe/config/types.ts';
import type { RefreshMode } from '../../../src/observe/repo/mode.ts';
import { keyOf, refreshRepositories, type Snapshot } from '../../../src/observe/repo/refresh.ts';
import { type Cache, cleanCache, openCache } from '../../../src/state/cache.ts';
import { type Cdn, startCdn } from '../../support/cdn.ts';
import { configOf, repoConfig } from '../../support/repo-config.ts';
import { digestOf, kernelCore, livePatch, makeRepo, serveRepo } from '../../support/repodata.ts';

const K1 = '5.14.0-427.13.1.el9_4.x86_64';
const NOON = new Date('2026-11-21T12:00:00Z');
const hours = (n: number): Date => new Date(NOON.getTime() + n * 3_600_000);

let cdn: Cdn;
let net: Net;
let dir: string;
let cache: Cache;
let at: number;
let base: string;

beforeAll(async () => {
  cdn = await startCdn();
  net = openNet({ host: new Root('/'), env: {}, version: '1' });
  at = 0;
});
afterAll(async () => {
  await net.close();
  await cdn.close();
});
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'cache-'));
  const root = new Root(dir);
  cache = openCache({ root, host: new Root('/'), uid: 0, env: {} });
  // A path of its own for every test: counts and faults do not mix.
  base = `/repo${++at}`;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const first = makeRepo([livePatch(K1, '1-1'), kernelCore(K1)]);
const second = makeRepo([livePatch(K1, '1-1'), livePatch(K1, '1-2'), kernelCore(K1)], { revision: '1700000001' });

const here = (more: Partial<RepoConfig> = {}): RepoConfig => repoConfig({ baseurl: [`${cdn.url}${base}`], ...more });

async function refresh(repos: RepoConfig | RepoConfig[], mode: Partial<RefreshMode> = {}): Promise<Snapshot[]> {
  const pipe = realRun.filter;
  const list = Array.isArray(repos) ? repos : [repos];
  return refreshRepositories(configOf(...list), cache, net, {
    refresh: false,
    cacheOnly: false,
    now: NOON,
    pipe,
    backoff: 1,
    ...mode,
  });
}

const levels = ([snapshot]: Snapshot[]): string[] =>
  snapshot?.packages.map(({ version, release }) => `${version}-${release}`) ?? [];
/** Requests for repomd.xml and for package lists so far. */
const asked = (): [number, number] => [
  cdn.count(`${base}/repodata/repomd.xml`),
  cdn.seen.filter((one) => one.path.startsWith(base) && one.path.includes('-primary.xml')).length,
];
const filesOf = (repo: RepoConfig): string => path.join(dir, 'var/cache/kpatch-pm', keyOf(repo));

describe('what is asked for', () => {
  test('everything the first time, nothing while it is fresh', async () => {
    serveRepo(cdn, base, first);
    const [snapshot] = await refresh(here());
    expect(snapshot?.state).toEqual({
      id: 'test',
      name: 'Test repository',
      priority: 99,
      cost: 1000,
      used: true,
      fetched: NOON.toISOString(),
      ageSeconds: 0,
      stale: false,
      problem: null,
    });
    expect(snapshot?.packages[0]).toMatchObject({ repo: 'test', version: '1', release: '1.el9', excludedBy: null });
    expect(snapshot?.kernels).toMatchObject([{ repo: 'test', uname: K1 }]);
    expect(asked()).toEqual([1, 1]);
    expect((await refresh(here(), { now: hours(47) }))[0]?.state).toMatchObject({
      ageSeconds: 47 * 3600,
      stale: false,
    });
    expect(asked()).toEqual([1, 1]);
  });

  test('when expired: whether repomd.xml changed, and nothing more if not', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    const [snapshot] = await refresh(here(), { now: hours(49) });
    expect(asked()).toEqual([2, 1]);
    expect(cdn.seen.at(-1)?.status).toBe(304);
    expect(snapshot?.state.fetched).toBe(hours(49).toISOString());
    await refresh(here(), { now: hours(50) });
    expect(asked()).toEqual([2, 1]);
  });

  test('a server without validators sends it again; the package list is not', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    cdn.fault(`${base}/repodata/repomd.xml`, { kind: 'status', status: 200, body: first.repomd.toString() });
    await refresh(here(), { refresh: true });
    await refresh(here(), { refresh: true });
    expect(asked()).toEqual([3, 1]);
    expect(cdn.seen.at(-1)?.status).toBe(200);
  });

  test('the new package list when there is one', async () => {
    serveRepo(cdn, base, first);
    expect(levels(await refresh(here()))).toEqual(['1-1.el9']);
    serveRepo(cdn, base, second);
    expect(levels(await refresh(here()))).toEqual(['1-1.el9']);
    expect(levels(await refresh(here(), { refresh: true }))).toEqual(['1-1.el9', '1-2.el9']);
    expect(asked()).toEqual([2, 2]);
    expect(readFileSync(path.join(filesOf(here()), 'repomd.xml')).equals(second.repomd)).toBe(true);
  });

  test('another revision of the same list: repomd.xml alone', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    cdn.put(`${base}/repodata/repomd.xml`, first.repomd.toString().replace('1700000000', '1700000009'));
    await refresh(here(), { refresh: true });
    expect(asked()).toEqual([2, 1]);
  });

  test.each<[string, Partial<RepoConfig>, Date, number]>([
    ['metadata_expire=never', { metadataExpire: Number.POSITIVE_INFINITY }, hours(100_000), 1],
    ['metadata_expire=0', { metadataExpire: 0 }, NOON, 2],
    ['metadata_expire=3600, after', { metadataExpire: 3600 }, hours(1), 2],
    ['metadata_expire=3600, before', { metadataExpire: 3601 }, hours(1), 1],
    ['a configuration file changed since', { configChanged: NOON.getTime() + 1 }, hours(1), 2],
    ['a configuration file changed before', { configChanged: NOON.getTime() - 1 }, hours(1), 1],
    ['the clock was put back', {}, hours(-1), 2],
  ])('%s', async (_what, options, now, requests) => {
    serveRepo(cdn, base, first);
    await refresh(here(options));
    await refresh(here(options), { now });
    expect(asked()[0]).toBe(requests);
  });
});

describe('the cache', () => {
  test('-C never asks, whatever the age', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    const [snapshot] = await refresh(here(), { cacheOnly: true, now: hours(1000) });
    expect(snapshot?.state).toMatchObject({ used: true, stale: true, ageSeconds: 3_600_000 });
    expect(asked()).toEqual([1, 1]);
  });

  test('-C without anything is an error, or a problem for those who only look', async () => {
    await expect(refresh(here(), { cacheOnly: true })).rejects.toMatchObject({ code: 'cache-missing' });
    const [snapshot] = await refresh(here(), { cacheOnly: true, tolerant: true });
    expect(snapshot?.state).toMatchObject({ used: false, problem: { code: 'cache-missing' } });
    expect(asked()).toEqual([0, 0]);
  });

  test.each(['index.json', 'state.json', 'repomd.xml'])('%s lost: the next run makes it again', async (name) => {
    serveRepo(cdn, base, first);
    await refresh(here());
    rmSync(path.join(filesOf(here()), name));
    expect(levels(await refresh(here()))).toEqual(['1-1.el9']);
    expect(levels(await refresh(here(), { cacheOnly: true }))).toEqual(['1-1.el9']);
  });

  test('any byte of the index changed: noticed, made again; an error under -C', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    const file = path.join(filesOf(here()), 'index.json');
    const good = readFileSync(file);
    for (const position of [0, 5, 40, 90, 100, Math.floor(good.length / 2), good.length - 1]) {
      const bad = Buffer.from(good);
      bad[position] = (bad[position] as number) ^ 1;
      writeFileSync(file, bad);
      await expect(refresh(here(), { cacheOnly: true })).rejects.toMatchObject({ code: 'cache-missing' });
      expect(levels(await refresh(here()))).toEqual(['1-1.el9']);
      expect(readFileSync(file).equals(good)).toBe(true);
    }
  });

  test('an index that was copied is as good; one written to in place, with its old times, is looked at again', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    const file = path.join(filesOf(here()), 'index.json');
    copyFileSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
    expect(levels(await refresh(here(), { cacheOnly: true }))).toEqual(['1-1.el9']);
    await refresh(here(), { refresh: true });
    const { atime, mtime, ctimeMs } = statSync(file);
    writeFileSync(file, readFileSync(file, 'utf8').replace('1-1.el9', '1-2.el9'));
    // The clock of a file system goes in ticks of some milliseconds: written within the same one it would look unchanged.
    do utimesSync(file, atime, mtime);
    while (statSync(file).ctimeMs === ctimeMs);
    await expect(refresh(here(), { cacheOnly: true })).rejects.toMatchObject({ code: 'cache-missing' });
  });

  test('an index of another format is made again', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    const file = path.join(filesOf(here()), 'index.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"format":\d+/, '"format":99'));
    await refresh(here());
    expect(asked()).toEqual([2, 2]);
  });

  test('a state.json of another repomd.xml (a crash between two writes) does not count', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    const file = path.join(filesOf(here()), 'state.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"repomd":"../, '"repomd":"zz'));
    await refresh(here());
    expect(asked()).toEqual([2, 1]);
  });

  test('no credentials are kept, and a changed password finds the same cache', async () => {
    serveRepo(cdn, base, first);
    const url = `${cdn.url.replace('://', '://user:topsecret@')}${base}?token=topsecret`;
    await refresh(here({ baseurl: [url], username: 'me', password: 'topsecret' }));
    const folder = path.join(dir, 'var/cache/kpatch-pm');
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      expect(name).not.toContain('topsecret');
      const file = path.join(folder, name);
      if (name.endsWith('.json') || name.endsWith('.xml'))
        expect(readFileSync(file, 'utf8')).not.toContain('topsecret');
    }
    await refresh(here({ baseurl: [url.replace('user:topsecret', 'user:other')] }));
    expect(asked()).toEqual([1, 1]);
  });

  test('a repository of the same id elsewhere has its own', async () => {
    serveRepo(cdn, base, first);
    serveRepo(cdn, `${base}b`, second);
    await refresh(here());
    expect(levels(await refresh(here({ baseurl: [`${cdn.url}${base}b`] })))).toEqual(['1-1.el9', '1-2.el9']);
    expect(levels(await refresh(here()))).toEqual(['1-1.el9']);
  });

  test('clean expire-cache asks again, clean all fetches again', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    expect(cleanCache(cache, 'expire-cache')).toBe(1);
    await refresh(here());
    expect(asked()).toEqual([2, 1]);
    expect(cleanCache(cache, 'all')).toBe(3);
    expect(readdirSync(path.join(dir, 'var/cache/kpatch-pm'))).toEqual([]);
    await refresh(here());
    expect(asked()).toEqual([3, 2]);
  });

  test('where nothing can be kept the run goes on', async () => {
    serveRepo(cdn, base, first);
    writeFileSync(path.join(dir, 'var'), 'a file in the way');
    expect(levels(await refresh(here()))).toEqual(['1-1.el9']);
  });
});

describe('trouble', () => {
  test('a dead repository ends the run, after the others were cached', async () => {
    serveRepo(cdn, base, first);
    const dead = here({ id: 'dead', baseurl: [`${cdn.url}/nowhere`] });
    await expect(refresh([dead, here()])).rejects.toMatchObject({
      code: 'http-status',
      message: expect.stringContaining('repository dead'),
      subject: `${cdn.url}/nowhere/repodata/repomd.xml`,
    });
    expect(levels(await refresh(here(), { cacheOnly: true }))).toEqual(['1-1.el9']);
  });

  test('skip_if_unavailable goes on without it, and says so', async () => {
    serveRepo(cdn, base, first);
    const dead = here({ id: 'dead', baseurl: [`${cdn.url}/nowhere`], skipIfUnavailable: true });
    const [gone, there] = await refresh([dead, here()]);
    expect(gone?.state).toMatchObject({ used: false, problem: { code: 'http-status' } });
    expect(there?.state.used).toBe(true);
  });

  test('the repository is named, also where its id stands in the sentence as something else', async () => {
    const ssl = { ...repoConfig({}).ssl, caCert: '/nowhere/pki.pem' };
    const found = await refresh(here({ id: 'pki', baseurl: ['https://127.0.0.1:1/'], ssl, skipIfUnavailable: true }));
    const text = found[0]?.state.problem?.text;
    expect(text).toContain('/nowhere/pki.pem');
    expect(text).toMatch(/repository pki\b/i);
  });

  test('who only looks gets the old answer with its age', async () => {
    serveRepo(cdn, base, first);
    await refresh(here());
    cdn.fault(`${base}/repodata/repomd.xml`, { kind: 'status', status: 503 });
    const [snapshot] = await refresh(here(), { refresh: true, tolerant: true, now: hours(60) });
    expect(snapshot?.state).toMatchObject({ used: true, stale: true, problem: { code: 'http-status' } });
    expect(snapshot?.packages.length).toBe(1);
    await expect(refresh(here(), { refresh: true })).rejects.toMatchObject({ code: 'http-status' });
  });

  test('a repository that is replaced while it is read is read anew', async () => {
    serveRepo(cdn, base, second);
    // The first answer is the old repomd.xml, whose list is gone already.
    cdn.fault(`${base}/repodata/repomd.xml`, { kind: 'content', body: first.repomd }, { kind: 'ok' });
    expect(levels(await refresh(here()))).toEqual(['1-1.el9', '1-2.el9']);
    expect(asked()).toEqual([2, 2]);
  });

  test('a damaged list is not fetched twice', async () => {
    serveRepo(cdn, base, first);
    const list = [...first.files.keys()].find((name) => name.includes('primary')) as string;
    cdn.fault(`${base}/${list}`, { kind: 'content', body: first.packed.subarray(1) });
    await expect(refresh(here())).rejects.toMatchObject({ code: 'metadata-mismatch' });
    expect(asked()).toEqual([2, 1]);
  });

  test('a repository that must not be used is named by file', async () => {
    const problem = { code: 'config-option', text: 'sslverifystatus is not supported.' };
    await expect(refresh(here({ problem, skipIfUnavailable: true }))).rejects.toMatchObject({
      code: 'repo-misconfigured',
      subject: '/etc/yum.repos.d/test.repo:1',
    });
    const [snapshot] = await refresh(here({ problem }), { tolerant: true });
    expect(snapshot?.state.problem?.code).toBe('repo-misconfigured');
  });

  test('503, then well', async () => {
    serveRepo(cdn, base, first);
    cdn.fault(`${base}/repodata/repomd.xml`, { kind: 'status', status: 503 }, { kind: 'dead' }, { kind: 'ok' });
    expect(levels(await refresh(here()))).toEqual(['1-1.el9']);
    expect(asked()[0]).toBe(3);
  });

  test('404 is not asked twice; retries are counted', async () => {
    await expect(refresh(here())).rejects.toMatchObject({ code: 'http-status' });
    expect(asked()[0]).toBe(1);
    cdn.fault(`${base}/repodata/repomd.xml`, { kind: 'status', status: 500 });
    await expect(refresh(here({ retries: 3 }))).rejects.toMatchObject({ code: 'http-status' });
    expect(asked()[0]).toBe(4);
  });

  test.each([
    ['sha1', 'checksum-refused', '"sha256 or better"'],
    ['md5', 'checksum-refused', '"md5"'],
    ['sha', 'checksum-refused', '"sha"'],
  ])('a %s checksum', async (type, code, text) => {
    serveRepo(
      cdn,
      base,
      makeRepo([], { repomd: (xml) => xml.replaceAll('checksum type="sha256"', `checksum type="${type}"`) }),
    );
    await expect(refresh(here())).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  });

  test.each([
    ['leaves the repository', '../../etc/passwd'],
    ['is absolute', '/etc/passwd'],
    ['is a URL', 'http://elsewhere/p.xml'],
  ])('a location that %s', async (_what, href) => {
    serveRepo(cdn, base, makeRepo([], { repomd: (xml) => xml.replace(/href="[^"]*"/, `href="${href}"`) }));
    await expect(refresh(here())).rejects.toMatchObject({ code: 'href-refused' });
  });

  test('zchunk under another name', async () => {
    const zck = Buffer.concat([Buffer.from('\0ZCK1', 'latin1'), Buffer.alloc(100)]);
    serveRepo(cdn, base, makeRepo([], { compress: () => zck, extension: '.xml' }));
    await expect(refresh(here())).rejects.toMatchObject({ code: 'metadata-unsupported' });
  });

  test('a compression nobody knows is no XML', async () => {
    serveRepo(cdn, base, makeRepo([], { compress: (open) => brotliCompressSync(open), extension: '.br' }));
    await expect(refresh(here())).rejects.toMatchObject({ code: 'metadata-mismatch' });
  });

  test('a list longer than repomd.xml declares, packed or open', async () => {
    serveRepo(cdn, base, makeRepo([], { repomd: (xml) => xml.replace(/<size>\d+</, '<size>100<') }));
    await expect(refresh(here())).rejects.toMatchObject({ code: 'metadata-mismatch' });
    serveRepo(cdn, `${base}b`, makeRepo([], { repomd: (xml) => xml.replace(/<open-size>\d+</, '<open-size>100<') }));
    await expect(refresh(here({ baseurl: [`${cdn.url}${base}b`] }))).rejects.toMatchObject({
      code: 'metadata-mismatch',
    });
  });

  test('sizes and open-checksum may be missing', async () => {
    const bare = makeRepo([livePatch(K1, '1-1')], {
      repomd: (xml) => xml.replace(/<(open-size|size|open-checksum)\b.*\n/g, ''),
    });
    serveRepo(cdn, base, bare);
    expect(levels(await refresh(here()))).toEqual(['1-1.el9']);
  });
});

describe('advisories', () => {
  const update =
    '<update type="security"><id>A-1</id><pkglist><collection><package name="kernel" version="1" release="1" arch="x86_64"/></collection></pkglist></update>';
  const xml = (inside: string) => `<?xml version="1.0"?>\n<updates>${inside}</updates>`;
  const withUpdates = (inside: string, revision = '1700000000') => {
    const bytes = Buffer.from(xml(inside));
    const href = `repodata/${digestOf(bytes)}-updateinfo.xml`;
    const record = `<data type="updateinfo"><checksum type="sha256">${digestOf(bytes)}</checksum><location href="${href}"/><size>${bytes.length}</size></data></repomd>`;
    const repo = makeRepo([livePatch(K1, '1-1')], { revision, repomd: (text) => text.replace('</repomd>', record) });
    return { ...repo, href, files: new Map([...repo.files, [href, bytes]]) };
  };
  const states = ([snapshot]: Snapshot[]) => [
    snapshot?.advisories.map(({ id, repo, signer }) => `${id} ${repo} ${signer}`),
    snapshot?.advisoryState?.state,
    snapshot?.advisoryState?.problem?.code,
  ];

  test('are asked for once, and only when wanted', async () => {
    const repo = withUpdates(update);
    serveRepo(cdn, base, repo);
    expect(states(await refresh(here()))).toEqual([[], undefined, undefined]);
    expect(cdn.count(`${base}/${repo.href}`)).toBe(0);
    const wanted = { advisories: true };
    expect(states(await refresh(here(), wanted))).toEqual([['A-1 test null'], 'read', undefined]);
    expect(states(await refresh(here(), wanted))).toEqual([['A-1 test null'], 'read', undefined]);
    expect(states(await refresh(here(), { ...wanted, cacheOnly: true }))).toEqual([
      ['A-1 test null'],
      'read',
      undefined,
    ]);
    expect(cdn.count(`${base}/${repo.href}`)).toBe(1);
  });

  test('are fetched again when the file changes, though the package list does not', async () => {
    serveRepo(cdn, base, withUpdates(update));
    await refresh(here(), { advisories: true });
    serveRepo(cdn, base, withUpdates(update.replace('A-1', 'A-2'), '1700000001'));
    expect(states(await refresh(here(), { advisories: true, refresh: true }))[0]).toEqual(['A-2 test null']);
    expect(asked()).toEqual([2, 1]);
  });

  test('a repository that publishes none says so', async () => {
    serveRepo(cdn, base, first);
    expect(states(await refresh(here(), { advisories: true }))).toEqual([[], 'none', undefined]);
  });

  test('never fetched, and no network: not known', async () => {
    serveRepo(cdn, base, withUpdates(update));
    await refresh(here());
    expect(states(await refresh(here(), { advisories: true, cacheOnly: true }))).toEqual([
      [],
      'unread',
      'cache-missing',
    ]);
  });

  test.each<[string, (repo: ReturnType<typeof withUpdates>) => void, string]>([
    [
      'damaged',
      (repo) => cdn.fault(`${base}/${repo.href}`, { kind: 'content', body: xml('<x/>') }),
      'metadata-mismatch',
    ],
    ['gone', (repo) => cdn.fault(`${base}/${repo.href}`, { kind: 'status', status: 404 }), 'repo-unavailable'],
  ])('a file that is %s costs the advisories, never the packages', async (_what, harm, code) => {
    const repo = withUpdates(update);
    serveRepo(cdn, base, repo);
    harm(repo);
    const snapshots = await refresh(here(), { advisories: true });
    expect(snapshots[0]?.packages.length).toBe(1);
    const [list, state, problem] = states(snapshots);
    expect([list, state]).toEqual([[], 'unread']);
    expect([code, 'http-status', 'network-failed', 'metadata-mismatch', 'repo-unavailable']).toContain(problem);
  });

  test('a damaged index in the cache is made again', async () => {
    const repo = withUpdates(update);
    serveRepo(cdn, base, repo);
    await refresh(here(), { advisories: true });
    const file = path.join(filesOf(here()), 'advisories.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('A-1', 'A-9'));
    expect(states(await refresh(here(), { advisories: true }))[0]).toEqual(['A-1 test null']);
    expect(cdn.count(`${base}/${repo.href}`)).toBe(2);
  });
});

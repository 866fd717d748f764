// Several places for one repository: lists, metalinks, failover, and mirrors that lie.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { realRun } from '../../../src/host/run.ts';
import type { Net } from '../../../src/net/access.ts';
import { openNet } from '../../../src/net/net.ts';
import type { RepoConfig } from '../../../src/observe/config/types.ts';
import { parseMetalink, parseMirrorlist } from '../../../src/observe/repo/mirrors.ts';
import type { RefreshMode } from '../../../src/observe/repo/mode.ts';
import { refreshRepositories, type Snapshot } from '../../../src/observe/repo/refresh.ts';
import { type XmlReader, xmlReader } from '../../../src/observe/repo/xml.ts';
import { type Cache, openCache } from '../../../src/state/cache.ts';
import { type Cdn, deadPort, type Fault, startCdn } from '../../support/cdn.ts';
import { configOf, repoConfig } from '../../support/repo-config.ts';
import { digestOf, livePatch, makeRepo, serveRepo } from '../../support/repodata.ts';

const K1 = '5.14.0-427.13.1.el9_4.x86_64';
const good = makeRepo([livePatch(K1, '1-1'), livePatch(K1, '1-2')], { revision: '1700000002' });
const stale = makeRepo([livePatch(K1, '1-1')], { revision: '1700000001' });

let cdn: Cdn;
let net: Net;
let xml: XmlReader;
let cache: Cache;
let dir: string;
let n = 0;

beforeAll(async () => {
  cdn = await startCdn();
  net = openNet({ host: new Root('/'), env: {}, version: '1' });
  xml = await xmlReader();
  dir = mkdtempSync(path.join(tmpdir(), 'mirrors-'));
});
afterAll(async () => {
  await net.close();
  await cdn.close();
  rmSync(dir, { recursive: true });
});
beforeEach(() => {
  n++;
  cache = openCache({ root: new Root(dir), host: new Root('/'), uid: 0, env: {} });
});

/** A mirror below a path of this test. */
const mirror = (name: string): string => `/${n}/${name}`;
const url = (name: string): string => `${cdn.url}${mirror(name)}/`;
const repomdOf = (name: string): string => `${mirror(name)}/repodata/repomd.xml`;
const asked = (name: string): number => cdn.seen.filter((one) => one.path.startsWith(`${mirror(name)}/`)).length;

async function refresh(options: Partial<RepoConfig>, mode: Partial<RefreshMode> = {}): Promise<Snapshot> {
  const repo = repoConfig({ id: `r${n}`, timeout: 20, ...options });
  const [snapshot] = await refreshRepositories(configOf(repo), cache, net, {
    refresh: false,
    cacheOnly: false,
    now: new Date('2026-11-21T12:00:00Z'),
    pipe: realRun.filter,
    backoff: 1,
    ...mode,
  });
  return snapshot as Snapshot;
}

interface LinkShape {
  readonly alternates?: readonly Buffer[];
  readonly hash?: string;
}

function metalink(repomd: Buffer, urls: readonly [string, number][], shape: LinkShape = {}): string {
  const verification = (bytes: Buffer): string => {
    const type = shape.hash ?? 'sha256';
    return `<size>${bytes.length}</size><verification><hash type="md5">${digestOf(bytes, 'md5')}</hash><hash type="${type}">${digestOf(bytes, type)}</hash></verification>`;
  };
  const older = (shape.alternates ?? []).map((one) => `<mm0:alternate>${verification(one)}</mm0:alternate>`).join('');
  const list = urls.map(
    ([place, preference]) => `<url protocol="http" preference="${preference}">${place}repodata/repomd.xml</url>`,
  );
  return `<?xml version="1.0"?><metalink xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager"><files>
<file name="repomd.xml"><mm0:timestamp>1700000002</mm0:timestamp>${verification(repomd)}<mm0:alternates>${older}</mm0:alternates>
<resources maxconnections="1">${list.join('')}</resources></file></files></metalink>`;
}

describe('reading lists', () => {
  test('a mirror list: comments, rubbish and other kinds are passed over, variables put in', () => {
    const text = `# comment\n\nhttp://a/$releasever/$basearch/\nftp://b/\n rubbish\r\nhttps://c/$\{basearch}/\r\n$unknown\n`;
    expect(parseMirrorlist(text, { releasever: '9', basearch: 'x86_64' })).toEqual([
      'http://a/9/x86_64/',
      'https://c/x86_64/',
    ]);
  });

  test('a metalink: best first, the strongest hash, older ones as alternates', () => {
    const text = metalink(
      good.repomd,
      [
        ['http://low/', 1],
        ['rsync://no/', 100],
        ['https://high/', 99],
        ['http://mid/', 50],
      ],
      {
        alternates: [stale.repomd],
      },
    );
    expect(parseMetalink(text, 'x', xml, {})).toEqual({
      urls: ['https://high/', 'http://mid/', 'http://low/'],
      promised: [
        { checksum: { type: 'sha256', value: digestOf(good.repomd) }, size: good.repomd.length },
        { checksum: { type: 'sha256', value: digestOf(stale.repomd) }, size: stale.repomd.length },
      ],
    });
  });

  test.each([
    ['sha1 only', metalink(good.repomd, [['http://a/', 1]], { hash: 'sha1' }), 'checksum-refused'],
    ['another file', '<metalink><files><file name="other"/></files></metalink>', 'metalink-malformed'],
    ['no metalink', '<html/>', 'metalink-malformed'],
    ['cut off', metalink(good.repomd, []).slice(0, -20), 'metalink-malformed'],
  ])('%s is refused', (_what, text, code) => {
    expect(() => parseMetalink(text, 'metalink of x', xml, {})).toThrow(expect.objectContaining({ code }));
  });
});

describe('failover', () => {
  const wrong = (body: Buffer | string): Fault => ({ kind: 'content', body });
  test.each<[string, Fault, number]>([
    ['dead', { kind: 'dead' }, 1],
    ['silent', { kind: 'hang' }, 1],
    ['without the file', { kind: 'status', status: 404 }, 1],
    ['forbidden', { kind: 'status', status: 403 }, 1],
    ['in trouble', { kind: 'status', status: 503 }, 1],
    ['cutting', { kind: 'cut', at: 100 }, 1],
    ['truncating', { kind: 'unannounced', at: 100 }, 1],
    ['slow', { kind: 'slow', bytes: 1, every: 10 }, 1],
    ['with a login page', wrong('<html>log in</html>'), 1],
    ['too long', wrong(Buffer.alloc(2_000_000, ' ')), 1],
    ['in a circle', { kind: 'status', status: 302, headers: { location: 'repomd.xml' } }, 7],
  ])('past a mirror that is %s', async (_what, fault, requests) => {
    serveRepo(cdn, mirror('a'), good);
    serveRepo(cdn, mirror('b'), good);
    cdn.fault(repomdOf('a'), fault);
    // What the silent one is given; the good one has to answer within it however busy the machine is.
    const snapshot = await refresh({ baseurl: [url('a'), url('b')], minrate: 1000, timeout: 3 });
    expect(snapshot.packages).toHaveLength(2);
    expect(snapshot.baseurl).toBe(url('b'));
    // A mirror that goes in circles may still be asked when the other has answered; where it never is, the test's time runs out.
    while (asked('a') < requests) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test('past a host that does not listen, and one that has no name', async () => {
    serveRepo(cdn, mirror('b'), good);
    const dead = `http://127.0.0.1:${await deadPort()}/`;
    const snapshot = await refresh({ baseurl: [dead, 'http://no-such-host.invalid/', url('b')] });
    expect(snapshot.packages).toHaveLength(2);
  });

  test('a mirror whose list is damaged is not asked again in the run', async () => {
    for (const name of ['a', 'b']) serveRepo(cdn, mirror(name), good);
    const list = [...good.files.keys()].find((name) => name.includes('primary')) as string;
    const flipped = Buffer.from(good.packed);
    flipped[20] = (flipped[20] as number) ^ 1;
    cdn.fault(`${mirror('a')}/${list}`, wrong(flipped));
    const snapshot = await refresh({ baseurl: [url('a'), url('b')] });
    expect(snapshot.packages).toHaveLength(2);
    expect([...(snapshot.source?.bad.keys() ?? [])]).toEqual([url('a')]);
  });

  test('all dead: how many were tried, and what the last said', async () => {
    await expect(refresh({ baseurl: [url('a'), url('b'), url('c')] })).rejects.toMatchObject({
      code: 'repo-unavailable',
      message: expect.stringMatching(/none of its 3 mirrors .* status 404/),
    });
    for (const name of ['a', 'b', 'c']) expect(asked(name)).toBe(1);
  });
});

describe('mirror lists', () => {
  test('are fetched and used after baseurl', async () => {
    serveRepo(cdn, mirror('b'), good);
    cdn.put(mirror('list'), `# list\n${url('a')}\n${url('b')}\n`);
    const snapshot = await refresh({ mirrorlist: `${cdn.url}${mirror('list')}` });
    expect(snapshot.packages).toHaveLength(2);
    expect(snapshot.baseurl).toBe(url('b'));
  });

  test('without a usable line are an error', async () => {
    cdn.put(mirror('list'), '# nothing\nftp://a/\n');
    await expect(refresh({ mirrorlist: `${cdn.url}${mirror('list')}` })).rejects.toMatchObject({
      code: 'metalink-malformed',
    });
  });

  test('that cannot be had are an error, unless baseurl names a place too', async () => {
    serveRepo(cdn, mirror('b'), good);
    const list = { mirrorlist: `${cdn.url}${mirror('list')}` };
    await expect(refresh(list)).rejects.toMatchObject({ code: 'http-status' });
    expect((await refresh({ ...list, baseurl: [url('b')] })).packages).toHaveLength(2);
  });

  test('user and password go to the hosts of the configuration only', async () => {
    const away = await startCdn();
    for (const [name, content] of good.files) away.put(`/m/${name}`, content);
    cdn.put(mirror('list'), `${away.url}/m/\n`);
    await refresh({ mirrorlist: `${cdn.url}${mirror('list')}`, username: 'user', password: 'secret' });
    expect(cdn.seen.find((one) => one.path === mirror('list'))?.headers.authorization).toBeDefined();
    expect(away.seen).toHaveLength(2);
    for (const one of away.seen) expect(one.headers.authorization).toBeUndefined();
    await away.close();
  });
});

describe('metalinks', () => {
  const link = (text: string): Partial<RepoConfig> => {
    cdn.put(mirror('link'), text);
    return { metalink: `${cdn.url}${mirror('link')}` };
  };

  test('a stale or lying mirror is passed over', async () => {
    serveRepo(cdn, mirror('a'), stale);
    serveRepo(cdn, mirror('b'), good);
    const snapshot = await refresh(
      link(
        metalink(good.repomd, [
          [url('a'), 100],
          [url('b'), 1],
        ]),
      ),
    );
    expect(snapshot.packages).toHaveLength(2);
    expect(snapshot.source?.bad.get(url('a'))).toContain('not the one that the metalink promises');
  });

  test('an older one that is still allowed is taken', async () => {
    serveRepo(cdn, mirror('a'), stale);
    const text = metalink(good.repomd, [[url('a'), 100]], { alternates: [stale.repomd] });
    expect((await refresh(link(text))).packages).toHaveLength(1);
  });

  test('an unchanged one costs one request: the metalink itself', async () => {
    serveRepo(cdn, mirror('a'), good);
    const options = link(metalink(good.repomd, [[url('a'), 100]]));
    await refresh(options);
    const before = asked('a');
    await refresh(options, { refresh: true });
    expect(asked('a')).toBe(before);
  });

  test('given as mirrorlist, as dnf takes it', async () => {
    serveRepo(cdn, mirror('b'), good);
    cdn.put(`${mirror('')}metalink`, metalink(good.repomd, [[url('b'), 1]]));
    expect((await refresh({ mirrorlist: `${cdn.url}${mirror('')}metalink` })).packages).toHaveLength(2);
  });
});

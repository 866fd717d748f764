// Fetching packages: from the cache, from mirrors, resumed, and never anything but what the metadata promises.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { dropFetched, type Fetched, fetchPackage } from '../../../src/apply/fetch.ts';
import type { OfferedPackage } from '../../../src/domain/package.ts';
import { Root } from '../../../src/host/root.ts';
import { type Net, PLAIN_ACCESS } from '../../../src/net/access.ts';
import { openNet } from '../../../src/net/net.ts';
import type { RepoSource } from '../../../src/net/source.ts';
import { type Cache, openCache } from '../../../src/state/cache.ts';
import { type Cdn, startCdn } from '../../support/cdn.ts';
import { digestOf } from '../../support/repodata.ts';

// Every kilobyte is different: a piece at the wrong place is noticed.
const content = Buffer.concat(Array.from({ length: 400 }, (_, n) => Buffer.alloc(1024, `${n} `)));
const HREF = 'Packages/kpatch-patch-5_14_0-1-1-1.el9.x86_64.rpm';

const pkg: OfferedPackage = {
  name: 'kpatch-patch-5_14_0-1',
  epoch: 0,
  version: '1',
  release: '1.el9',
  arch: 'x86_64',
  repo: 'test',
  href: HREF,
  base: null,
  size: content.length,
  installedSize: null,
  buildTime: null,
  checksum: { type: 'sha256', value: digestOf(content) },
  summary: '',
  provides: [],
  requires: [],
  conflicts: [],
  obsoletes: [],
  files: [],
  excludedBy: null,
};

let cdn: Cdn;
let net: Net;
let dir: string;
let cache: Cache;
let source: RepoSource;
let n = 0;
let at: (name: string) => string;

beforeAll(async () => {
  cdn = await startCdn();
  net = openNet({ host: new Root('/'), env: {}, version: '1' });
});
afterAll(async () => {
  await net.close();
  await cdn.close();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  if (dir) rmSync(dir, { recursive: true, force: true });
  dir = mkdtempSync(path.join(tmpdir(), 'fetch-'));
  cache = openCache({ root: new Root(dir), host: new Root('/'), uid: 0, env: {} });
  n++;
  at = (name) => `/${n}/${name}/${HREF}`;
  for (const name of ['a', 'b']) cdn.put(at(name), content);
  source = sourceOf('a');
});

function sourceOf(...names: string[]): RepoSource {
  return {
    id: 'test',
    access: { ...PLAIN_ACCESS, proxy: { ...PLAIN_ACCESS.proxy, use: 'none' }, timeout: 2, retries: 6 },
    mirrors: async () => names.map((name) => `${cdn.url}/${n}/${name}`),
    configured: new Set([cdn.url]),
    headers: async () => ({}),
    bad: new Map(),
    backoff: 1,
  };
}

const origin = () => ({ source, baseurl: `${cdn.url}/${n}/a`, cacheKey: 'test-1' });
const fetch = (more: Partial<OfferedPackage> = {}): Promise<Fetched> =>
  fetchPackage(net, cache, origin(), { ...pkg, ...more });
const folder = (): string => path.join(dir, 'var/cache/kpatch-pm/test-1/packages');
const kept = (): string[] => (existsSync(folder()) ? readdirSync(folder()) : []);
const ranges = (name: string): (string | undefined)[] =>
  cdn.seen.filter((one) => one.path === at(name)).map((one) => one.headers.range);

describe('what goes right', () => {
  test('once over the network, then from the cache: the address stays known', async () => {
    const first = await fetch();
    expect(first.bytes.equals(content)).toBe(true);
    expect(first.url).toBe(`${cdn.url}${at('a')}`);
    const second = await fetch();
    expect(second.bytes.equals(content)).toBe(true);
    expect(second.url).toBe(first.url);
    expect(cdn.count(at('a'))).toBe(1);
    expect(kept()).toHaveLength(1);
    dropFetched(cache, origin(), pkg);
    expect(kept()).toEqual([]);
  });

  test('progress adds up to the size', async () => {
    let sum = 0;
    let done = 0;
    const labels: unknown[] = [];
    const progress = (label: string, total: number | null) => {
      labels.push(label, total);
      return { advance: (bytes: number) => (sum += bytes), done: () => done++ };
    };
    await fetchPackage(net, cache, origin(), pkg, progress as never);
    expect([labels, sum, done]).toEqual([['kpatch-patch-5_14_0-1-1-1.el9.x86_64', content.length], content.length, 1]);
  });

  test.each(['sha384', 'sha512'] as const)('%s', async (type) => {
    const checksum = { type, value: digestOf(content, type) };
    expect((await fetch({ checksum })).bytes.equals(content)).toBe(true);
  });

  test('without a place for a cache', async () => {
    cache = { own: null, shared: null };
    expect((await fetch()).bytes.equals(content)).toBe(true);
  });

  test('an odd name stays inside the directory', async () => {
    await fetch({ name: '../../../evil', version: 'a/b' });
    expect(kept()).toHaveLength(1);
    expect(kept()[0]).not.toContain('/');
  });

  test('a changed file in the cache is fetched again', async () => {
    await fetch();
    const file = path.join(folder(), kept()[0] as string);
    const bad = readFileSync(file);
    bad[1000] = (bad[1000] as number) ^ 1;
    writeFileSync(file, bad);
    expect((await fetch()).url).not.toBeNull();
    expect(readFileSync(file).equals(content)).toBe(true);
  });
});

describe('resuming', () => {
  test('a cut transfer goes on where it stopped', async () => {
    cdn.fault(at('a'), { kind: 'cut', at: 100_000 }, { kind: 'cut', at: 50_000 }, { kind: 'ok' });
    expect((await fetch()).bytes.equals(content)).toBe(true);
    const [first, ...rest] = ranges('a');
    expect(first).toBeUndefined();
    expect(rest).toHaveLength(2);
    for (const range of rest) expect(range).toMatch(/^bytes=\d+-$/);
  });

  test('the next run goes on where an earlier one stopped', async () => {
    cdn.fault(at('a'), { kind: 'cut', at: 100_000 });
    source = { ...source, access: { ...source.access, retries: 1 } };
    await expect(fetch()).rejects.toMatchObject({ code: 'net-cut' });
    expect(kept()).toEqual([expect.stringMatching(/\.rpm\.part$/)]);
    cdn.fault(at('a'), { kind: 'ok' });
    expect((await fetch()).bytes.equals(content)).toBe(true);
    expect(ranges('a').at(-1)).toMatch(/^bytes=\d+-$/);
    expect(kept()).toEqual([expect.stringMatching(/\.rpm$/)]);
  });

  test('another mirror goes on too', async () => {
    cdn.fault(at('a'), { kind: 'cut', at: 100_000 });
    source = sourceOf('a', 'b');
    expect((await fetch()).bytes.equals(content)).toBe(true);
    expect(ranges('b')).toEqual([expect.stringMatching(/^bytes=\d+-$/)]);
  });

  test('a server that knows no ranges sends it all', async () => {
    cdn.fault(at('a'), { kind: 'cut', at: 100_000 }, { kind: 'no-range' });
    expect((await fetch()).bytes.equals(content)).toBe(true);
  });

  test('a part that does not belong here is thrown away, and nobody blamed', async () => {
    cdn.fault(at('a'), { kind: 'cut', at: 100_000 });
    source = { ...source, access: { ...source.access, retries: 1 } };
    await expect(fetch()).rejects.toMatchObject({ code: 'net-cut' });
    const file = path.join(folder(), kept()[0] as string);
    writeFileSync(file, Buffer.alloc(5000, 'z'));
    cdn.fault(at('a'), { kind: 'ok' });
    source = sourceOf('a');
    expect((await fetch()).bytes.equals(content)).toBe(true);
    expect(ranges('a').slice(-2)).toEqual(['bytes=5000-', undefined]);
    expect(source.bad.size).toBe(0);
  });

  test('a part that is as long as the package, or longer, is not trusted', async () => {
    await fetch();
    const whole = path.join(folder(), kept()[0] as string);
    rmSync(whole);
    writeFileSync(`${whole}.part`, Buffer.alloc(content.length, 'z'));
    expect((await fetch()).bytes.equals(content)).toBe(true);
  });
});

describe('what is refused', () => {
  const flipped = Buffer.from(content);
  flipped[77_777] = (flipped[77_777] as number) ^ 4;

  test.each([
    ['a flipped byte', flipped],
    ['a shorter file', content.subarray(0, 1000)],
    ['an error page', Buffer.from('<html>not here</html>')],
  ])('%s', async (_what, body) => {
    cdn.fault(at('a'), { kind: 'content', body });
    await expect(fetch()).rejects.toMatchObject({ code: 'package-mismatch', subject: `${cdn.url}${at('a')}` });
    expect(cdn.count(at('a'))).toBe(1);
    expect(kept()).toEqual([]);
  });

  test('a longer file', async () => {
    cdn.fault(at('a'), { kind: 'content', body: Buffer.concat([content, content]) });
    await expect(fetch()).rejects.toMatchObject({ code: 'package-mismatch' });
  });

  test('a lying mirror is passed over and remembered', async () => {
    cdn.fault(at('a'), { kind: 'content', body: flipped });
    source = sourceOf('a', 'b');
    expect((await fetch()).bytes.equals(content)).toBe(true);
    expect([...source.bad.keys()]).toEqual([`${cdn.url}/${n}/a`]);
    dropFetched(cache, origin(), pkg);
    await fetch();
    expect(cdn.count(at('a'))).toBe(1);
  });

  test('one that is announced too large, before anything is asked for', async () => {
    await expect(fetch({ size: 257 * 1024 * 1024 })).rejects.toMatchObject({ code: 'too-large' });
    expect(ranges('a')).toEqual([]);
  });

  test('a package without a strong checksum', async () => {
    await expect(fetch({ checksum: null })).rejects.toMatchObject({ code: 'checksum-refused' });
    expect(cdn.count(at('a'))).toBe(0);
  });

  test.each(['../other.rpm', '/etc/passwd', 'http://elsewhere/x.rpm'])('the location %s', async (href) => {
    await expect(fetch({ href })).rejects.toMatchObject({ code: 'href-refused' });
  });

  test('a base of its own that is a file', async () => {
    await expect(fetch({ base: 'file:///etc/' })).rejects.toMatchObject({ code: 'href-refused' });
  });
});

test('a base of its own is used, without credentials', async () => {
  const away = await startCdn();
  away.put(`/elsewhere/${HREF}`, content);
  source = { ...source, access: { ...source.access, username: 'u', password: 'p' } };
  expect((await fetch({ base: `${away.url}/elsewhere` })).bytes.equals(content)).toBe(true);
  expect(away.seen[0]?.headers.authorization).toBeUndefined();
  await away.close();
});

test('a server that cannot be reached at all is asked three times, however often may be tried', async () => {
  const gone = await startCdn();
  await gone.close();
  let asked = 0;
  const headers = async () => {
    asked++;
    return {};
  };
  source = { ...source, mirrors: async () => [`${gone.url}/x`], access: { ...source.access, retries: 10 }, headers };
  await expect(fetch()).rejects.toMatchObject({ code: 'net-unreachable' });
  expect(asked).toBe(3);
});

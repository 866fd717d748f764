// Where the cache lies, and whose it is.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { cacheKey, openCache, readCached, writeCached } from '../../../src/state/cache.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'cache-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const host = new Root('/');
const shownOf = (place: { root: Root; base: string } | null): string | null => place?.root.show(place.base) ?? null;

describe('the place', () => {
  test.each<[string, number, string, Record<string, string>, string | null, string | null]>([
    ['root', 0, '/', {}, '/var/cache/kpatch-pm', null],
    ['a user', 1000, '/', { HOME: '/home/u' }, '/home/u/.cache/kpatch-pm', '/var/cache/kpatch-pm'],
    [
      'a user with XDG',
      1000,
      '/',
      { HOME: '/home/u', XDG_CACHE_HOME: '/x/c' },
      '/x/c/kpatch-pm',
      '/var/cache/kpatch-pm',
    ],
    [
      'a relative XDG does not count',
      1000,
      '/',
      { HOME: '/home/u', XDG_CACHE_HOME: 'c' },
      '/home/u/.cache/kpatch-pm',
      '/var/cache/kpatch-pm',
    ],
    ['a user without a home', 1000, '/', {}, null, '/var/cache/kpatch-pm'],
  ])('%s', (_who, uid, root, env, own, shared) => {
    const cache = openCache({ root: new Root(root), host, uid, env });
    expect([shownOf(cache.own), shownOf(cache.shared)]).toEqual([own, shared]);
  });

  test('below an installroot it is the root that counts, whoever runs; never the home', () => {
    const cache = openCache({ root: new Root(dir), host, uid: 1000, env: { HOME: '/home/u' } });
    expect([shownOf(cache.own), cache.shared]).toEqual([`${new Root(dir).path}/var/cache/kpatch-pm`, null]);
  });

  test('cachedir= moves it, below the root or on the host', () => {
    const around = { root: new Root(dir), host, uid: 0, env: {} };
    const below = openCache(around, { cachedir: '/srv/c/kpatch-pm', cachedirOnHost: false });
    expect(shownOf(below.own)).toBe(`${new Root(dir).path}/srv/c/kpatch-pm`);
    expect(shownOf(openCache(around, { cachedir: '/srv/c/kpatch-pm', cachedirOnHost: true }).own)).toBe(
      '/srv/c/kpatch-pm',
    );
  });
});

test('the name of a repository is readable, safe as a directory, and never the same for two', () => {
  expect(cacheKey('base-os.9', ['http://a/'])).toMatch(/^base-os\.9-[0-9a-f]{16}$/);
  expect(cacheKey('../../x', ['http://a/'])).toMatch(/^\.\._\.\._x-[0-9a-f]{16}$/);
  expect(cacheKey('a', ['http://a/'])).not.toBe(cacheKey('a', ['http://b/']));
  expect(cacheKey('a/b', [])).not.toBe(cacheKey('a_b', []));
});

describe('reading and writing', () => {
  const own = () => openCache({ root: new Root(dir), host, uid: 0, env: {} });

  test('what was written is read; what is missing or too long is not', () => {
    expect(writeCached(own(), 'r/f', 'text')).toBeNull();
    expect(readCached(own().own, 'r/f', 100)?.toString()).toBe('text');
    expect(readCached(own().own, 'r/f', 3)).toBeNull();
    expect(readCached(own().own, 'r/none', 100)).toBeNull();
    expect(readCached(null, 'r/f', 100)).toBeNull();
  });

  test('where it cannot be written the reason is given, not raised', () => {
    writeFileSync(path.join(dir, 'var'), 'in the way');
    expect(writeCached(own(), 'r/f', 'text')?.code).toMatch(/^file-/);
    expect(writeCached({ own: null, shared: null }, 'r/f', 'text')).toBeNull();
  });

  test('a directory in place of a file counts as absent', () => {
    mkdirSync(path.join(dir, 'var/cache/kpatch-pm/r/f'), { recursive: true });
    expect(readCached(own().own, 'r/f', 100)).toBeNull();
  });
});

import { describe, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { below, checkHref, otherBase, readUrl, shown } from '../../../src/net/url.ts';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof KpmError ? error.code : String(error);
  }
  return 'none';
};

describe('locations inside a repository', () => {
  test.each([
    'repodata/primary.xml.gz',
    'Packages/k/kpatch-patch-5_14_0-1-1-1.el9.x86_64.rpm',
    './a.rpm',
    'a..b/c.rpm',
    'Packages/a%2Bb.rpm',
    'a^b~c+d.rpm',
  ])('%s is taken', (href) => {
    expect(codeOf(() => checkHref(href, 'x'))).toBe('none');
  });

  test.each([
    '',
    '/etc/passwd',
    '../other/a.rpm',
    'a/../../b.rpm',
    'a/..',
    '%2e%2e/a.rpm',
    'a/%2E%2e/b',
    '..%2fa.rpm',
    'http://example.com/a.rpm',
    'file:///etc/passwd',
    '//example.com/a.rpm',
    'javascript:alert(1)',
    'a\\..\\b',
    'a\nb',
    'a\u0000b',
    '%5c..%5ca',
  ])('%j is refused', (href) => {
    expect(codeOf(() => checkHref(href, 'x'))).toBe('href-refused');
  });

  test.each([
    ['http://h/repo', 'a/b.rpm', 'http://h/repo/a/b.rpm'],
    ['http://h/repo/', 'a/b.rpm', 'http://h/repo/a/b.rpm'],
    ['http://h/repo?token=1', 'a.rpm', 'http://h/repo/a.rpm?token=1'],
    ['http://h', 'a.rpm', 'http://h/a.rpm'],
    ['file:///mnt/dvd', 'a b.rpm', 'file:///mnt/dvd/a%20b.rpm'],
    ['https://h/r', 'a?b#c.rpm', 'https://h/r/a%3Fb%23c.rpm'],
    ['https://h/r', 'a%2Bb.rpm', 'https://h/r/a%2Bb.rpm'],
  ])('%s + %s', (base, href, url) => {
    expect(below(base, href, 'x')).toBe(url);
  });
});

describe('what is shown of a URL', () => {
  test.each([
    ['http://user:secret@h/repo', 'http://h/repo'],
    ['https://h/repo?token=secret', 'https://h/repo?...'],
    ['https://user@h/repo#x', 'https://h/repo'],
    ['socks5://user:secret@h:1', 'socks5://h:1'],
    ['ht tp://user:secret@h/', 'ht tp://h/'],
  ])('%s', (url, text) => {
    expect(shown(url)).toBe(text);
    expect(shown(url)).not.toContain('secret');
  });

  test('kinds that are not spoken are refused by name', () => {
    expect(() => readUrl('ftp://h/repo', 'repository x')).toThrow('repository x: ftp://h/repo is of a kind (ftp)');
    expect(codeOf(() => readUrl('no url', 'x'))).toBe('url-refused');
  });
});

describe('a base of its own (xml:base)', () => {
  test.each([
    ['https://other/', 'https://h/', true],
    ['http://other/', 'https://h/', false],
    ['https://other/', 'http://h/', true],
    ['file:///etc/', 'http://h/', false],
    ['file:///mnt/2/', 'file:///mnt/1/', true],
    ['media://1#2', 'http://h/', false],
    ['nonsense', 'http://h/', false],
  ])('%s from %s', (base, repository, taken) => {
    expect(codeOf(() => otherBase(base, repository, 'x'))).toBe(taken ? 'none' : 'href-refused');
  });
});

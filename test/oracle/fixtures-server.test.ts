// The fixture server answers as a plain web server does, and the scratch root is what it says.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { FIXTURES, repoText, scratchRoot } from '../support/fixtures.ts';
import { serverForAll } from '../support/hooks.ts';

const server = serverForAll();

const repomd = readFileSync(path.join(FIXTURES, 'el9/repodata/repomd.xml'), 'utf8');

test('a file, its length and its validators', async () => {
  const answer = await fetch(`${server.url}/el9/repodata/repomd.xml`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-length')).toBe(String(repomd.length));
  expect(await answer.text()).toBe(repomd);
  expect(server.requests).toContain('GET /el9/repodata/repomd.xml');
  const etag = answer.headers.get('etag') ?? '';
  const again = await fetch(`${server.url}/el9/repodata/repomd.xml`, { headers: { 'if-none-match': etag } });
  expect(again.status).toBe(304);
  const modified = answer.headers.get('last-modified') ?? '';
  const since = { headers: { 'if-modified-since': modified } };
  expect((await fetch(`${server.url}/el9/repodata/repomd.xml`, since)).status).toBe(304);
});

test.each([
  ['bytes=0-9', 206, repomd.slice(0, 10)],
  [`bytes=${repomd.length - 5}-`, 206, repomd.slice(-5)],
  ['bytes=10-999999999', 206, repomd.slice(10)],
  ['bytes=999999999-', 416, ''],
])('range %s', async (range, status, text) => {
  const answer = await fetch(`${server.url}/el9/repodata/repomd.xml`, { headers: { range } });
  expect(answer.status).toBe(status);
  expect(await answer.text()).toBe(text);
});

test.each(['/no-such-file', '/el9', '/%2e%2e/keys/release.secret.asc', '/..%2f..%2fpackage.json', '/%ff'])(
  'nothing at %s',
  async (name) => {
    expect((await fetch(`${server.url}${name}`)).status).toBe(404);
  },
);

test('a scratch root is changed as told', () => {
  const kernels = ['5.14.0-362.8.1.el9_3.x86_64'];
  const root = scratchRoot({
    url: server.url,
    kernels,
    repos: repoText('el8'),
    kpatchConf: null,
    files: { 'etc/x/y': 'z' },
  });
  try {
    expect(readFileSync(root.at('etc/dnf/vars/fixture_url'), 'utf8')).toBe(`${server.url}\n`);
    expect(readFileSync(root.at('etc/yum.repos.d/fixtures.repo'), 'utf8')).toContain('baseurl=$fixture_url/el8/');
    expect(readFileSync(root.at('etc/x/y'), 'utf8')).toBe('z');
    expect(existsSync(root.at('etc/dnf/plugins/kpatch.conf'))).toBe(false);
    expect(existsSync(root.at('var/lib/rpm'))).toBe(false);
    expect(existsSync(root.at(`lib/modules/${kernels[0]}/vmlinuz`))).toBe(true);
    expect(existsSync(root.at('var/lib/kpatch'))).toBe(true);
  } finally {
    root.remove();
  }
  expect(existsSync(root.path)).toBe(false);
});

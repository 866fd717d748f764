import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { type OpenOptions, PLAIN_ACCESS } from '../../../src/net/access.ts';
import { openNet, readAll } from '../../../src/net/net.ts';

let dir: string;
const net = openNet({ host: new Root('/'), env: {}, version: '1' });
const options: OpenOptions = { access: PLAIN_ACCESS, maxBytes: 2_000_000, what: 'the file' };

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'files-'));
  writeFileSync(path.join(dir, 'a b.txt'), 'x'.repeat(1_000_000));
  symlinkSync('a b.txt', path.join(dir, 'link'));
});
afterAll(() => rmSync(dir, { recursive: true }));

test('a file, its name percent-encoded, and from a place inside', async () => {
  const whole = await net.open(`file://${dir}/a%20b.txt`, options);
  expect([whole.size, (await readAll(whole.body)).length]).toEqual([1_000_000, 1_000_000]);
  const rest = await net.open(`file://${dir}/link`, { ...options, from: 999_990 });
  expect([rest.status, (await readAll(rest.body)).toString()]).toEqual([206, 'xxxxxxxxxx']);
});

test.each([
  ['none', 'net-unreachable'],
  ['a b.txt/none', 'net-unreachable'],
  ['.', 'net-unreachable'],
])('%s is %s', async (name, code) => {
  await expect(net.open(`file://${dir}/${name}`, options)).rejects.toMatchObject({ code });
});

test('more than allowed', async () => {
  await expect(net.open(`file://${dir}/link`, { ...options, maxBytes: 10 })).rejects.toMatchObject({
    code: 'too-large',
  });
});

test('a file URL with a host is no file here', async () => {
  await expect(net.open('file://elsewhere/etc/passwd', options)).rejects.toMatchObject({ code: 'net-unreachable' });
});

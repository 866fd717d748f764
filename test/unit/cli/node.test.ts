// Which node runs us: the lowest version, and whose OpenSSL it brings.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { main } from '../../../src/cli/main.ts';
import { LEAST_NODE, tooOldNode } from '../../../src/cli/node-version.ts';
import { NODE_RANGE } from '../../../src/usecases/doctor/surroundings.ts';
import { surroundings } from '../../support/surroundings.ts';
import { top } from '../../support/top.ts';

test('the lowest version is told alike in all three places', () => {
  const { engines } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8'));
  expect([NODE_RANGE, engines.node]).toEqual([`>=${LEAST_NODE}`, `>=${LEAST_NODE}`]);
  expect(readFileSync(path.join(top, 'packaging/rpm/kpatch-pm.spec'), 'utf8')).toContain(
    `(nodejs(engine) >= ${LEAST_NODE} or nodejs >= 2:${LEAST_NODE})`,
  );
});

test.each([
  ['10.24.1', true],
  ['16.20.2', true],
  ['20.18.3', true],
  ['20.19.0', false],
  ['20.20.2', false],
  ['22.0.0', false],
  ['100.0.0', false],
])('node %s is too old: %s', (version, old) => {
  expect(tooOldNode(version) !== null).toBe(old);
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-node-'));
  mkdirSync(path.join(dir, 'proc/sys/crypto'), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

async function status(fips: string, ownOpenssl: boolean, ...words: string[]) {
  writeFileSync(path.join(dir, 'proc/sys/crypto/fips_enabled'), fips);
  const around = { ...surroundings({ hostPath: dir }), ownOpenssl };
  const exit = await main(words, around);
  return { exit, out: around.stdout.text, err: around.stderr.text };
}

test.each([
  ['1\n', true, true],
  ['1\n', false, false],
  ['0\n', true, false],
])('fips_enabled %j, OpenSSL of its own %s: refused %s', async (fips, own, refused) => {
  const { exit, err } = await status(fips, own, 'status');
  expect([exit, err.includes('FIPS mode')]).toEqual([refused ? 1 : 0, refused]);
});

test('a refusal for programs, and the verbs that verify nothing', async () => {
  const { exit, out } = await status('1\n', true, 'verify', '--json');
  expect([exit, JSON.parse(out).error.code]).toEqual([3, 'fips-own-openssl']);
  expect((await status('1\n', true, 'completion', 'bash')).exit).toBe(0);
  expect((await status('1\n', true, '--version')).exit).toBe(0);
});

// The environment of the caller must not weaken the program: contract section 7. Real processes, real variables.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { AT_START, cleaned, LATER, removeUnsafe, unsafeAtStart } from '../../../src/cli/environment.ts';
import { top } from '../../support/top.ts';

test('only what is set counts', () => {
  expect(unsafeAtStart({ PATH: '/bin', NODE_OPTIONS: '', https_proxy: 'x' })).toEqual([]);
  expect(unsafeAtStart({ NODE_OPTIONS: '--require /tmp/x', NODE_COMPILE_CACHE: '/tmp' })).toEqual([
    'NODE_OPTIONS',
    'NODE_COMPILE_CACHE',
  ]);
});

test('what dnf users rely on stays', () => {
  const env = { https_proxy: 'http://p', no_proxy: 'x', LANG: 'C', TERM: 'xterm', COLUMNS: '80', NO_COLOR: '1' };
  const dangerous = Object.fromEntries([...AT_START, ...LATER].map((name) => [name, '1']));
  expect(cleaned({ ...env, ...dangerous, GONE: undefined })).toEqual(env);
  const live: Record<string, string | undefined> = { ...env, ...dangerous };
  removeUnsafe(live);
  expect(live).toEqual(env);
});

describe('the first line of the program', () => {
  const first = readFileSync(path.join(top, 'src', 'bin.ts'), 'utf8').split('\n')[0] as string;

  test('fits into what an older kernel reads', () => {
    expect(first.length).toBeLessThan(127);
  });

  test('starts node without the variables it names', () => {
    const [program = '', , ...words] = first.slice(2).split(' ');
    const named = words.filter((word) => /^[A-Z_]+$/.test(word));
    expect(named).toEqual(expect.arrayContaining(['NODE_OPTIONS', 'NODE_COMPILE_CACHE', 'NODE_EXTRA_CA_CERTS']));
    const show = `console.log(JSON.stringify(Object.keys(process.env)))`;
    const env = { PATH: process.env.PATH, HOME: '/', ...Object.fromEntries(named.map((name) => [name, ''])) };
    const told = spawnSync(program, [...words, '-e', show], { env, encoding: 'utf8' });
    expect(JSON.parse(told.stdout)).toEqual(['PATH', 'HOME'].filter((name) => env[name as 'PATH'] !== undefined));
  });
});

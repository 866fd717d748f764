// The launcher under bash, which is the /bin/sh of el8 and later: it takes functions from the environment unless told not to.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { kpatchCommand, launcher } from '../../../packaging/rpm/launcher.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-launcher-'));
  writeFileSync(path.join(dir, 'node'), '#!/bin/bash -p\necho "node $@"\n', { mode: 0o755 });
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Runs a script that was made for /bin/sh with bash in its place. */
function withBash(text: string, first = '#!/bin/bash -p') {
  const file = path.join(dir, 'launcher');
  writeFileSync(file, text.replace(/^#!.*/, first), { mode: 0o755 });
  const evil = Object.fromEntries(
    ['unset', 'exec', '[', 'echo'].map((name) => [`BASH_FUNC_${name}%%`, '() { printf evil; }']),
  );
  return spawnSync(file, ['status'], {
    encoding: 'utf8',
    env: { ...evil, PATH: '/usr/bin:/bin', SHELLOPTS: 'xtrace' },
  });
}

test('functions and options of the environment are not taken', () => {
  const text = launcher([path.join(dir, 'node')], 'none');
  expect(text.split('\n')[0]).toBe('#!/bin/sh -p');
  expect(withBash(text)).toMatchObject({
    status: 0,
    stdout: 'node /usr/lib/kpatch-pm/kpatch-pm.cjs status\n',
    stderr: '',
  });
  // Without -p they would be: what is asked above is not empty.
  expect(withBash(text, '#!/bin/bash').stdout).toContain('evil');
});

test('the command of the utility is protected in the same way', () => {
  expect(kpatchCommand().split('\n')[0]).toBe('#!/bin/sh -p');
});

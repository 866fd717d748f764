// V8's compiled code is code: read from where another user can write, it would run as root. The program keeps none, and
// never the one node would keep in the directory for temporary files.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { scratchRoot } from '../support/fixtures.ts';
import { top } from '../support/top.ts';

let built: string;
let temporary: string;

beforeAll(() => {
  built = mkdtempSync(path.join(os.tmpdir(), 'kpm-compiled-'));
  temporary = mkdtempSync(path.join(os.tmpdir(), 'kpm-temporary-'));
  const build = spawnSync(process.execPath, [path.join(top, 'packaging', 'build.mjs'), path.join(built, 'dist')], {
    encoding: 'utf8',
  });
  if (build.status !== 0) throw new Error(build.stderr);
});

afterAll(() => {
  for (const directory of [built, temporary]) rmSync(directory, { recursive: true, force: true });
});

/** Runs it with the temporary directory moved to one of ours. */
function run(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = { PATH: '/usr/bin:/bin', HOME: temporary, TMPDIR: temporary, ...more };
  return spawnSync(process.execPath, [path.join(built, 'dist', 'kpatch-pm.mjs'), ...args], { env, encoding: 'utf8' });
}

describe('the compile cache', () => {
  test('the directory for temporary files stays empty', () => {
    const root = scratchRoot();
    try {
      expect(run(['--version']).status).toBe(0);
      expect(run(['--installroot', root.path, 'status']).status).toBe(0);
      expect(run(['--installroot', root.path, 'manual', '-y']).status).toBe(0);
    } finally {
      root.remove();
    }
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('nothing in the program switches it on', () => {
    const files = readdirSync(path.join(built, 'dist'), { recursive: true, encoding: 'utf8' });
    const scripts = files.filter((name) => name.endsWith('.mjs'));
    expect(scripts).toContain('kpatch-pm.mjs');
    const using = scripts.filter((name) =>
      /enableCompileCache/.test(readFileSync(path.join(built, 'dist', name), 'utf8')),
    );
    expect(using).toEqual([]);
  });

  test('the packaged file is started without the variable that names one', () => {
    const [first] = readFileSync(path.join(built, 'dist', 'kpatch-pm.mjs'), 'utf8').split('\n', 1);
    expect(first).toContain(' -u NODE_COMPILE_CACHE ');
  });
});

// V8's compiled code is code: read from where another user can write, it would run as root. The program reads it from beside
// its own files only, writes none itself, and never has node keep any in the directory for temporary files.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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
  return spawnSync(process.execPath, [path.join(built, 'dist', 'kpatch-pm.cjs'), ...args], { env, encoding: 'utf8' });
}

const compile = () =>
  spawnSync(process.execPath, [path.join(built, 'dist', 'compile.cjs')], {
    env: { PATH: '/usr/bin:/bin', HOME: temporary, TMPDIR: temporary },
    encoding: 'utf8',
  });

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
    const scripts = files.filter((name) => name.endsWith('.cjs'));
    expect(scripts).toContain('kpatch-pm.cjs');
    const using = scripts.filter((name) =>
      /enableCompileCache/.test(readFileSync(path.join(built, 'dist', name), 'utf8')),
    );
    expect(using).toEqual([]);
  });

  test('the packaged file is started without the variable that names one', () => {
    const [first] = readFileSync(path.join(built, 'dist', 'kpatch-pm.cjs'), 'utf8').split('\n', 1);
    expect(first).toContain(' -u NODE_COMPILE_CACHE ');
  });

  test('the program writes none of its own', () => {
    expect(readdirSync(path.join(built, 'dist', 'chunks'))).not.toContain('compiled');
  });

  test('whoever installs it has it made: beside the program, writable for nobody else, nothing left elsewhere', () => {
    const root = scratchRoot();
    try {
      const without = run(['--installroot', root.path, 'status']).stdout;
      expect(compile()).toMatchObject({ status: 0, stdout: '', stderr: '' });
      const place = path.join(built, 'dist', 'chunks', 'compiled');
      const made = readdirSync(place);
      expect(made).toEqual(expect.arrayContaining(['at-once.cjs', 'program.cjs', 'second.cjs']));
      for (const name of ['.', ...made]) expect(statSync(path.join(place, name)).mode & 0o022).toBe(0);
      expect(readdirSync(temporary)).toEqual([]);
      expect(run(['--installroot', root.path, 'status'])).toMatchObject({ status: 0, stdout: without, stderr: '' });
      // A second time: in place of the first.
      expect(compile().status).toBe(0);
      expect(readdirSync(path.join(built, 'dist', 'chunks')).filter((name) => name.startsWith('compiled'))).toEqual([
        'compiled',
      ]);
      for (const name of made) appendFileSync(path.join(place, name), 'damaged');
      expect(run(['--installroot', root.path, 'status'])).toMatchObject({ status: 0, stdout: without, stderr: '' });
    } finally {
      root.remove();
    }
  });
});

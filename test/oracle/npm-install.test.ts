// `npm install -g` of what `npm pack` makes: the program works from there, and doctor says what npm does not place.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { top } from '../support/top.ts';

const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string };

describe('npm install -g', () => {
  let scratch = '';
  const npm = (...args: string[]): string =>
    execFileSync('npm', [...args, '--silent', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: scratch,
      encoding: 'utf8',
    });
  const run = (args: string[], env: Record<string, string> = {}) =>
    spawnSync(path.join(scratch, 'prefix/bin/kpatch-pm'), args, {
      encoding: 'utf8',
      env: { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, ...env },
    });
  beforeAll(() => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-npm-'));
    mkdirSync(path.join(scratch, 'root'));
    execFileSync(process.execPath, ['packaging/build.mjs'], { cwd: top, stdio: 'ignore' });
    npm('pack', top, '--pack-destination', scratch);
    const [tarball] = readdirSync(scratch).filter((name) => name.endsWith('.tgz'));
    npm('install', '--global', '--prefer-offline', '--prefix', path.join(scratch, 'prefix'), `./${tarball}`);
  });
  afterAll(() => rmSync(scratch, { recursive: true }));

  test('works, whatever node would take from the environment', () => {
    expect(run(['--version'], { NODE_OPTIONS: '--require=/nonexistent.js' })).toMatchObject({
      status: 0,
      stdout: `kpatch-pm ${version}\n`,
      stderr: '',
    });
    const status = run(['--installroot', path.join(scratch, 'root'), 'status']);
    expect([status.status, status.stdout.split('\n')[0]]).toEqual([0, 'Kpatch update setting: manual']);
  });

  test('doctor names what only the RPM places', () => {
    const { stdout } = run(['--installroot', path.join(scratch, 'root'), 'doctor', '--json']);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string; text: string }[] };
    const hooks = findings.filter(({ check }) => check === 'hooks');
    expect(hooks.map(({ state, text }) => [state, /\/usr\/bin\/kpatch-pm|kernel-install/.exec(text)?.[0]])).toEqual([
      ['warning', '/usr/bin/kpatch-pm'],
      ['warning', 'kernel-install'],
    ]);
  });

  test('the units, hooks and man pages to place by hand are in it', () => {
    const place = path.join(scratch, 'prefix/lib/node_modules/kpatch-pm');
    const files = readdirSync(place, { recursive: true, encoding: 'utf8' });
    expect(files).toEqual(
      expect.arrayContaining([
        'packaging/systemd/kpatch-pm-boot.service',
        'packaging/kernel-install/95-kpatch-pm.install',
        'packaging/dnf/dnf4/kpatch-pm.action',
        'docs/man/kpatch-pm.8',
        'docs/install.md',
        'LICENSE',
      ]),
    );
  });
});

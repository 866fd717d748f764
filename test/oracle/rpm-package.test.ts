// Our own RPM, by real rpmbuild and rpm: what it declares, what it places, that it works from there, that it leaves nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundledPackages } from '../../packaging/rpm/bundled.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';
import { treeOf } from '../support/tree.ts';

const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string };

needs('rpmbuild', 'rpm')('the RPM of this checkout', () => {
  let scratch = '';
  let file = '';
  const build = (name: string): string =>
    execFileSync(process.execPath, ['packaging/run-ts.mjs', 'packaging/rpm/build.ts', path.join(scratch, name)], {
      cwd: top,
      encoding: 'utf8',
    }).trim();
  beforeAll(() => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-package-'));
    file = build('one');
  }, 120_000);
  afterAll(() => rmSync(scratch, { recursive: true }));

  const query = (format: string) => execFileSync('rpm', ['-qp', '--qf', format, file], { encoding: 'utf8' });

  test('two builds give the same bytes', () => {
    expect(readFileSync(build('two')).equals(readFileSync(file))).toBe(true);
  }, 120_000);

  test('declares what it bundles and needs', () => {
    const declared = execFileSync('rpm', ['-qp', '--provides', file], { encoding: 'utf8' }).split('\n');
    const bundled = bundledPackages(top).map((one) => `bundled(npm(${one.name})) = ${one.version}`);
    expect(bundled.length).toBeGreaterThan(5);
    expect(declared.filter((line) => line.startsWith('bundled('))).toEqual([...bundled].sort());
    expect(query('[%{REQUIRENEVRS}\n]')).toMatch(/^nodejs >= 20\.19$/m);
    expect(query('[%{RECOMMENDNEVRS}\n]').trim().split('\n')).toEqual(['kpatch', 'xz']);
  });

  test('its scriptlets are sound shell', () => {
    for (const name of ['POSTIN', 'PREUN', 'POSTUN']) {
      const checked = spawnSync('sh', ['-n'], { input: query(`%{${name}}`), encoding: 'utf8' });
      expect([name, checked.status, checked.stderr]).toEqual([name, 0, '']);
    }
  });

  test('installs into a root, verifies, works, and leaves nothing', () => {
    const root = mkdtempSync(path.join(scratch, 'root-'));
    const rpm = (...args: string[]) => spawnSync('rpm', ['--root', root, ...args], { encoding: 'utf8' });
    // Its scriptlets need a shell inside the root; there is none here.
    expect(rpm('-i', '--nodeps', '--noscripts', file).status).toBe(0);
    const verified = rpm('-V', '--nodeps', '--noscripts', 'kpatch-pm');
    expect([verified.status, verified.stdout]).toEqual([0, '']);
    const program = path.join(root, 'usr/lib/kpatch-pm/kpatch-pm.cjs');
    const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
    expect(run('--version').stdout).toContain(version);
    const status = run('--installroot', root, 'status');
    expect([status.status, status.stdout.split('\n')[0]]).toEqual([0, 'Kpatch update setting: manual']);
    // Nothing is switched on by installing.
    expect(treeOf(path.join(root, 'etc')).filter((line) => line.includes('systemd'))).toEqual([]);
    expect(rpm('-e', '--noscripts', 'kpatch-pm').status).toBe(0);
    expect(treeOf(root).filter((line) => line.includes('kpatch-pm'))).toEqual([]);
  });
});

// `kernels --format exclude` under the real dnf: what it then offers is what has live patches, or is installed.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { FIXTURES, KERNELS } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';

needs('dnf')('with the real dnf', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-choice-'));
    cpSync(path.join(FIXTURES, 'el9'), path.join(dir, 'srv/el9'), { recursive: true });
    for (const name of ['etc/yum.repos.d', `lib/modules/${KERNELS.K1}`])
      mkdirSync(path.join(dir, name), { recursive: true });
    writeFileSync(path.join(dir, 'lib/modules', KERNELS.K1, 'vmlinuz'), '');
    writeFileSync(path.join(dir, 'etc/yum.repos.d/el9.repo'), `[el9]\nname=el9\nbaseurl=file:///srv/el9\ngpgcheck=1\n`);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const ours = async (...args: string[]): Promise<string> => {
    const around = surroundings({ hostPath: dir, uname: KERNELS.K1 });
    // One more kernel without live patches, one whose patch is only a subscription.
    const without = 'kpatch-patch-5_14_0-362_8_1,kpatch-patch-5_14_0-427_16_1';
    expect(await main([`--setopt=el9.excludepkgs=${without}`, ...args], around)).toBe(0);
    return around.stdout.text;
  };
  /** `uname -r` of every kernel-core that dnf offers with these options. */
  const offered = (...options: string[]): string[] => {
    const { stdout, stderr, status } = spawnSync(
      'dnf',
      [
        '--noplugins',
        '-q',
        '--installroot',
        dir,
        '--releasever=9',
        '--forcearch=x86_64',
        `--setopt=reposdir=${dir}/nowhere`,
        `--repofrompath=el9,${dir}/srv/el9`,
        ...options,
        'repoquery',
        '--qf',
        '%{version}-%{release}.%{arch}',
        'kernel-core',
      ],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout.trim().split('\n').filter(Boolean).sort();
  };

  test('the exclude line leaves exactly the kernels that have live patches or are installed', async () => {
    const { kernels } = JSON.parse(await ours('kernels', '--json', '--refresh'));
    type Kernel = { release: string; supported: boolean; installed: boolean; offered_by: string[] };
    const kept = (kernels as Kernel[]).filter((one) => one.offered_by.length > 0 && (one.supported || one.installed));
    const gone = (kernels as Kernel[]).filter((one) => !one.supported && !one.installed);
    expect(gone.length).toBeGreaterThan(0);
    const [key = '', value = ''] = (await ours('kernels', '--format', 'exclude')).trim().split(/=(.*)/s);
    expect(key).toBe('excludepkgs');
    const before = offered();
    const after = offered(`--setopt=${key}=${value.replaceAll(' ', ',')}`);
    expect(before.length).toBeGreaterThan(after.length);
    expect(after).toEqual(before.filter((release) => kept.some((one) => one.release === release)));
    expect(after.length).toBeGreaterThan(0);
  });
});

// What the distribution's own rpm and dnf say after our transactions.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { installSteps, removeSteps } from '../../src/apply/transactions.ts';
import { HISTORY } from '../../src/state/history.ts';
import { readReceipts } from '../../src/state/receipts.ts';
import { FIXTURES } from '../support/fixtures.ts';
import { rootForEach } from '../support/hooks.ts';
import { machineOver } from '../support/machine.ts';
import { K1, K2, KL, levelRequest } from '../support/packages.ts';
import { needs } from '../support/programs.ts';
import { changingRun, installed } from '../support/transactions.ts';
import { treeOf } from '../support/tree.ts';

const root = rootForEach();

const machine = () => machineOver(root.path);

function rpm(...args: string[]): { status: number | null; lines: string[]; errors: string } {
  const { status, stdout, stderr } = spawnSync('rpm', ['--dbpath', root.at('var/lib/rpm'), ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C', HOME: root.path },
  });
  return { status, lines: stdout.split('\n').filter((line) => line !== ''), errors: stderr };
}

/** `rpm -V` inside the root, as its administrator would call it. */
function verify(name: string): string[] {
  const { stdout, stderr } = spawnSync(
    'rpm',
    ['--root', root.path, '--dbpath', '/var/lib/rpm', '-V', '--nodeps', name],
    {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    },
  );
  return [...stdout.split('\n'), ...stderr.split('\n')].filter((line) => line !== '');
}

const patches = () => rpm('-qa', 'kpatch-patch-*').lines.sort();
const registered = () => readReceipts(machine().root, machine().uid).map((receipt) => receipt.registered);

needs('rpm')('with a kpatch installed', () => {
  test('an installed level is in the database, its files verify, and an upgrade replaces it', async () => {
    await changingRun(machine(), installSteps({ ...(await levelRequest('1-1')), register: true }));
    expect(patches()).toEqual(['kpatch-patch-5_14_0-427_13_1-1-1.el9_4.x86_64']);
    expect(verify('kpatch-patch-5_14_0-427_13_1')).toEqual([]);
    expect(registered()).toEqual([true]);
    const replaces = await installed(machine());
    expect(replaces).toMatchObject([{ source: 'kpatch-pm', changed: false }]);
    await changingRun(machine(), installSteps({ ...(await levelRequest('1-2')), replaces, register: true }));
    expect(patches()).toEqual(['kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64']);
    expect(verify('kpatch-patch-5_14_0-427_13_1')).toEqual([]);
    expect(machine().root.list(`usr/lib/kpatch/${K1}`)).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
  });

  test('a subscription is in the database', async () => {
    await changingRun(machine(), installSteps({ ...(await levelRequest('empty')), register: true }));
    expect(patches()).toEqual(['kpatch-patch-5_14_0-427_16_1-0-0.el9_4.x86_64']);
    expect(await installed(machine())).toMatchObject([{ kernel: K2, module: null, file: null, source: 'kpatch-pm' }]);
  });

  test('a removed level leaves database and disk', async () => {
    await changingRun(machine(), null);
    const before = treeOf(root.path, ['var/lib/rpm']);
    await changingRun(machine(), installSteps({ ...(await levelRequest('1-1')), register: true }));
    const list = await installed(machine());
    const pkg = list[0]?.package;
    if (!pkg) throw new Error('nothing is installed');
    await changingRun(machine(), removeSteps({ kernel: K1, package: pkg, patches: list, hold: null }));
    expect(patches()).toEqual([]);
    // usr/lib/kpatch went with the last package; its parents were made by us and stay.
    expect(treeOf(root.path, ['var/lib/rpm', 'usr', HISTORY])).toEqual(before);
    expect(treeOf(root.at('usr'))).toEqual(['lib/ 755']);
  });

  test('a build-id link of the package lies beside the payload, and leaves with it', async () => {
    const kernel = path.join(FIXTURES, 'el9/Packages', `kernel-core-${KL}.rpm`);
    expect(rpm('-i', '--oldpackage', '--justdb', '--nodeps', kernel).status).toBe(0);
    await changingRun(machine(), installSteps({ ...(await levelRequest('below linked')), register: true }));
    const replaces = await installed(machine());
    await changingRun(machine(), installSteps({ ...(await levelRequest('linked')), replaces, register: true }));
    expect(verify('kpatch-patch-5_14_0-362_18_1')).toEqual([]);
    expect(treeOf(root.at('usr/lib/.build-id'))).toContainEqual(expect.stringMatching(/-> .*1-10\.ko$/));
    const list = await installed(machine());
    const pkg = list[0]?.package;
    if (!pkg) throw new Error('nothing is installed');
    await changingRun(machine(), removeSteps({ kernel: KL, package: pkg, patches: list, hold: null }));
    expect(treeOf(root.at('usr'))).toEqual(['lib/ 755', 'lib/.build-id/ 755']);
  });

  test('done twice, rpm is asked and nothing changes', async () => {
    const work = installSteps({ ...(await levelRequest('1-1')), register: true });
    await changingRun(machine(), work);
    const result = await changingRun(machine(), work);
    expect(result?.results.map(({ step, outcome }) => `${step.do} ${outcome}`)).toEqual([
      'put already',
      'register already',
      'put already',
      'receipt already',
      'record done',
    ]);
  });

  test('what dnf removed is not seen as installed any more; what it left on disk is', async () => {
    await changingRun(machine(), installSteps({ ...(await levelRequest('1-1')), register: true }));
    expect(rpm('-e', '--justdb', '--noscripts', 'kpatch-patch-5_14_0-427_13_1').status).toBe(0);
    expect(await installed(machine())).toMatchObject([{ module: 'kpatch_5_14_0_427_13_1_1_1' }]);
    machine().root.remove(`var/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-1.ko`);
    expect(await installed(machine())).toEqual([]);
  });
});

needs('rpm')('without a kpatch', () => {
  test('rpm refuses, that is said, and the level is installed all the same', async () => {
    expect(rpm('-e', '--justdb', '--nodeps', 'kpatch').status).toBe(0);
    const result = await changingRun(machine(), installSteps({ ...(await levelRequest('1-1')), register: true }));
    const refused = result?.results.filter(({ outcome }) => outcome === 'refused');
    expect(refused).toMatchObject([
      { step: { do: 'register' }, problem: { code: 'not-registered', text: expect.stringContaining('kpatch >= ') } },
    ]);
    expect(registered()).toEqual([false]);
    expect(patches()).toEqual([]);
    expect(machine().root.list(`var/lib/kpatch/${K1}`)).toHaveLength(1);
    expect(machine().root.exists('usr/lib/kpatch')).toBe(false);
  });
});

needs('rpm', 'dnf')('dnf goes on from there', () => {
  // Debian's rpm has its database elsewhere; the distributions we are for have it in var/lib/rpm.
  const dnf = (...args: string[]) => {
    writeFileSync(root.at('.rpmmacros'), '%_dbpath /var/lib/rpm\n');
    const common = ['--installroot', root.path, '--releasever=9', '--disableplugin=*', '-y'];
    const repository = [`--repofrompath=el9,${path.join(FIXTURES, 'el9')}`, '--repo=el9', '--nogpgcheck'];
    const { status, stdout, stderr } = spawnSync('dnf', [...common, ...repository, ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C', HOME: root.path },
    });
    return { status, stdout, stderr };
  };
  const faults = () =>
    dnf('check')
      .stdout.split('\n')
      .filter((line) => line.includes('kpatch-patch'));

  test('it finds no fault with what is registered, and upgrades it to the next level', async () => {
    await changingRun(machine(), installSteps({ ...(await levelRequest('1-1')), register: true }));
    expect(dnf('list', '--installed').stdout).toMatch(/kpatch-patch-5_14_0-427_13_1\.x86_64 +1-1\.el9_4/);
    expect(faults()).toEqual([]);
    const upgrade = dnf('upgrade', '--setopt=tsflags=noscripts', 'kpatch-patch-5_14_0-427_13_1-1-2.el9_4');
    expect(upgrade).toMatchObject({ status: 0 });
    expect(patches()).toEqual(['kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64']);
    expect(machine().root.list(`usr/lib/kpatch/${K1}`)).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
    // So that no fault means something: without kpatch there is one.
    rpm('-e', '--justdb', '--nodeps', 'kpatch');
    expect(faults()).toHaveLength(1);
    // The old module is still in var/lib/kpatch, for the package's scriptlets did not run here: it is shown, not hidden.
    const seen = (await installed(machine())).map(({ package: pkg, source, module }) => [pkg?.release, source, module]);
    expect(seen).toEqual([
      ['1.el9_4', 'kpatch-pm', 'kpatch_5_14_0_427_13_1_1_1'],
      ['2.el9_4', 'rpm', 'kpatch_5_14_0_427_13_1_1_2'],
    ]);
  });

  test('it removes what is registered', async () => {
    await changingRun(machine(), installSteps({ ...(await levelRequest('1-1')), register: true }));
    expect(dnf('remove', '--setopt=tsflags=noscripts', 'kpatch-patch-5_14_0-427_13_1')).toMatchObject({ status: 0 });
    expect(patches()).toEqual([]);
    expect(machine().root.exists(`usr/lib/kpatch/${K1}`)).toBe(false);
  });

  test('what it installed is seen, and adopted by an upgrade of ours', async () => {
    expect(dnf('install', '--setopt=tsflags=noscripts', 'kpatch-patch-5_14_0-427_13_1-1-1.el9_4')).toMatchObject({
      status: 0,
    });
    // What the package's %post would have done.
    machine().root.mkdirs(`var/lib/kpatch/${K1}`);
    const payload = machine().root.read(`usr/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-1.ko`);
    machine().root.write(`var/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-1.ko`, payload ?? '', { mode: 0o755 });
    const replaces = await installed(machine());
    expect(replaces).toMatchObject([{ source: 'rpm', module: 'kpatch_5_14_0_427_13_1_1_1', changed: null }]);
    await changingRun(machine(), installSteps({ ...(await levelRequest('1-2')), replaces, register: true }));
    expect(await installed(machine())).toMatchObject([{ source: 'kpatch-pm', module: 'kpatch_5_14_0_427_13_1_1_2' }]);
    expect(faults()).toEqual([]);
    expect(verify('kpatch-patch-5_14_0-427_13_1')).toEqual([]);
  });
});

// Other file systems, full ones and read-only ones: real ones, mounted where this user may mount.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keptFiles } from '../../../src/apply/retired.ts';
import { installSteps, receiptOf, removeSteps, restoreSteps } from '../../../src/apply/transactions.ts';
import { realRun } from '../../../src/host/run.ts';
import { readReceipts } from '../../../src/state/receipts.ts';
import { type ScratchRoot, scratchRoot } from '../../support/fixtures.ts';
import { machineOver } from '../../support/machine.ts';
import { Mounts, mayMount } from '../../support/mounts.ts';
import { K1, levelRequest } from '../../support/packages.ts';
import { needsThat } from '../../support/programs.ts';
import { changingRun, installed } from '../../support/transactions.ts';
import { treeOf } from '../../support/tree.ts';

let root: ScratchRoot;
const mounts = new Mounts();
beforeEach(() => {
  root = scratchRoot({ rpmdb: false });
});
afterEach(() => {
  mounts.unmount();
  root.remove();
});

const mountAt = (relative: string, options: string): void => mounts.tmpfs(root.at(relative), options);
const remount = (relative: string, how: 'ro' | 'rw'): void => mounts.remount(root.at(relative), how);
/** Without the numbered records of the runs. */
const tree = () => treeOf(root.path, ['var/lib/kpatch-pm/history']);
const machine = () => machineOver(root.path);
const ACTIVE = `var/lib/kpatch/${K1}`;

needsThat(mayMount(), 'the right to mount a tmpfs (root)')('on a file system of its own', () => {
  test('a module arrives whole, an upgrade replaces it, and it comes back', async () => {
    mountAt('var/lib/kpatch', 'size=4m,mode=755');
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const before = tree();
    expect(before.filter((line) => line.startsWith(ACTIVE))).toEqual([
      `${ACTIVE}/ 755`,
      expect.stringMatching(/1-1\.ko 755 /),
    ]);
    const request = { ...(await levelRequest('1-2')), replaces: await installed(machine()), keep: true };
    await changingRun(machine(), installSteps(request));
    expect(readdirSync(root.at(ACTIVE))).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
    const kept = keptFiles(machine().root, K1);
    const receipt = receiptOf(await levelRequest('1-1'));
    await changingRun(machine(), restoreSteps(receiptOf({ ...request, before: receipt }), kept));
    expect(tree()).toEqual(before);
  });

  test('stopped before every change, it ends before or after', async () => {
    mountAt('var/lib/kpatch', 'size=4m,mode=755');
    await changingRun(machine(), null);
    const before = tree();
    const work = installSteps(await levelRequest('1-1'));
    const ends: number[] = [];
    for (let n = 1, more = true; more; n++) {
      let changes = 0;
      const stopping = machineOver(root.path, () => {
        if (++changes === n) throw new RangeError('stopped');
      });
      more = await changingRun(stopping, work).then(
        () => false,
        (error) => {
          if (!(error instanceof RangeError)) throw error;
          return true;
        },
      );
      await changingRun(machine(), null);
      const end = tree();
      ends.push(end.length - before.length);
      if (end.length === before.length) expect(end).toEqual(before);
      rmSync(root.at(ACTIVE), { recursive: true, force: true });
      rmSync(root.at('var/lib/kpatch-pm/receipts'), { recursive: true, force: true });
    }
    expect([...new Set(ends)]).toEqual([0, 5]);
  });

  test('without room nothing is changed, and the missing bytes are told', async () => {
    mountAt('var/lib/kpatch-pm', 'size=16k,mode=700');
    writeFileSync(root.at('var/lib/kpatch-pm/ballast'), Buffer.alloc(8192));
    const before = tree();
    await expect(changingRun(machine(), installSteps(await levelRequest('1-1')))).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringMatching(
        /^Not enough room: \S+var\/lib\/kpatch-pm needs 1\.\d MiB, and \d KiB are free there\.$/,
      ),
      hint: expect.stringMatching(/^Free 1\.\d MiB on the file system of \S+ and run .* again; nothing was changed\.$/),
    });
    expect(tree().filter((line) => !line.includes('/lock '))).toEqual(before);
  });

  test('read-only: noticed before the commit point, and nothing is changed', async () => {
    await changingRun(machine(), null);
    mountAt('var/lib/kpatch', 'size=1m,mode=755');
    remount('var/lib/kpatch', 'ro');
    const before = tree();
    await expect(changingRun(machine(), installSteps(await levelRequest('1-1')))).rejects.toMatchObject({
      code: 'read-only',
      message: `${root.at(ACTIVE)} is on a read-only file system.`,
    });
    expect(tree()).toEqual(before);
  });

  test('read-only from the commit point on: the work stays written down, and is finished once that can be done', async () => {
    await changingRun(machine(), null);
    mountAt('var/lib/kpatch', 'size=1m,mode=755');
    const turning = machineOver(root.path, (_, relative) => {
      if (relative === ACTIVE) remount('var/lib/kpatch', 'ro');
    });
    await expect(changingRun(turning, installSteps(await levelRequest('1-1')))).rejects.toMatchObject({
      code: 'read-only',
    });
    remount('var/lib/kpatch', 'rw');
    await changingRun(machine(), null);
    expect(readdirSync(root.at(ACTIVE))).toEqual(['kpatch-5_14_0-427_13_1-1-1.ko']);
  });

  test('a module of another size than before does not find its old room counted', async () => {
    mountAt('var/lib/kpatch', 'size=96k,mode=755');
    const { size } = (await levelRequest('1-1')).modules[0] ?? { size: 0 };
    writeFileSync(root.at('var/lib/kpatch/ballast'), Buffer.alloc(96 * 1024 - 4096 * Math.ceil(size / 4096)));
    await expect(changingRun(machine(), installSteps(await levelRequest('1-1')))).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringContaining(`${root.at(ACTIVE)} needs`),
    });
    expect(readdirSync(root.at('var/lib/kpatch'))).toEqual(['ballast']);
  });

  test('without a free inode', async () => {
    await changingRun(machine(), null);
    mountAt('var/lib/kpatch', 'size=4m,mode=755,nr_inodes=2');
    const before = tree();
    await expect(changingRun(machine(), installSteps(await levelRequest('1-1')))).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringMatching(/needs 2 new files, and the file system takes only \d more\.$/),
    });
    expect(tree()).toEqual(before);
  });
});

const freeze = (at: string, how: '+i' | '-i'): boolean => spawnSync('chattr', [how, at]).status === 0;

function mayFreeze(): boolean {
  const at = mkdtempSync(path.join(os.tmpdir(), 'kpm-freeze-'));
  const may = freeze(at, '+i');
  freeze(at, '-i');
  rmSync(at, { recursive: true, force: true });
  return may;
}

needsThat(mayFreeze(), 'chattr +i (root)')('made immutable', () => {
  test('a module that somebody froze stays, and its successor does not come beside it', async () => {
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const module = root.at(`${ACTIVE}/kpatch-5_14_0-427_13_1-1-1.ko`);
    const before = tree();
    freeze(module, '+i');
    try {
      const request = { ...(await levelRequest('1-2')), replaces: await installed(machine()) };
      await expect(changingRun(machine(), installSteps(request))).rejects.toMatchObject({
        code: 'file-unwritable',
        message: `${module} was made immutable.`,
        hint: expect.stringContaining(`chattr -i ${module}`),
      });
    } finally {
      freeze(module, '-i');
    }
    expect(tree()).toEqual(before);
  });

  test('it is noticed before the commit point', async () => {
    await changingRun(machine(), null);
    mkdirSync(root.at(ACTIVE));
    const before = tree();
    freeze(root.at(ACTIVE), '+i');
    try {
      const work = changingRun(machine(), installSteps(await levelRequest('1-1')));
      await expect(work).rejects.toMatchObject({
        code: 'file-unwritable',
        message: `${root.at(ACTIVE)} was made immutable.`,
      });
    } finally {
      freeze(root.at(ACTIVE), '-i');
    }
    expect(tree()).toEqual(before);
  });
});

needsThat(mayMount() && realRun.which('rpm') !== null, 'the right to mount a tmpfs (root), and rpm')(
  'an immutable host: /usr is read-only',
  () => {
    let whole: ScratchRoot;
    beforeEach(() => {
      whole = scratchRoot();
    });
    afterEach(() => {
      mounts.unmount();
      whole.remove();
    });
    const over = () => machineOver(whole.path);
    const registered = async () =>
      (await realRun.run('rpm', ['--dbpath', whole.at('var/lib/rpm'), '-qa', 'kpatch-patch*'])).stdout.toString();
    const readOnlyUsr = () => mounts.readOnly(whole.at('usr'));

    test('the level is installed, and why the rpm database was not told is said', async () => {
      await changingRun(over(), null);
      readOnlyUsr();
      const result = await changingRun(over(), installSteps({ ...(await levelRequest('1-1')), register: true }));
      const problems = result?.results.flatMap(({ problem }) => (problem ? [problem] : []));
      expect(problems).toEqual([
        {
          code: 'not-registered',
          text: expect.stringMatching(
            /was not told of .*: \S+usr\/lib\/kpatch\/\S+ is on a read-only file system\. rpm -q/,
          ),
        },
      ]);
      expect(readdirSync(whole.at(ACTIVE))).toEqual(['kpatch-5_14_0-427_13_1-1-1.ko']);
      expect(readReceipts(over().root, over().uid).map((receipt) => receipt.registered)).toEqual([false]);
      expect(existsSync(whole.at('var/lib/kpatch-pm/journal.json'))).toBe(false);
      expect(await registered()).toBe('');
    });

    test('what was registered before stays whole for rpm when it is removed', async () => {
      await changingRun(over(), installSteps({ ...(await levelRequest('1-1')), register: true }));
      expect(await registered()).toContain('kpatch-patch');
      readOnlyUsr();
      const [patch] = await installed(over());
      if (!patch?.package) throw new Error('nothing is installed');
      await changingRun(over(), removeSteps({ kernel: K1, package: patch.package, patches: [patch], hold: null }));
      expect(existsSync(whole.at(ACTIVE))).toBe(false);
      expect(existsSync(whole.at('var/lib/kpatch-pm/journal.json'))).toBe(false);
      expect(await registered()).toContain('kpatch-patch');
      expect(readdirSync(whole.at(`usr/lib/kpatch/${K1}`))).toEqual(['kpatch-5_14_0-427_13_1-1-1.ko']);
    });
  },
);

// Other file systems, full ones and read-only ones: real ones, mounted where this user may mount.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keptFiles } from '../../../src/apply/retired.ts';
import { installSteps, receiptOf, restoreSteps } from '../../../src/apply/transactions.ts';
import { type ScratchRoot, scratchRoot } from '../../support/fixtures.ts';
import { machineOver } from '../../support/machine.ts';
import { K1, levelRequest } from '../../support/packages.ts';
import { needsThat } from '../../support/programs.ts';
import { changingRun, installed } from '../../support/transactions.ts';
import { treeOf } from '../../support/tree.ts';

const mount = (at: string, options: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at]).status === 0;
const unmount = (at: string): void => void spawnSync('umount', [at]);

function mayMount(): boolean {
  const at = mkdtempSync(path.join(os.tmpdir(), 'kpm-mount-'));
  const may = mount(at, 'size=64k');
  if (may) unmount(at);
  rmSync(at, { recursive: true, force: true });
  return may;
}

let root: ScratchRoot;
const mounted: string[] = [];
beforeEach(() => {
  root = scratchRoot({ rpmdb: false });
});
afterEach(() => {
  for (const at of mounted.splice(0).reverse()) unmount(at);
  root.remove();
});

function mountAt(relative: string, options: string): void {
  mkdirSync(root.at(relative), { recursive: true });
  if (!mount(root.at(relative), options)) throw new Error(`${relative} could not be mounted`);
  mounted.push(root.at(relative));
}

const machine = () => machineOver(root.path);
const ACTIVE = `var/lib/kpatch/${K1}`;

needsThat(mayMount(), 'the right to mount a tmpfs (root)')('on a file system of its own', () => {
  test('a module arrives whole, an upgrade replaces it, and it comes back', async () => {
    mountAt('var/lib/kpatch', 'size=4m,mode=755');
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const before = treeOf(root.path);
    expect(before.filter((line) => line.startsWith(ACTIVE))).toEqual([
      `${ACTIVE}/ 755`,
      expect.stringMatching(/1-1\.ko 755 /),
    ]);
    const request = { ...(await levelRequest('1-2')), replaces: await installed(machine()), keep: true };
    await changingRun(machine(), installSteps(request));
    expect(readdirSync(root.at(ACTIVE))).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
    const kept = keptFiles(machine().root, K1);
    const receipt = receiptOf(await levelRequest('1-1'));
    await changingRun(machine(), restoreSteps({ kernel: K1, before: receipt, kept, failed: receiptOf(request) }));
    expect(treeOf(root.path)).toEqual(before);
  });

  test('stopped before every change, it ends before or after', async () => {
    mountAt('var/lib/kpatch', 'size=4m,mode=755');
    await changingRun(machine(), null);
    const before = treeOf(root.path);
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
      const end = treeOf(root.path);
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
    const before = treeOf(root.path);
    await expect(changingRun(machine(), installSteps(await levelRequest('1-1')))).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringMatching(/needs \d+ bytes and its file system has \d+ free/),
    });
    expect(treeOf(root.path).filter((line) => !line.includes('/lock '))).toEqual(before);
  });

  test('read-only', async () => {
    await changingRun(machine(), null);
    mountAt('var/lib/kpatch', 'size=1m,mode=755');
    spawnSync('mount', ['-o', 'remount,ro', root.at('var/lib/kpatch')]);
    await expect(changingRun(machine(), installSteps(await levelRequest('1-1')))).rejects.toMatchObject({
      code: 'read-only',
    });
    // The work stays written down, and is finished once that can be done.
    spawnSync('mount', ['-o', 'remount,rw', root.at('var/lib/kpatch')]);
    await changingRun(machine(), null);
    expect(readdirSync(root.at(ACTIVE))).toEqual(['kpatch-5_14_0-427_13_1-1-1.ko']);
  });
});

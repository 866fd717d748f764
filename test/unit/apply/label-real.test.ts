// Real labels, on file systems that keep them whether SELinux runs or not: set by chcon(1), read by stat(1). What is played
// is the kernel's part, which labels new files like their directory; whether a policy lets the kernel read a file of that
// type is not shown here.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keptFiles } from '../../../src/apply/retired.ts';
import { installSteps, receiptOf, restoreSteps } from '../../../src/apply/transactions.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { Root } from '../../../src/host/root.ts';
import { type Run, realRun } from '../../../src/host/run.ts';
import { labelsOf } from '../../../src/observe/system/labels.ts';
import { type ScratchRoot, scratchRoot } from '../../support/fixtures.ts';
import { machineOver } from '../../support/machine.ts';
import { Mounts, mayMount } from '../../support/mounts.ts';
import { K1, levelRequest } from '../../support/packages.ts';
import { needsThat } from '../../support/programs.ts';
import { changingRun, installed } from '../../support/transactions.ts';

const NEW_FILE = 'system_u:object_r:var_lib_t:s0';
const MODULE = 'system_u:object_r:modules_object_t:s0';
const ACTIVE = `var/lib/kpatch/${K1}`;
const chcon = (...args: string[]): boolean => spawnSync('chcon', args).status === 0;
const labelOf = (file: string): string => spawnSync('stat', ['-c', '%C', file], { encoding: 'utf8' }).stdout.trim();

function mayLabel(): boolean {
  const at = mkdtempSync(path.join(os.tmpdir(), 'kpm-label-'));
  writeFileSync(path.join(at, 'f'), '');
  const may = chcon(NEW_FILE, path.join(at, 'f')) && chcon('-t', 'modules_object_t', path.join(at, 'f'));
  rmSync(at, { recursive: true });
  return may;
}

let root: ScratchRoot;
let host: string;
const mounts = new Mounts();
beforeEach(() => {
  root = scratchRoot({ rpmdb: false });
  host = mkdtempSync(path.join(os.tmpdir(), 'kpm-host-'));
  mkdirSync(path.join(host, 'sys/fs/selinux'), { recursive: true });
  writeFileSync(path.join(host, 'sys/fs/selinux/enforce'), '1');
});
afterEach(() => {
  mounts.unmount();
  root.remove();
  rmSync(host, { recursive: true });
});

/** A machine with SELinux: every change is looked at, so that no module is ever in place without its label. */
function machine(): Machine {
  const run: Run = {
    ...realRun,
    run: (program, args, options) => {
      if (program === 'chcon') chcon(NEW_FILE, args.at(-1) ?? '');
      return realRun.run(program, args, options);
    },
  };
  return machineOver(root.path, () => expectLabels(), { live: true, host: new Root(host), run });
}

const modules = (): string[] => {
  try {
    return readdirSync(root.at(ACTIVE)).filter((name) => !name.startsWith('.'));
  } catch {
    return [];
  }
};

function expectLabels(): void {
  for (const name of modules()) expect([name, labelOf(root.at(`${ACTIVE}/${name}`))]).toEqual([name, MODULE]);
}

async function wholeLife(): Promise<void> {
  const first = await changingRun(machine(), installSteps(await levelRequest('1-1')));
  expect(first?.notices).toEqual([]);
  expectLabels();
  const request = { ...(await levelRequest('1-2')), replaces: await installed(machine()), keep: true };
  await changingRun(machine(), installSteps(request));
  expect(modules()).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
  expectLabels();
  const kept = keptFiles(machine().root, K1);
  const before = receiptOf(await levelRequest('1-1'));
  await changingRun(machine(), restoreSteps(receiptOf({ ...request, before }), kept));
  expect(modules()).toEqual(['kpatch-5_14_0-427_13_1-1-1.ko']);
  expectLabels();
}

needsThat(mayLabel(), 'the right to label files (root), chcon and stat')('labelled', () => {
  test(
    'a module has its label before its name, through install, upgrade and the return of the level before',
    wholeLife,
  );

  needsThat(mayMount(), 'the right to mount a tmpfs (root)')('elsewhere', () => {
    test('the same where modules lie on a file system of their own', async () => {
      mounts.tmpfs(root.at('var/lib/kpatch'), 'size=4m,mode=755');
      await wholeLife();
    });
  });

  test('a later relabel is read back', async () => {
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const file = `${ACTIVE}/kpatch-5_14_0-427_13_1-1-1.ko`;
    expect(await labelsOf(machine(), [file])).toEqual(new Map([[file, MODULE]]));
    const relabelled = 'system_u:object_r:kpatch_var_lib_t:s0';
    chcon(relabelled, root.at(file));
    const plain = machineOver(root.path, null, { live: true, host: new Root(host) });
    expect(await labelsOf(plain, [file])).toEqual(new Map([[file, relabelled]]));
  });

  test('a file system that keeps no labels: told, and the module is installed', async () => {
    // Nobody plays the kernel's part: new files have no label.
    const unlabelled = machineOver(root.path, null, { live: true, host: new Root(host) });
    const result = await changingRun(unlabelled, installSteps(await levelRequest('1-1')));
    expect(result?.notices).toEqual([
      {
        code: 'label-failed',
        text: expect.stringContaining(
          `${root.at(`${ACTIVE}/kpatch-5_14_0-427_13_1-1-1.ko`)} was not labelled (chcon: can't apply partial context to unlabeled file`,
        ),
      },
    ]);
    expect(modules()).toHaveLength(1);
  });
});

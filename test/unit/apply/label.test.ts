// SELinux is on few machines that build this: a root with selinuxfs in it plays the host, and the program that labels is
// seen being called. That the label is right on a real host is the virtual machine's to show.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { installSteps } from '../../../src/apply/transactions.ts';
import { Root } from '../../../src/host/root.ts';
import { type Run, realRun } from '../../../src/host/run.ts';
import { type ScratchRoot, scratchRoot } from '../../support/fixtures.ts';
import { machineOver } from '../../support/machine.ts';
import { K1, levelRequest } from '../../support/packages.ts';
import { changingRun } from '../../support/transactions.ts';

let root: ScratchRoot;
let host = '';
beforeEach(() => {
  root = scratchRoot({ rpmdb: false });
  host = mkdtempSync(path.join(os.tmpdir(), 'kpm-host-'));
});
afterEach(() => {
  root.remove();
  rmSync(host, { recursive: true, force: true });
});

function selinux(): void {
  mkdirSync(path.join(host, 'sys/fs/selinux'), { recursive: true });
  writeFileSync(path.join(host, 'sys/fs/selinux/enforce'), '1');
}

/** Runs everything for real but the labelling programs, whose calls are kept; `status` null: they are not installed. */
async function install(status: number | null, live = true): Promise<{ calls: string[][]; warnings: string[] }> {
  const calls: string[][] = [];
  const labels = (program: string) => program === 'chcon' || program === 'restorecon';
  const run: Run = {
    ...realRun,
    which: (program) => (labels(program) ? (status === null ? null : `/usr/bin/${program}`) : realRun.which(program)),
    run: async (program, args, options) => {
      if (!labels(program)) return realRun.run(program, args, options);
      calls.push([program, ...args.slice(0, -1), path.relative(root.path, args.at(-1) ?? '')]);
      // The file must not be visible to a loader before it has its label.
      expect(new Root(root.path).list(`var/lib/kpatch/${K1}`)).toEqual([]);
      return { status, signal: null, stdout: Buffer.alloc(0), stderr: 'chcon: not permitted\n' };
    },
  };
  const machine = machineOver(root.path, null, { live, host: new Root(host), run });
  const result = await changingRun(machine, installSteps(await levelRequest('1-1')));
  return { calls, warnings: result?.notices.map(({ code }) => code) ?? [] };
}

test('a module is labelled before it is in place', async () => {
  selinux();
  const { calls, warnings } = await install(0);
  expect(calls).toEqual([
    ['chcon', '-t', 'modules_object_t', expect.stringMatching(/^var\/lib\/kpatch-pm\/staging\//)],
  ]);
  expect(warnings).toEqual([]);
});

test('a directory that had to be made gets the label of the policy', async () => {
  selinux();
  rmSync(root.at('var/lib/kpatch'), { recursive: true });
  const { calls } = await install(0);
  expect(calls[0]).toEqual(['restorecon', 'var/lib/kpatch']);
});

test('where it fails, or the program is missing, that is said and the module is installed', async () => {
  selinux();
  expect((await install(1)).warnings).toEqual(['label-failed']);
  root.remove();
  root = scratchRoot({ rpmdb: false });
  expect((await install(null)).warnings).toEqual(['program-missing']);
  expect(new Root(root.path).list(`var/lib/kpatch/${K1}`)).toHaveLength(1);
});

test('without SELinux, and in a root that is not the running system, nothing is labelled', async () => {
  expect((await install(0)).calls).toEqual([]);
  root.remove();
  root = scratchRoot({ rpmdb: false });
  selinux();
  expect((await install(0, false)).calls).toEqual([]);
});

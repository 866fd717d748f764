// Whole transactions as a changing run does them: state opened, locked, an earlier run's work finished, then the steps.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { recover, runTransaction } from '../../src/apply/install.ts';
import { installSteps, removeSteps, settingStep, type Work } from '../../src/apply/transactions.ts';
import type { InstalledPatch } from '../../src/domain/livepatch.ts';
import type { Machine } from '../../src/host/machine.ts';
import { installedPatches } from '../../src/observe/system/installed.ts';
import { readRpmdb } from '../../src/observe/system/rpmdb.ts';
import { openState } from '../../src/state/directory.ts';
import { lockState } from '../../src/state/lock.ts';
import { readReceipts } from '../../src/state/receipts.ts';
import type { TransactionResult } from '../../src/state/steps.ts';
import { listener, machineOver } from './machine.ts';
import { K1, levelRequest } from './packages.ts';

/** One changing run: recovers, then does `work` (none: only recovers). */
export async function changingRun(machine: Machine, work: Work | null): Promise<TransactionResult | null> {
  const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'kpatch-pm test' });
  try {
    const recovered = await recover(machine, locked, listener());
    return work === null ? recovered : await runTransaction(machine, locked, work.steps, work.blobs);
  } finally {
    locked.release();
  }
}

/** What the machine sees as installed. */
export async function installed(machine: Machine): Promise<InstalledPatch[]> {
  const rpmdb = await readRpmdb(machine.root, machine.run);
  return installedPatches(machine.root, rpmdb, readReceipts(machine.root, machine.uid));
}

const CONF = 'etc/dnf/plugins/kpatch.conf';

/** The kinds of work a crash may hit, each made from what is installed. */
export const WORK = {
  install: async () => installSteps(await levelRequest('1-1')),
  upgrade: async (machine: Machine) =>
    installSteps({ ...(await levelRequest('1-2')), replaces: await installed(machine) }),
  'upgrade, keeping the old level': async (machine: Machine) =>
    installSteps({ ...(await levelRequest('1-2')), replaces: await installed(machine), keep: true }),
  'upgrade, registered': async (machine: Machine) =>
    installSteps({ ...(await levelRequest('1-2')), replaces: await installed(machine), register: true }),
  subscribe: async () => installSteps(await levelRequest('empty')),
  remove: async (machine: Machine) => {
    const [patch] = await installed(machine);
    if (!patch?.package) throw new Error('nothing is installed');
    const hold = { kernel: K1, name: patch.package.name, since: '2026-01-01T00:00:00.000Z', why: 'removed by hand' };
    return removeSteps({ kernel: K1, package: patch.package, patches: [patch], hold });
  },
  setting: async (machine: Machine): Promise<Work> => {
    const before = machine.root.readText(CONF);
    return { steps: [settingStep(CONF, before, `${before ?? ''}# changed\n`)], blobs: new Map() };
  },
} satisfies Record<string, (machine: Machine) => Promise<Work>>;

export type Kind = keyof typeof WORK;

/** The root each kind of work starts from: 1-1 is installed, but for the first install. Registered where the work registers. */
export async function prepare(machine: Machine, kind: Kind): Promise<void> {
  if (kind === 'install') await changingRun(machine, null);
  else
    await changingRun(
      machine,
      installSteps({ ...(await levelRequest('1-1')), register: kind === 'upgrade, registered' }),
    );
}

/** A copy of a root in a temporary directory, handed to `use` and removed. */
export async function inCopy<T>(directory: string, use: (copy: string) => Promise<T>): Promise<T> {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'kpm-copy-'));
  try {
    // cp, because cpSync of Node 24 does not keep the modes of directories.
    execFileSync('cp', ['-a', `${directory}/.`, copy]);
    return await use(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

export { machineOver };

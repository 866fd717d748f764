// Whole transactions as a changing run does them: state opened, locked, an earlier run's work finished, then the steps.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { recover, runTransaction } from '../../src/apply/install.ts';
import { openRecord } from '../../src/apply/record.ts';
import { keptFiles } from '../../src/apply/retired.ts';
import { clearSpool, Spool } from '../../src/apply/spool.ts';
import {
  type InstallRequest,
  installSteps,
  mergedWork,
  receiptOf,
  registerSteps,
  removeSteps,
  settingStep,
  type Work,
} from '../../src/apply/transactions.ts';
import { NO_ACTION, type RecordedAction } from '../../src/domain/history.ts';
import type { InstalledPatch } from '../../src/domain/livepatch.ts';
import type { Machine } from '../../src/host/machine.ts';
import { installedPatches } from '../../src/observe/system/installed.ts';
import { readRpmdb } from '../../src/observe/system/rpmdb.ts';
import { openState } from '../../src/state/directory.ts';
import { readHolds } from '../../src/state/holds.ts';
import { lockState } from '../../src/state/lock.ts';
import { readReceipts } from '../../src/state/receipts.ts';
import type { TransactionResult } from '../../src/state/steps.ts';
import { listener, machineOver } from './machine.ts';
import { extractedLevel, K1, levelRequest } from './packages.ts';

/** What the record of a run says it did. */
const ACTION: RecordedAction = { ...NO_ACTION, do: 'install', kernel: K1 };

/** Work that is known only while the run is on its way. */
type Underway = (machine: Machine) => Promise<Work>;

/** One changing run: recovers, then does `work` (none: only recovers). */
export async function changingRun(machine: Machine, work: Work | Underway | null): Promise<TransactionResult | null> {
  const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'kpatch-pm test' });
  try {
    const recovered = await recover(machine, locked, listener());
    if (work === null) return recovered;
    const of = openRecord(machine, locked, 'test', [ACTION]);
    const { steps, blobs } = typeof work === 'function' ? await work(machine) : work;
    const result = await runTransaction(machine, locked, steps, blobs, { record: { of, ends: [0] } });
    clearSpool(machine.root);
    return result;
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
  /** Its bytes wait in files, as those of a plan that is too large for memory. */
  'upgrade out of the spool, registered': async (machine: Machine): Promise<Underway> => {
    const replaces = await installed(machine);
    return async (running) => {
      const kept = await new Spool(running.root, { inMemory: 0 }).keep(await extractedLevel('1-2'));
      return installSteps({ ...(await levelRequest('1-2')), ...kept, replaces, register: true });
    };
  },
  'upgrade, keeping the old level': async (machine: Machine) =>
    installSteps({ ...(await levelRequest('1-2')), replaces: await installed(machine), keep: true }),
  'upgrade, registered': async (machine: Machine) =>
    installSteps({ ...(await levelRequest('1-2')), replaces: await installed(machine), register: true }),
  /** Two kernels in one transaction, which rpm is told of at once. */
  'two kernels together': async (machine: Machine) => together(machine, ['1-2', 'empty']),
  /** rpm refuses one of them, for its kernel is not installed, and so all at first. */
  'three kernels together, one refused by rpm': async (machine: Machine) =>
    together(machine, ['linked', '1-2', 'empty']),
  /** What a run that was killed between installing and loading left undone. */
  'registration made up for': async (machine: Machine) => {
    const request = { ...(await levelRequest('1-2')), replaces: keptFiles(machine.root, K1) };
    return registerSteps({ ...request, receipt: receiptOf(request) });
  },
  /** What rpm installed becomes ours. */
  adopt: async (machine: Machine) =>
    installSteps({ ...(await levelRequest('1-2')), replaces: await installed(machine), register: true }),
  'adopt the same level': async (machine: Machine) =>
    installSteps({ ...(await levelRequest('1-1')), replaces: await installed(machine), register: true }),
  'undo an upgrade': async (machine: Machine) => {
    const request = { ...(await levelRequest('1-1')), replaces: await installed(machine), register: true };
    const hold = {
      kernel: K1,
      name: request.verified.nevra.name,
      since: '2026-01-01T00:00:00.000Z',
      why: 'undone',
    };
    const { steps, blobs } = installSteps({ ...request, downgrade: true });
    return { steps: [...steps, { do: 'hold', hold }], blobs };
  },
  'undo a removal': async (machine: Machine) => {
    const { steps, blobs } = installSteps({ ...(await levelRequest('1-1')), register: true });
    const [held] = readHolds(machine.root, machine.uid);
    if (!held) throw new Error('nothing is held');
    return { steps: [...steps, { do: 'unhold', kernel: held.kernel, name: held.name }], blobs };
  },
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
} satisfies Record<string, (machine: Machine) => Promise<Work | Underway>>;

export type Kind = keyof typeof WORK;

/** These levels as one transaction, each in the place of what is installed for its kernel. */
export async function together(machine: Machine, levels: readonly Parameters<typeof levelRequest>[0][]): Promise<Work> {
  const there = await installed(machine);
  const works: Work[] = [];
  for (const level of levels) {
    const request = await levelRequest(level);
    const replaces = there.filter(({ kernel }) => kernel === request.kernel);
    works.push(installSteps({ ...request, replaces, register: true }));
  }
  return mergedWork(works);
}

/** The root each kind of work starts from: 1-1 is installed, but for the first install. Registered where the work registers. */
export async function prepare(machine: Machine, kind: Kind): Promise<void> {
  const level = async (which: '1-1' | '1-2' | 'below linked', more: Partial<InstallRequest>) =>
    changingRun(machine, installSteps({ ...(await levelRequest(which)), ...more }));
  if (kind === 'install') await changingRun(machine, null);
  else if (kind === 'adopt' || kind === 'adopt the same level') {
    await installedByRpm(machine);
    await changingRun(machine, null);
  } else if (kind === 'undo an upgrade') await level('1-2', { register: true });
  else if (kind === 'undo a removal') {
    await level('1-1', { register: true });
    await changingRun(machine, await WORK.remove(machine));
  } else if (kind === 'registration made up for') {
    await level('1-1', { register: true });
    await level('1-2', { replaces: await installed(machine), keep: true, pending: true });
  } else
    await changingRun(
      machine,
      installSteps({ ...(await levelRequest('1-1')), register: kind.endsWith(', registered') }),
    );
}

/** A level as rpm and the utility leave it: package in the database, payload at its own path, module where it is loaded from. */
async function installedByRpm({ root, run }: Machine): Promise<void> {
  const { verified, modules } = await levelRequest('1-1');
  const file = path.join(root.path, 'one.rpm');
  writeFileSync(file, verified.source.read());
  const args = ['-i', '--justdb', '--nodeps', '--noscripts', '--ignorearch', '--ignoresize', '--nosignature'];
  const { status, stderr } = await run.run('rpm', ['--dbpath', path.join(root.path, 'var/lib/rpm'), ...args, file]);
  if (status !== 0) throw new Error(`rpm -i failed: ${stderr}`);
  rmSync(file);
  for (const module of modules) {
    for (const place of ['var/lib/kpatch', 'usr/lib/kpatch']) {
      root.mkdirs(`${place}/${K1}`);
      root.write(`${place}/${K1}/${module.file}`, module.source.read(), { mode: module.mode, mtime: module.mtime });
    }
  }
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

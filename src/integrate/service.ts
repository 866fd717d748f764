// `kpatch-pm service run`: what kpatch-pm.service does, for the queue of kernel-install and for the timer.
import { runTransaction } from '../apply/install.ts';
import { openRecord } from '../apply/record.ts';
import { rpmIsFree } from '../apply/register.ts';
import { removeSteps } from '../apply/transactions.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import type { World } from '../domain/world.ts';
import { KpmError } from '../errors.ts';
import { whileInhibited } from '../host/inhibit.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { removedAction } from '../pipeline/record.ts';
import { carryOut, observe, type Request, type Result } from '../pipeline.ts';
import { openState } from '../state/directory.ts';
import { lockState } from '../state/lock.ts';
import { dequeue, type Queued, readQueue } from '../state/queue.ts';
import { readReceipts } from '../state/receipts.ts';
import { unattendedPermission } from './permission.ts';

/** Seconds the service waits for another run: somebody may be reading a question. */
const LOCK_TIMEOUT = 900;

/** How long a transaction of dnf may go on before its kernels are served without the rpm database being told. */
const RPM_PATIENCE_MS = 20 * 60_000;

export interface ServiceResult {
  /** Null where nothing was carried out. */
  readonly result: Result | null;
  readonly failed: boolean;
}

/**
 * Works off the queue and brings every kernel to its highest level, unattended. Loads only where somebody typed `auto` on
 * this machine, and in the maintenance window. What fails stays in the queue for the next run.
 * Raises what observing and locking raise.
 */
export async function serviceRun(machine: Machine, request: Request, ui: Ui): Promise<ServiceResult> {
  const { root, uid } = machine;
  const queue = readQueue(root, uid, ({ text }) => ui.warn(text));
  const permission = unattendedPermission(machine, request);
  for (const { text } of permission.notices) ui.warn(text);
  if (permission.work !== 'yes') {
    ui.note(permission.why);
    // In manual mode nobody will ever come for these.
    if (permission.work === 'never') for (const entry of queue) dequeue(root, entry);
    return { result: null, failed: false };
  }
  if (!permission.load) ui.note(permission.why);
  const unattended: Request = {
    ...request,
    verb: 'install',
    words: [],
    fixes: [],
    refresh: !request.cacheOnly,
    load: request.load && permission.load,
    lockTimeout: request.lockTimeout ?? LOCK_TIMEOUT,
    assumeYes: false,
    unattended: true,
  };
  return whileInhibited(
    machine.run,
    'Installing kernel live patches',
    () => work(machine, unattended, queue, ui),
    ui.detail,
  );
}

async function work(machine: Machine, request: Request, queue: readonly Queued[], ui: Ui): Promise<ServiceResult> {
  // kernel-install starts us in the middle of the transaction that brings the kernel.
  if (!(await rpmIsFree(machine, RPM_PATIENCE_MS))) {
    ui.warn('Another program has been changing the rpm database for 20 minutes; it is not waited for any longer.');
  }
  const removed = queue.length > 0 ? await removeGone(machine, request, queue, ui) : new Set<string>();
  const result = await carryOut(machine, request, ui, async () => true);
  for (const { text } of result.report === null ? [] : result.world.notices) ui.warn(text);
  for (const { kernel, because } of result.plan.skipped) {
    // A level that waits is not silence: the journal says until when.
    if (because.code === 'min-age' || because.code === 'later-cohort') ui.note(`${kernel}: ${because.text}.`);
  }
  const failedKernels = new Set<string>();
  for (const [n, action] of result.plan.actions.entries()) {
    // Failed, or left out for a signal.
    if (result.report === null || result.report.outcomes[n]?.outcome === 'done') continue;
    if ('kernel' in action) failedKernels.add(action.kernel);
  }
  for (const entry of queue) {
    const here = result.world.kernels.some(({ release }) => release === entry.kernel);
    // Where a repository could not be read, "nothing on offer" is no answer yet.
    const served = !failedKernels.has(entry.kernel) && result.world.repositories.every(({ used }) => used);
    if (here ? served : !isLeft(entry.kernel, removed, result.world)) dequeue(machine.root, entry);
  }
  const { outcomes, stopped } = result.report ?? { outcomes: [], stopped: null };
  const failed = stopped !== null || outcomes.some(({ outcome }) => outcome === 'failed');
  if (stopped !== null)
    ui.warn(`Interrupted (${stopped}): what was begun was finished, the rest is left to the next run.`);
  return { result, failed };
}

/** Whether patches of ours for a kernel that is gone could not be removed. */
const isLeft = (kernel: string, removed: ReadonlySet<string>, world: World): boolean =>
  !removed.has(kernel) && ofOurs(world, kernel).length > 0;

const ofOurs = (world: World, kernel: string) =>
  world.installed.filter((patch) => patch.kernel === kernel && patch.source === 'kpatch-pm' && patch.package !== null);

/**
 * Removes our patches of queued kernels that really are gone: administrators run remove and add in a row to rebuild boot
 * entries, so the event alone means nothing. Files that are not ours stay. Gives the kernels that were dealt with.
 */
async function removeGone(machine: Machine, request: Request, queue: readonly Queued[], ui: Ui): Promise<Set<string>> {
  const world = await observe(machine, { ...request, verb: 'status', cacheOnly: true, refresh: false }, ui);
  const gone = queue.filter(({ kernel }) => !world.kernels.some(({ release }) => release === kernel));
  const done = new Set<string>();
  if (gone.length === 0) return done;
  const locked = await lockState(machine, openState(machine), {
    timeout: request.lockTimeout ?? LOCK_TIMEOUT,
    command: 'kpatch-pm service run',
  });
  try {
    for (const { kernel } of gone) {
      if (await removePatches(machine, locked, world, kernel, ui)) done.add(kernel);
    }
  } finally {
    locked.release();
  }
  return done;
}

async function removePatches(
  machine: Machine,
  locked: Awaited<ReturnType<typeof lockState>>,
  world: World,
  kernel: KernelRelease,
  ui: Ui,
): Promise<boolean> {
  const ours = ofOurs(world, kernel);
  const receipts = readReceipts(machine.root, machine.uid, () => undefined);
  const packages = [...new Map(ours.map((patch) => [patch.package?.name, patch.package])).values()];
  for (const nevra of packages) {
    if (!nevra) continue;
    const patches = ours.filter((patch) => patch.package?.name === nevra.name);
    try {
      const { steps, blobs } = removeSteps({ kernel, package: nevra, patches, hold: null });
      const of = openRecord(machine, locked, 'service run', [removedAction(kernel, nevra, receipts)]);
      const { results } = await runTransaction(machine, locked, steps, blobs, { record: { of, ends: [0] } });
      of.close(0);
      for (const { problem } of results) if (problem) ui.warn(problem.text);
      ui.note(`${nevra.name} is removed: its kernel ${kernel} is gone.`);
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      ui.failure(error.message, error.hint);
      return false;
    }
  }
  return true;
}

// `kpatch-pm boot`: what kpatch-pm-boot.service does, before the network and before kpatch.service.
// Order: judge what the last boot left, finish what was begun, take quarantined and superseded files out, then load.
import { setAside } from '../apply/aside.ts';
import { recover } from '../apply/install.ts';
import { bootFiles } from '../decide/boot.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import type { InstalledPatch } from '../domain/livepatch.ts';
import { KpmError } from '../errors.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { installedPatches } from '../observe/system/installed.ts';
import { readRpmdb } from '../observe/system/rpmdb.ts';
import { carryOut, type Request } from '../pipeline.ts';
import { openCache } from '../state/cache.ts';
import { openState } from '../state/directory.ts';
import { type LockedState, lockState } from '../state/lock.ts';
import { readQuarantine } from '../state/quarantine.ts';
import { readQueue } from '../state/queue.ts';
import { readReceipts } from '../state/receipts.ts';
import { rpmdbMemo } from '../state/rpmdbmemo.ts';
import { loadAtBoot, Parts } from './boot-load.ts';
import { judge, keepOut, noteHealthy } from './crash-guard.ts';
import { unattendedPermission } from './permission.ts';

/** Seconds: at boot nobody else should hold the lock, and everything waits for us. */
const LOCK_TIMEOUT = 60;

/** Why our directory cannot be written into, where that is no reason not to load. */
const UNWRITABLE: readonly string[] = ['read-only', 'no-space'];

/** What a boot came to: modules that are in the kernel now, and whether anything needs a person. */
export interface BootResult {
  readonly loaded: readonly string[];
  readonly troubled: boolean;
}

/** Does what a boot needs. Raises `state-unsafe`, `locked` and `needs-root`; everything later is told and passed over. */
export async function boot(machine: Machine, request: Request, ui: Ui): Promise<BootResult> {
  const parts = new Parts(ui);
  const lock = (): Promise<LockedState> =>
    lockState(machine, openState(machine), {
      timeout: request.lockTimeout ?? LOCK_TIMEOUT,
      command: 'kpatch-pm boot',
    });
  let locked: LockedState;
  try {
    locked = await lock();
  } catch (error) {
    if (!(error instanceof KpmError && UNWRITABLE.includes(error.code))) throw error;
    return bootReadOnly(machine, request, parts, error, ui);
  }
  try {
    await parts.try(() => judge(machine, locked, ui), undefined);
    await parts.try(async () => void (await recover(machine, locked, ui)), undefined);
    await parts.try(() => keepOut(locked, ui), undefined);
    if (readQueue(machine.root, machine.uid, () => undefined).length > 0) {
      locked.release();
      await parts.try(() => installFetched(machine, request, ui), undefined);
      locked = await lock();
    }
    const installed = await parts.try(() => look(machine, ui), []);
    await parts.try(() => oneLevelEach(machine, installed, ui), undefined);
    const loaded = await loadAtBoot(machine, request, locked.state, installed, parts, ui);
    const waiting = readQuarantine(machine.root, machine.uid, ({ text }) => ui.warn(text));
    for (const { module, kernel, why } of waiting) {
      ui.failure(`${module} of ${kernel} is in quarantine: ${why}.`, `kpatch-pm quarantine clear ${module}`);
    }
    return { loaded, troubled: parts.troubled || waiting.length > 0 };
  } finally {
    locked.release();
  }
}

/** A disk that is full or read-only is a reason to look, not to run unpatched: what is installed is loaded, unguarded. */
async function bootReadOnly(
  machine: Machine,
  request: Request,
  parts: Parts,
  problem: KpmError,
  ui: Ui,
): Promise<BootResult> {
  ui.failure(`${problem.message} Modules are loaded without the crash guard, and nothing else is done.`, problem.hint);
  const quarantined = readQuarantine(machine.root, machine.uid, ({ text }) => ui.warn(text));
  const installed = (await parts.try(() => look(machine, ui), [])).filter(
    ({ kernel, module }) => !quarantined.some((one) => one.kernel === kernel && one.module === module),
  );
  return { loaded: await loadAtBoot(machine, request, null, installed, parts, ui), troubled: true };
}

/** What this boot loaded proved healthy: some time after boot, or at an orderly shutdown. */
export async function healthy(machine: Machine, request: Request, ui: Ui): Promise<void> {
  const locked = await lockState(machine, openState(machine), {
    timeout: request.lockTimeout ?? LOCK_TIMEOUT,
    command: 'kpatch-pm boot healthy',
  });
  try {
    noteHealthy(machine, locked, ui);
  } finally {
    locked.release();
  }
}

/** What was fetched for queued kernels and not installed yet: from the cache alone, the network is not up. */
async function installFetched(machine: Machine, request: Request, ui: Ui): Promise<void> {
  const permission = unattendedPermission(machine, request);
  if (permission.work !== 'yes') return;
  const quiet: Ui = { ...ui, failure: (text) => ui.note(`${text} It is tried again later.`) };
  const offline: Request = {
    ...request,
    verb: 'install',
    words: [],
    fixes: [],
    cacheOnly: true,
    refresh: false,
    offline: true,
    load: false,
    lockTimeout: request.lockTimeout ?? LOCK_TIMEOUT,
    assumeYes: false,
    unattended: true,
  };
  // What fails here fails for want of the network; the service comes back to it.
  await carryOut(machine, offline, quiet, async () => true);
}

async function look(machine: Machine, ui: Ui): Promise<InstalledPatch[]> {
  const { root, run, uid } = machine;
  const rpmdb = await readRpmdb(root, run, rpmdbMemo(openCache(machine)));
  return installedPatches(
    root,
    rpmdb,
    readReceipts(root, uid, ({ text }) => ui.warn(text)),
  );
}

function oneLevelEach({ root }: Machine, installed: readonly InstalledPatch[], ui: Ui): void {
  for (const kernel of new Set(installed.map((patch) => patch.kernel as KernelRelease))) {
    const { aside } = bootFiles(kernel, { installed });
    for (const { file, module } of aside) {
      if (file === null) continue;
      const where = setAside(root, kernel, file.slice(file.lastIndexOf('/') + 1));
      ui.warn(`${module} is a lower level beside a higher one; it was moved to ${where}.`);
    }
  }
}

// `kpatch-pm boot`: what kpatch-pm-boot.service does, before the network and before kpatch.service.
// Order: judge what the last boot left, finish what was begun, take quarantined and superseded files out, then load.
import { enforceQuarantine, quarantine, setAside } from '../apply/aside.ts';
import { loadGuarded, markHealthy } from '../apply/guard.ts';
import { recover } from '../apply/install.ts';
import { loadingForbidden } from '../apply/load/forbidden.ts';
import { bootFiles, bootLoader } from '../decide/boot.ts';
import { judgeAttempts } from '../decide/guard.ts';
import type { Attempt } from '../domain/crashguard.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import type { InstalledPatch } from '../domain/livepatch.ts';
import { formatNevra } from '../domain/nevra.ts';
import { KpmError } from '../errors.ts';
import { attribute } from '../host/livepatch.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { readConfig } from '../observe/config/config.ts';
import { crashEvidence } from '../observe/system/crashes.ts';
import { installedPatches } from '../observe/system/installed.ts';
import { readRpmdb } from '../observe/system/rpmdb.ts';
import { installedUtility } from '../observe/system/utility.ts';
import { bootUnits } from '../pipeline/observe.ts';
import { carryOut, type Request } from '../pipeline.ts';
import { readAttempts, writeAttempts } from '../state/attempts.ts';
import { openCache } from '../state/cache.ts';
import { openState } from '../state/directory.ts';
import { type LockedState, lockState } from '../state/lock.ts';
import { readQuarantine } from '../state/quarantine.ts';
import { readQueue } from '../state/queue.ts';
import { readReceipts } from '../state/receipts.ts';
import { rpmdbMemo } from '../state/rpmdbmemo.ts';
import { unattendedPermission } from './permission.ts';

/** Seconds: at boot nobody else should hold the lock, and everything waits for us. */
const LOCK_TIMEOUT = 60;

/** What a boot came to: modules that are in the kernel now, and whether anything needs a person. */
export interface BootResult {
  readonly loaded: readonly string[];
  readonly troubled: boolean;
}

/** Runs each part so that its failure is told and the next parts still happen. */
class Parts {
  troubled = false;
  readonly #ui: Ui;

  constructor(ui: Ui) {
    this.#ui = ui;
  }

  async try<T>(act: () => Promise<T> | T, otherwise: T): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof KpmError) || error.code === 'internal') throw error;
      this.troubled = true;
      this.#ui.failure(error.message, error.hint);
      return otherwise;
    }
  }
}

/** Does what a boot needs. Raises `state-unsafe`, `locked` and `needs-root`; everything later is told and passed over. */
export async function boot(machine: Machine, request: Request, ui: Ui): Promise<BootResult> {
  const parts = new Parts(ui);
  const state = openState(machine);
  const lock = (): Promise<LockedState> =>
    lockState(machine, state, { timeout: request.lockTimeout ?? LOCK_TIMEOUT, command: 'kpatch-pm boot' });
  let locked = await lock();
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
    const loaded = await load(machine, request, locked, installed, parts, ui);
    const waiting = readQuarantine(machine.root, machine.uid, ({ text }) => ui.warn(text));
    for (const { module, kernel, why } of waiting) {
      ui.failure(`${module} of ${kernel} is in quarantine: ${why}.`, `kpatch-pm quarantine clear ${module}`);
    }
    return { loaded, troubled: parts.troubled || waiting.length > 0 };
  } finally {
    locked.release();
  }
}

/** What this boot loaded proved healthy: some time after boot, or at an orderly shutdown. */
export async function healthy(machine: Machine, request: Request, ui: Ui): Promise<void> {
  const locked = await lockState(machine, openState(machine), {
    timeout: request.lockTimeout ?? LOCK_TIMEOUT,
    command: 'kpatch-pm boot healthy',
  });
  try {
    for (const module of markHealthy(locked.state, machine.host)) ui.note(`${module} proved healthy.`);
  } finally {
    locked.release();
  }
}

/** Markers of earlier boots: told, struck, or quarantined. */
function judge({ root, host, uid, now }: Machine, { state }: LockedState, ui: Ui): void {
  const file = readAttempts(root, uid);
  if (file.attempts.length === 0) return;
  const bootId = attribute(host, 'proc/sys/kernel/random/boot_id') ?? '';
  const verdicts = judgeAttempts(file.attempts, bootId, crashEvidence(root, host));
  const left: Attempt[] = [];
  for (const [n, attempt] of file.attempts.entries()) {
    const verdict = verdicts[n];
    if (verdict?.do === 'quarantine') {
      const { kernel, module, file: name, sha256 } = attempt;
      const since = now().toISOString();
      quarantine(state, {
        kernel,
        module,
        file: name,
        sha256,
        package: packageOf(root, uid, attempt),
        since,
        why: verdict.why,
      });
      ui.warn(`${module} is quarantined: ${verdict.why}.`);
    } else if (verdict?.do === 'strike') {
      ui.warn(
        `The last boot ended while ${attempt.module} was being loaded, without a trace of a crash; it is tried again.`,
      );
      left.push({ ...attempt, bootId: null, strikes: verdict.strikes });
    } else {
      left.push(attempt);
    }
  }
  writeAttempts(state, { ...file, attempts: left });
}

function packageOf(root: Machine['root'], uid: number, { kernel, sha256 }: Attempt): string | null {
  const receipt = readReceipts(root, uid, () => undefined).find(
    (one) => one.kernel === kernel && one.files.some((file) => file.sha256 === sha256),
  );
  return receipt ? formatNevra(receipt.package) : null;
}

function keepOut({ state }: LockedState, ui: Ui): void {
  for (const { module, kernel } of enforceQuarantine(state)) {
    ui.warn(
      `${module} of ${kernel} was taken out of the directory from which modules are loaded: it is in quarantine.`,
    );
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

/** Loads for the running kernel, where that is our business at all. */
async function load(
  machine: Machine,
  request: Request,
  locked: LockedState,
  installed: readonly InstalledPatch[],
  parts: Parts,
  ui: Ui,
): Promise<string[]> {
  const { root, uname } = machine;
  const forbidden = loadingForbidden(machine);
  if (forbidden || uname === null) {
    ui.note(forbidden?.text ?? 'The release of the running kernel is not known.');
    return [];
  }
  const units = bootUnits(root).boot;
  const loader = bootLoader({ utility: 'absent', timer: 'absent', ...units, own: 'enabled' });
  if (loader.by === null) {
    ui.note(`Nothing is loaded: ${loader.why}.`);
    return [];
  }
  const kernel = uname as KernelRelease;
  const { load: files, refused } = bootFiles(kernel, { installed });
  for (const { file } of refused) {
    parts.troubled = true;
    ui.failure(`${root.show(file ?? '')} is not the file that was installed; it is not loaded.`, 'kpatch-pm install');
  }
  const { kpm } = readConfig(root, {
    ...request.config,
    hostRoot: machine.host,
    env: machine.env,
    arch: machine.arch,
    releaseOf: () => null,
  });
  const receipts = readReceipts(root, machine.uid, () => undefined).filter((one) => one.kernel === kernel);
  const utility = installedUtility(root, { how: 'none', path: null, packages: [], notices: [] });
  const loaded: string[] = [];
  for (const { file, module } of files) {
    if (file === null || module === null) continue;
    const name = file.slice(file.lastIndexOf('/') + 1);
    const known = receipts.flatMap((receipt) => receipt.files).find((one) => one.file === name);
    await parts.try(async () => {
      const result = await loadGuarded(locked.state, {
        machine,
        kernel,
        file,
        module,
        sha256: known?.sha256 ?? null,
        loader: kpm.loader,
        utility,
        proof: 'later',
        onConflict: kpm.onConflict,
        times: { signal: kpm.stallSignal * 1000, giveUp: kpm.stallGiveUp * 1000 },
        ui,
      });
      for (const { text } of result.notices) ui.warn(text);
      loaded.push(module);
      ui.note(`${module} ${result.already ? 'was active already' : 'is active'} (enabled 1, transition 0).`);
    }, undefined);
  }
  return loaded;
}

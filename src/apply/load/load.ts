// Loading and unloading one live patch of the running kernel. Success is what sysfs says: `enabled` 1 and `transition` 0.
import fs from 'node:fs';
import type { Problem } from '../../domain/because.ts';
import type { KernelRelease } from '../../domain/kernel.ts';
import type { Utility } from '../../domain/world.ts';
import { KpmError } from '../../errors.ts';
import { livepatches, supportsLivepatch } from '../../host/livepatch.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { builtinLoader } from './builtin.ts';
import { chooseWay, surroundingsOf } from './domain.ts';
import { type Course, type Drive, drive } from './drive.ts';
import { failure, stuck, unloadFailure } from './failure.ts';
import { type CheckedModule, isThisFile, openChecked } from './file.ts';
import { loadingForbidden } from './forbidden.ts';
import { auditedSince, type LogMark, logSince, markLog } from './klog.ts';
import { kpatchLoader } from './kpatch.ts';
import { compareLevels, type KnownLevel } from './level.ts';
import { chooseLoader, type Loader, type OpenModule } from './loader.ts';
import { explainRefusal, kernelMood } from './refusal.ts';
import { DEFAULT_TIMES, type LoadTimes, realStopwatch, type Stopwatch } from './times.ts';
import { begin } from './transition.ts';

export interface LoadRequest {
  readonly machine: Machine;
  /** The kernel the module was installed for; must be the running one. */
  readonly kernel: KernelRelease;
  /** Path of the module file below the root. */
  readonly file: string;
  /** Name of the module, as sysfs will show it. */
  readonly module: string;
  /** What the receipt says about the bytes; null only for a file nobody accounts for. */
  readonly sha256: string | null;
  readonly loader: 'auto' | 'builtin' | 'kpatch';
  readonly utility: Utility;
  /** Version the package requires of the kpatch utility; an older utility is not used in `auto`. */
  readonly needs?: string | null;
  /** Levels of known modules of this kernel, the one to load included: tells a downgrade. */
  readonly known?: readonly KnownLevel[];
  /** On a stall: take the patch back (default), or leave it in transition. */
  readonly onStall?: 'reverse' | 'leave';
  readonly times?: Partial<LoadTimes>;
  readonly stopwatch?: Stopwatch;
  readonly ui?: Pick<Ui, 'note' | 'warn' | 'detail'>;
}

export interface LoadResult {
  readonly proved: true;
  readonly module: string;
  /** True when it was active before; nothing was changed then. */
  readonly already: boolean;
  readonly loader: Loader['name'];
  readonly seconds: number;
  /** Live patches that were active before and have been replaced. */
  readonly replaced: readonly string[];
  readonly notices: readonly Problem[];
}

/**
 * Loads one installed live patch into the running kernel and proves it.
 * Raises `loading-forbidden`, `needs-root`, `kernel-mismatch`, `module-changed`, `no-livepatch-support`, `newer-active`,
 * `load-refused-*`, `modules-disabled`, `not-a-livepatch`, `not-a-module`, `module-differs`, `transition-busy`, `transition-stalled`, `load-undone`,
 * `module-in-use`, `load-stuck`, `program-missing`, `program-failed`.
 */
export async function loadModule(request: LoadRequest): Promise<LoadResult> {
  const { machine, module } = request;
  checkMayLoad(request);
  refuseDowngrade(request);
  const times = { ...DEFAULT_TIMES, ...request.times };
  const stopwatch = request.stopwatch ?? realStopwatch;
  const checked = openChecked(machine.root, request);
  try {
    const opened: OpenModule = {
      module,
      fd: checked.fd,
      path: machine.root.realPath(request.file) ?? machine.root.show(request.file),
    };
    const loader = makeLoader(request, times, stopwatch);
    const mark = await markLog(machine.run, machine.now());
    request.ui?.detail(
      `Loading ${module} with the ${loader.name === 'builtin' ? 'built-in loader' : 'kpatch utility'}.`,
    );
    const course = await drive(
      { sys: machine.host, run: machine.run, times, stopwatch, insert: () => loader.insert(opened) },
      begin('load', module, request.onStall ?? 'reverse', stopwatch.now()),
    ).catch((error: unknown) => Promise.reject(stuck(module, error)));
    if (!course.ending.ok) throw await explain(request, course, mark);
    prove(machine, checked);
    return {
      proved: true,
      module,
      already: course.ending.already,
      loader: loader.name,
      seconds: course.seconds,
      replaced: course.replaced,
      notices: leftoverNotices(course),
    };
  } finally {
    fs.closeSync(checked.fd);
  }
}

export interface UnloadRequest {
  readonly machine: Machine;
  readonly module: string;
  readonly times?: Partial<LoadTimes>;
  readonly stopwatch?: Stopwatch;
}

export interface UnloadResult {
  readonly proved: true;
  readonly module: string;
  readonly seconds: number;
}

/**
 * Disables one live patch and takes its module out of the kernel; proven when neither is there any more.
 * Vendors do not support this on a running machine: the caller has asked. Both loaders do it the same way, through sysfs and rmmod.
 * Raises `loading-forbidden`, `needs-root`, `not-loaded`, `transition-busy`, `transition-stalled`, `module-in-use`, `program-missing`.
 */
export async function unloadModule(request: UnloadRequest): Promise<UnloadResult> {
  const { machine, module } = request;
  const forbidden = loadingForbidden(machine);
  if (forbidden) throw new KpmError('loading-forbidden', { text: forbidden.text, subject: module });
  requireRoot(machine, module);
  const times = { ...DEFAULT_TIMES, ...request.times };
  const stopwatch = request.stopwatch ?? realStopwatch;
  const context: Drive = { sys: machine.host, run: machine.run, times, stopwatch, insert: () => neverInserts() };
  const course = await drive(context, begin('unload', module, 'reverse', stopwatch.now())).catch((error: unknown) =>
    Promise.reject(stuck(module, error)),
  );
  if (!course.ending.ok) throw unloadFailure(module, course);
  return { proved: true, module, seconds: course.seconds };
}

function neverInserts(): Promise<never> {
  return Promise.reject(new KpmError('internal', { text: 'An unload tried to insert a module.' }));
}

function requireRoot(machine: Machine, module: string): void {
  if (machine.uid === 0) return;
  throw new KpmError('needs-root', {
    text: `Only root may load and unload kernel modules; ${module} was left as it is.`,
    subject: module,
    hint: 'Run the same command with sudo.',
  });
}

/**
 * Whether a module for this kernel may be loaded on this machine at all; nothing is touched.
 * Raises `loading-forbidden`, `kernel-mismatch`, `needs-root`, `no-livepatch-support`.
 */
export function checkMayLoad({ machine, kernel, module }: Pick<LoadRequest, 'machine' | 'kernel' | 'module'>): void {
  const forbidden = loadingForbidden(machine);
  if (forbidden) {
    throw new KpmError('loading-forbidden', {
      text: `${module} was not loaded: ${forbidden.text}`,
      subject: module,
      hint: 'It stays installed and is loaded when the machine boots normally.',
    });
  }
  if (machine.uname !== kernel) {
    throw new KpmError('kernel-mismatch', {
      text: `${module} is for kernel ${kernel}, but ${machine.uname} is running.`,
      subject: module,
      hint: `It is loaded when ${kernel} boots.`,
    });
  }
  requireRoot(machine, module);
  if (!supportsLivepatch(machine.host)) {
    throw new KpmError('no-livepatch-support', {
      text: `The running kernel ${kernel} cannot be live-patched: it has no /sys/kernel/livepatch.`,
      subject: kernel,
      hint: 'Boot a kernel of the distribution that supports live patches (CONFIG_LIVEPATCH), and check that /sys is mounted.',
    });
  }
}

function refuseDowngrade(request: LoadRequest): void {
  for (const patch of livepatches(request.machine.host)) {
    if (!patch.enabled || compareLevels(patch.module, request.module, request.known ?? []) !== 1) continue;
    throw new KpmError('newer-active', {
      text: `${request.module} was not loaded: the newer ${patch.module} is active, and a lower level would silently replace it.`,
      subject: request.module,
      hint: 'A downgrade needs a reboot: with only the lower level installed, the next boot loads that one.',
    });
  }
}

function makeLoader(request: LoadRequest, times: LoadTimes, stopwatch: Stopwatch): Loader {
  const { run, host } = request.machine;
  const { utility } = request;
  const name = chooseLoader({ loader: request.loader, utility, needs: request.needs ?? null });
  if (name === 'builtin' || utility.path === null) return builtinLoader(run, times);
  const way = chooseWay(name, surroundingsOf(host, run));
  if (way === 'service')
    request.ui?.detail('SELinux enforces here: the kpatch utility is started by systemd, in its own domain.');
  const detail = request.ui?.detail.bind(request.ui);
  return kpatchLoader({ run, sys: host, times, stopwatch, path: utility.path, way, ...(detail ? { detail } : {}) });
}

async function explain(request: LoadRequest, course: Course, mark: LogMark): Promise<KpmError> {
  const { machine, module } = request;
  if (!course.ending.ok && course.ending.failure === 'refused') {
    const log = [...(await logSince(machine.run, mark)), ...auditedSince(machine.host, mark.at)];
    return explainRefusal(module, { text: course.refusal, log }, kernelMood(machine.host));
  }
  return failure(module, course);
}

/** A last look with fresh eyes: whatever was done, this is what counts. */
function prove(machine: Machine, { facts }: CheckedModule): void {
  const patch = livepatches(machine.host).find((one) => one.module === facts.name);
  if (!patch?.enabled || patch.transition) {
    throw new KpmError('load-undone', {
      text: `${facts.name} was loaded, but the kernel does not show it as active any more.`,
      subject: facts.name,
      hint: 'See `kpatch-pm status` and the kernel log (dmesg | grep livepatch).',
    });
  }
  if (isThisFile(machine.host, facts) === false) {
    throw new KpmError('module-differs', {
      text: `${facts.name} is active, but it is not the file that was checked: the build ids differ.`,
      subject: facts.name,
      hint: 'Find out what loaded it (the journal of kpatch.service); a reboot loads the installed file.',
    });
  }
}

function leftoverNotices(course: Course): Problem[] {
  return course.replaced
    .filter((module) => !course.removed.includes(module))
    .map((module) => ({
      code: 'module-in-use',
      text: `The replaced ${module} is inactive, but its module stays in the kernel until the next boot.`,
    }));
}

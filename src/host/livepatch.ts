// The kernel's livepatch interface: /sys/kernel/livepatch, /sys/module, /proc/PID/patch_state.
// Every attribute differs by kernel version and any of them may vanish between two reads: all are optional.
// Source: Documentation/ABI/testing/sysfs-kernel-livepatch, Documentation/livepatch/livepatch.rst of the kernel.
import type { LoadedPatch } from '../domain/livepatch.ts';
import { hasErrno, KpmError } from '../errors.ts';
import type { Root } from './root.ts';

const LIVEPATCH = 'sys/kernel/livepatch';
const MODULES = 'sys/module';

/** A task that still runs the code of the other side of a transition. */
export interface StalledTask {
  readonly tid: number;
  readonly comm: string;
  /** Innermost frame first, as /proc shows it (`kpm_hold_wait+0x3e/0x90 [kpm_hold]`); empty when it may not be read. */
  readonly stack: readonly string[];
}

/** The text of one attribute; null when the file or its owner is gone (ENOENT, ENODEV, ESRCH, or what the caller adds). */
export function attribute(sys: Root, relative: string, alsoAbsent: readonly string[] = []): string | null {
  try {
    return sys.readText(relative)?.trim() ?? null;
  } catch (error) {
    const cause = error instanceof KpmError ? error.cause : error;
    if (hasErrno(cause, 'ENOENT', 'ENODEV', 'ESRCH', ...alsoAbsent)) return null;
    throw error;
  }
}

/** Whether this kernel can be live-patched at all (CONFIG_LIVEPATCH). */
export function supportsLivepatch(sys: Root): boolean {
  return sys.stat(LIVEPATCH)?.isDirectory() ?? false;
}

/** Every live patch the kernel knows, by name. Patches that vanish while being read are left out. */
export function livepatches(sys: Root): LoadedPatch[] {
  const found: LoadedPatch[] = [];
  for (const module of sys.list(LIVEPATCH)) {
    const enabled = attribute(sys, `${LIVEPATCH}/${module}/enabled`);
    const transition = attribute(sys, `${LIVEPATCH}/${module}/transition`);
    if (enabled === null && !sys.exists(`${LIVEPATCH}/${module}`)) continue;
    const buildId = loadedBuildId(sys, module);
    found.push({
      module,
      enabled: enabled === '1',
      transition: transition === '1',
      ...(buildId === null ? {} : { buildId }),
    });
  }
  return found;
}

/** Whether a module is in the kernel (live patch or not). */
export function isResident(sys: Root, module: string): boolean {
  return sys.exists(`${MODULES}/${module}`);
}

/** How many hold the module; null when it is not there or the kernel does not say. */
export function refcount(sys: Root, module: string): number | null {
  const text = attribute(sys, `${MODULES}/${module}/refcnt`);
  return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
}

/** The raw GNU build-id note of a loaded module; null when the kernel shows none. */
export function buildIdNote(sys: Root, module: string): Buffer | null {
  return sys.read(`${MODULES}/${module}/notes/.note.gnu.build-id`);
}

/** The GNU build id of a loaded module, hexadecimal; null when the kernel shows none. Source: elf(5), "Notes (Nhdr)". */
export function loadedBuildId(sys: Root, module: string): string | null {
  let note: Buffer | null;
  try {
    note = buildIdNote(sys, module);
  } catch (error) {
    // Some kernels let only root read the notes; the module may also be gone by now.
    if (error instanceof KpmError) return null;
    throw error;
  }
  if (note === null || note.length < 16) return null;
  // Four bytes of name: the byte order of the kernel shows in the first word.
  const little = note.readUInt32LE(0) === 4;
  const size = little ? note.readUInt32LE(4) : note.readUInt32BE(4);
  return size > 0 && note.length >= 16 + size ? note.toString('hex', 16, 16 + size) : null;
}

/** Whether this kernel lets us ask it to signal the tasks in the way (only older ones do; newer ones signal by themselves). */
export function canSignal(sys: Root, module: string): boolean {
  return sys.exists(`${LIVEPATCH}/${module}/signal`);
}

/** Asks the kernel to signal the tasks in the way of a transition. */
export function signalTasks(sys: Root, module: string): void {
  sys.writeAttribute(`${LIVEPATCH}/${module}/signal`, '1');
}

/** Starts patching (true) or unpatching (false); during a transition this reverses it. The kernel's errno is in `cause`. */
export function setEnabled(sys: Root, module: string, enabled: boolean): void {
  sys.writeAttribute(`${LIVEPATCH}/${module}/enabled`, enabled ? '1' : '0');
}

/** The tasks that have not reached `target` (1 patched, 0 unpatched) yet. -1 in patch_state means no transition. */
export function stalledTasks(sys: Root, target: 0 | 1): StalledTask[] {
  const stalled: StalledTask[] = [];
  const other = target === 1 ? '0' : '1';
  for (const pid of sys.list('proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const tid of sys.list(`proc/${pid}/task`)) {
      const task = `proc/${pid}/task/${tid}`;
      if (attribute(sys, `${task}/patch_state`) !== other) continue;
      const stack = attribute(sys, `${task}/stack`, ['EACCES', 'EPERM']) ?? '';
      stalled.push({
        tid: Number(tid),
        comm: attribute(sys, `${task}/comm`) ?? '?',
        stack: stack
          .split('\n')
          .map((line) => line.replace(/^\[<[^>]*>\]\s*/, ''))
          .filter((line) => line !== ''),
      });
    }
  }
  return stalled;
}

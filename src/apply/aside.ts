// Taking a module file out of its kernel's directory without destroying it, and bringing it back.
import path from 'node:path';
import type { QuarantinedModule } from '../domain/crashguard.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import { hasErrno, KpmError } from '../errors.ts';
import { MAX_MODULE } from '../formats/elf/module.ts';
import type { Machine } from '../host/machine.ts';
import type { Root } from '../host/root.ts';
import { STATE, type State } from '../state/directory.ts';
import { QUARANTINE_FILES, readQuarantine, writeQuarantine } from '../state/quarantine.ts';
import { labelModule } from './label.ts';
import { modulePath } from './places.ts';
import { sha256 } from './stage.ts';

/** Lower levels found beside a higher one at boot, by kernel. */
const SUPERSEDED = `${STATE}/superseded`;

/** Moves a file, over the border of a file system where need be: first there, then gone here. */
export function move(root: Root, from: string, to: string, mode: number): void {
  root.mkdirs(path.posix.dirname(to), mode);
  try {
    root.rename(from, to);
  } catch (error) {
    if (!(error instanceof KpmError && hasErrno(error.cause, 'EXDEV'))) throw error;
    const [bytes, stat] = [root.read(from, MAX_MODULE), root.lstat(from)];
    if (bytes === null || stat === null) return;
    root.write(to, bytes, { mode: stat.mode & 0o777, mtime: Math.floor(stat.mtimeMs / 1000) });
    root.remove(from);
  }
}

/** Puts a superseded level where no loader finds it. Gives where it is now, as shown to people. */
export function setAside(root: Root, kernel: KernelRelease, file: string): string {
  const to = `${SUPERSEDED}/${kernel}/${file}`;
  move(root, modulePath('active', kernel, file), to, 0o700);
  return root.show(to);
}

const quarantinePath = ({ kernel, file }: QuarantinedModule): string => `${QUARANTINE_FILES}/${kernel}/${file}`;

/** Records a module as quarantined, and then takes its file away. */
export function quarantine(state: State, module: QuarantinedModule): void {
  const others = readQuarantine(state.root, state.uid).filter(
    (one) => one.kernel !== module.kernel || one.sha256 !== module.sha256,
  );
  writeQuarantine(state, [...others, module]);
  enforceQuarantine(state);
}

/** Takes every quarantined file out of its kernel's directory, however it came back there. Gives those that were moved. */
export function enforceQuarantine({ root, uid }: State): QuarantinedModule[] {
  return readQuarantine(root, uid).filter((module) => {
    const active = modulePath('active', module.kernel, module.file);
    const bytes = root.stat(active)?.isFile() ? root.read(active, MAX_MODULE) : null;
    // Another file of that name is another module.
    if (bytes === null || sha256(bytes) !== module.sha256) return false;
    move(root, active, quarantinePath(module), 0o700);
    return true;
  });
}

/**
 * Ends the quarantine of a module. Its file returns, unless its package was replaced meanwhile (`current`: whether a
 * receipt still names these bytes) or something has taken its place. Gives whether it returned.
 */
export async function release(
  machine: Machine,
  state: State,
  module: QuarantinedModule,
  current: boolean,
): Promise<boolean> {
  const { root, uid } = state;
  const from = quarantinePath(module);
  const to = modulePath('active', module.kernel, module.file);
  const bytes = root.stat(from)?.isFile() ? root.read(from, MAX_MODULE) : null;
  const back =
    (current || module.package === null) &&
    bytes !== null &&
    sha256(bytes) === module.sha256 &&
    root.lstat(to) === null;
  if (back) {
    root.mkdirs(path.posix.dirname(to));
    await labelModule(machine, from);
    move(root, from, to, 0o755);
  }
  // What has a successor can be had again from its repository.
  if (!back && module.package !== null && !current) root.remove(from);
  root.removeEmptyDir(path.posix.dirname(from));
  root.removeEmptyDir(QUARANTINE_FILES);
  const rest = readQuarantine(root, uid).filter((one) => one.kernel !== module.kernel || one.sha256 !== module.sha256);
  writeQuarantine(state, rest);
  return back;
}

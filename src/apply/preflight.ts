// Whether the places a transaction will write can be written, asked before the commit point: what only shows afterwards
// would leave a journal that no run can finish.
import path from 'node:path';
import type { KernelRelease } from '../domain/kernel.ts';
import { formatNevra, type Nevra } from '../domain/nevra.ts';
import { hasErrno } from '../errors.ts';
import { closedAt, frozenAt } from '../host/room.ts';
import type { Root } from '../host/root.ts';
import type { Step } from '../state/steps.ts';
import { kernelDirectory, modulePath } from './places.ts';

/** The directories that steps must be able to change; the packages' own place is not among them, see closedPayload. */
function directories(root: Root, steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    switch (step.do) {
      case 'put':
        return step.place === 'active' ? [kernelDirectory('active', step.kernel)] : [];
      case 'drop': {
        const there = step.place === 'active' && root.lstat(modulePath('active', step.kernel, step.file)) !== null;
        return there ? [kernelDirectory('active', step.kernel)] : [];
      }
      case 'setting':
        return [path.posix.dirname(behindLink(root, step.path))];
      default:
        return [];
    }
  });
}

/** Where a link as last component leads: the file behind it is edited, and the link stays. */
export function behindLink(root: Root, relative: string): string {
  const real = root.lstat(relative)?.isSymbolicLink() ? root.realPath(relative) : null;
  return real === null ? relative : path.posix.relative(root.path, real);
}

/** Raises `read-only`, `needs-root` or `file-unwritable` for a directory or module file that steps cannot change. */
export function checkOpen(root: Root, steps: readonly Step[]): void {
  for (const directory of new Set(directories(root, steps))) {
    const error = closedAt(root, directory);
    if (error !== null) throw error;
  }
  for (const step of steps) {
    if ((step.do !== 'put' && step.do !== 'drop') || step.place !== 'active') continue;
    const error = frozenAt(root, modulePath('active', step.kernel, step.file));
    if (error !== null) throw error;
  }
}

/**
 * Why the files a package has at its own path cannot be put there, or taken away (an immutable host has /usr read-only);
 * null when they can. The rpm database is then not told either: it would name files that are not there.
 */
export function closedPayload(root: Root, steps: readonly Step[], which: Nevra | KernelRelease): string | null {
  const nevra = typeof which === 'string' ? null : formatNevra(which);
  const touched = steps.flatMap((step) => {
    if ((step.do !== 'put' && step.do !== 'drop') || step.place !== 'payload') return [];
    if (nevra === null ? step.kernel !== which || step.do === 'put' : step.ifRegistered !== nevra) return [];
    const there = root.lstat(modulePath('payload', step.kernel, step.file)) !== null;
    return there === (step.do === 'drop') ? [kernelDirectory('payload', step.kernel)] : [];
  });
  for (const directory of touched) {
    const error = closedAt(root, directory);
    if (error === null) continue;
    // A disk that answers with errors says nothing about who may write there.
    if (error.code === 'file-unwritable' && !hasErrno(error.cause, 'EPERM')) throw error;
    return error.message.replace(/\.$/, '');
  }
  return null;
}

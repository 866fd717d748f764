// Resolving a relative path inside a directory, one component at a time, links included (node has no openat2).
// Each step opens `/proc/self/fd/N/name` without following links, so nobody can swap a component for a link in between.
// Where /proc is not mounted (a bare chroot) the same walk goes by path: links and escapes are still seen, but somebody who
// may write below the root could swap a component between two steps.
// Source: open(2) O_PATH, proc_pid_fd(5), path_resolution(7).
import fs from 'node:fs';
import { hasErrno, KpmError } from '../errors.ts';

const O_PATH = 0o10000000;
const MAX_LINKS = 40;

/** Splits a path given below a root; `..` in the caller's own path is refused, not resolved. */
export function components(relative: string): string[] {
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || relative.includes('\0')) {
    throw new KpmError('path-escape', {
      text: `The path ${JSON.stringify(relative)} would leave its root.`,
      subject: relative,
    });
  }
  return parts;
}

export interface Place {
  /** Open O_PATH descriptor of the directory that holds the last component. The caller closes it. */
  readonly dir: number;
  /** How that directory is named: `/proc/self/fd/N`, or its path where /proc is absent. */
  readonly base: string;
  /** The last component; '.' for the root itself. */
  readonly name: string;
}

interface Directory {
  readonly fd: number;
  readonly base: string;
}

/** Where open descriptors can be reached by name; null where /proc is not mounted. */
export function descriptorsPath(): string | null {
  try {
    // A directory that merely is called /proc does not know our process.
    return fs.readlinkSync('/proc/self') === String(process.pid) ? '/proc/self/fd' : null;
  } catch {
    return null;
  }
}

const O_ENTER = O_PATH | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

function enter(path: string, descriptors: string | null): Directory {
  const fd = fs.openSync(path, O_ENTER);
  return { fd, base: descriptors === null ? path : `${descriptors}/${fd}` };
}

/** Enters a directory; null where it is a link, or no directory: what it is is asked then. Most components are directories. */
function enterUnlessLink(path: string, descriptors: string | null): Directory | null {
  try {
    return enter(path, descriptors);
  } catch (error) {
    if (hasErrno(error, 'ENOTDIR', 'ELOOP')) return null;
    throw error;
  }
}

/** Closes all but the one that is given away. */
function leave(stack: readonly Directory[], keep: Directory | null): void {
  for (const directory of stack) if (directory !== keep) fs.closeSync(directory.fd);
}

function escaping(relative: string): KpmError {
  return new KpmError('path-escape', {
    text: `The path ${relative} follows a link that leaves its root.`,
    subject: relative,
    hint: 'Look at the links on that path; kpatch-pm follows none that point outside.',
  });
}

/**
 * Walks to the directory that holds the last component of `relative` below the directory `top` (a real path).
 * Links are resolved inside `top` (an absolute target counts from `top`, as in a chroot). With `followLast` a link as
 * last component is followed too. `descriptors`: see descriptorsPath.
 * Raises `path-escape` on a link that climbs out (from '/' nothing can); ENOENT and ENOTDIR come through as node's errors.
 */
export function walk(top: string, relative: string, followLast: boolean, descriptors: string | null): Place {
  const todo = components(relative);
  const stack: Directory[] = [enter(top, descriptors)];
  let links = 0;
  try {
    while (todo.length > 0) {
      const name = todo.shift() as string;
      const here = stack.at(-1) as Directory;
      if (name === '..') {
        if (stack.length > 1) fs.closeSync((stack.pop() as Directory).fd);
        else if (top !== '/') throw escaping(relative);
        continue;
      }
      const last = todo.length === 0;
      if (!last) {
        const next = enterUnlessLink(join(here.base, name), descriptors);
        if (next !== null) {
          stack.push(next);
          continue;
        }
      }
      const target = linkTarget(here, name, last && !followLast);
      if (target !== null) {
        if (++links > MAX_LINKS) {
          throw new KpmError('path-escape', { text: `The path ${relative} has too many links.`, subject: relative });
        }
        if (target.startsWith('/')) while (stack.length > 1) fs.closeSync((stack.pop() as Directory).fd);
        todo.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
        continue;
      }
      if (last) return place(stack, name);
      stack.push(enter(join(here.base, name), descriptors));
    }
    return place(stack, '.');
  } catch (error) {
    leave(stack, null);
    throw error;
  }
}

function place(stack: readonly Directory[], name: string): Place {
  const here = stack.at(-1) as Directory;
  leave(stack, here);
  return { dir: here.fd, base: here.base, name };
}

const join = (base: string, name: string): string => (base === '/' ? `/${name}` : `${base}/${name}`);

/** The text of a link, or null where `name` is no link, does not exist, or is not to be followed. */
function linkTarget(dir: Directory, name: string, asItIs: boolean): string | null {
  if (asItIs) return null;
  // An error of readlink costs more than this look; what it is now is asked again by whoever opens it.
  if (!fs.lstatSync(join(dir.base, name), { throwIfNoEntry: false })?.isSymbolicLink()) return null;
  try {
    return fs.readlinkSync(join(dir.base, name));
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOENT')) return null;
    throw error;
  }
}

/** The path that reaches a place through its open directory. */
export function through(place: Place): string {
  return join(place.base, place.name);
}

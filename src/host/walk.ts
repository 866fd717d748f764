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
  /** What the last component was when the walk looked at it: null where there was none; absent where it did not look. */
  readonly seen?: fs.Stats | null;
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

/** What a name is, itself; null where there is none. Cheaper by far than the error of opening it. */
const look = (path: string): fs.Stats | null => fs.lstatSync(path, { throwIfNoEntry: false }) ?? null;

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
 * last component is followed too. `descriptors`: see descriptorsPath. Null where a directory on the way does not exist.
 * Raises `path-escape` on a link that climbs out (from '/' nothing can); other errors, ENOTDIR among them, come through as
 * node's.
 */
export function find(top: string, relative: string, followLast: boolean, descriptors: string | null): Place | null {
  const parts = components(relative);
  const quick =
    top === '/' && descriptors !== null && parts.length > 2 ? straight(parts, followLast, descriptors) : null;
  if (quick !== null) return quick;
  try {
    return stepwise(top, relative, parts, followLast, descriptors);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

/** The same for who needs the place: raises ENOENT where a directory on the way does not exist. */
export function walk(top: string, relative: string, followLast: boolean, descriptors: string | null): Place {
  const place = find(top, relative, followLast, descriptors);
  if (place !== null) return place;
  throw Object.assign(new Error(`ENOENT: no such file or directory, '${relative}'`), { code: 'ENOENT', errno: -2 });
}

/**
 * All directories in one step, where no link is on the way: opened by its path, and then it is that very path that the
 * kernel has for what was opened. Else it is let go and null given: the walk by steps tells what is there. Only below the
 * running system's own root: looking at what a link in somebody else's root names could have this system mount it.
 * Source: proc_pid_fd(5), open(2) O_PATH, autofs(5).
 */
function straight(parts: readonly string[], followLast: boolean, descriptors: string): Place | null {
  const path = `/${parts.slice(0, -1).join('/')}`;
  let fd: number | null = null;
  try {
    if (!look(path)?.isDirectory()) return null;
    fd = fs.openSync(path, O_ENTER);
    const base = `${descriptors}/${fd}`;
    if (fs.readlinkSync(base) !== path) return null;
    const name = parts.at(-1) as string;
    const seen = followLast ? look(`${base}/${name}`) : undefined;
    if (seen?.isSymbolicLink()) return null;
    const place = { dir: fd, base, name, ...(seen === undefined ? {} : { seen }) };
    fd = null;
    return place;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}

/** One component at a time. */
function stepwise(
  top: string,
  relative: string,
  parts: readonly string[],
  followLast: boolean,
  descriptors: string | null,
): Place {
  const todo = [...parts];
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
      if (last && !followLast) return place(stack, name);
      const path = join(here.base, name);
      const next = last ? null : enterUnlessLink(path, descriptors);
      if (next !== null) {
        stack.push(next);
        continue;
      }
      const seen = look(path);
      const target = seen?.isSymbolicLink() ? linkTarget(path) : null;
      if (target !== null) {
        if (++links > MAX_LINKS) {
          throw new KpmError('path-escape', { text: `The path ${relative} has too many links.`, subject: relative });
        }
        if (target.startsWith('/')) while (stack.length > 1) fs.closeSync((stack.pop() as Directory).fd);
        todo.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
        continue;
      }
      // A link that vanished just now: whoever wants the place will see what is there instead.
      if (last) return seen?.isSymbolicLink() ? place(stack, name) : { ...place(stack, name), seen };
      stack.push(enter(path, descriptors));
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

/** The text of a link; null where it is none any more. */
function linkTarget(path: string): string | null {
  try {
    return fs.readlinkSync(path);
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOENT')) return null;
    throw error;
  }
}

/** The path that reaches a place through its open directory. */
export function through(place: Place): string {
  return join(place.base, place.name);
}

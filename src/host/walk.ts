// Resolving a relative path inside a directory, one component at a time, links included (node has no openat2).
// Each step opens `/proc/self/fd/N/name` without following links, so nobody can swap a component for a link in between.
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
  /** The last component; '.' for the root itself. */
  readonly name: string;
}

interface Walk {
  readonly root: number;
  /** Descriptors of the directories entered so far, the root first. */
  readonly stack: number[];
  links: number;
}

const step = (dir: number, name: string): string => `/proc/self/fd/${dir}/${name}`;

function leave(walk: Walk, keep: number | null): void {
  for (const fd of walk.stack) if (fd !== keep && fd !== walk.root) fs.closeSync(fd);
  if (walk.root !== keep) fs.closeSync(walk.root);
}

function escaping(relative: string): KpmError {
  return new KpmError('path-escape', {
    text: `The path ${relative} follows a link that leaves its root.`,
    subject: relative,
    hint: 'Look at the links on that path; kpatch-pm follows none that point outside.',
  });
}

/**
 * Walks to the directory that holds the last component of `relative` below the directory `top`.
 * Links are resolved inside `top` (an absolute target counts from `top`, as in a chroot); `..` in a link target never
 * climbs above it. With `followLast` a link as last component is followed too.
 * Raises `path-escape` on a link that climbs out; ENOENT and ENOTDIR come through as node's errors.
 */
export function walk(top: string, relative: string, followLast: boolean): Place {
  const root = fs.openSync(top, O_PATH | fs.constants.O_DIRECTORY);
  const state: Walk = { root, stack: [root], links: 0 };
  const todo = components(relative);
  try {
    while (todo.length > 0) {
      const name = todo.shift() as string;
      const here = state.stack.at(-1) as number;
      if (name === '..') {
        if (state.stack.length === 1) throw escaping(relative);
        fs.closeSync(state.stack.pop() as number);
        continue;
      }
      const last = todo.length === 0;
      const target = linkTarget(here, name, last && !followLast);
      if (target !== null) {
        if (++state.links > MAX_LINKS) {
          throw new KpmError('path-escape', { text: `The path ${relative} has too many links.`, subject: relative });
        }
        if (target.startsWith('/')) {
          while (state.stack.length > 1) fs.closeSync(state.stack.pop() as number);
        }
        todo.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
        continue;
      }
      if (last) {
        leave(state, here);
        return { dir: here, name };
      }
      state.stack.push(fs.openSync(step(here, name), O_PATH | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW));
    }
    const here = state.stack.at(-1) as number;
    leave(state, here);
    return { dir: here, name: '.' };
  } catch (error) {
    leave(state, null);
    throw error;
  }
}

/** The text of a link, or null where `name` is no link, does not exist, or is not to be followed. */
function linkTarget(dir: number, name: string, asItIs: boolean): string | null {
  if (asItIs) return null;
  try {
    return fs.readlinkSync(step(dir, name));
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOENT')) return null;
    throw error;
  }
}

/** The path that reaches a place through its open directory. */
export function through(place: Place): string {
  return step(place.dir, place.name);
}

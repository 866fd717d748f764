// Our own directory, var/lib/kpatch-pm: created 0700, and refused when anybody but its owner could have written into it.
import path from 'node:path';
import { KpmError } from '../errors.ts';
import type { Machine } from '../host/machine.ts';
import type { Root } from '../host/root.ts';

export const STATE = 'var/lib/kpatch-pm';
export const STAGING = `${STATE}/staging`;
/** What a run has verified and not yet installed, where that is too much for memory. */
export const SPOOL = `${STATE}/spool`;
/** Trusted keys that sign packages. */
export const KEY_STORE = `${STATE}/keys`;
/** Bytes of superseded modules that may have to come back. */
export const RETIRED = `${STATE}/retired`;

declare const checked: unique symbol;
/** Our directory, found to be ours alone; made by openState only. */
export interface State {
  readonly root: Root;
  readonly uid: number;
  readonly [checked]: true;
}

function unsafe(root: Root, relative: string, why: string, hint: string): KpmError {
  const shown = root.show(relative);
  return new KpmError('state-unsafe', { text: `${shown} ${why}.`, subject: shown, hint });
}

/** One component: who owns it, who else may write there; a link must belong to a trusted owner too. */
function checkComponent(root: Root, relative: string, uid: number): void {
  const stat = root.lstat(relative);
  if (stat === null) return;
  const shown = root.show(relative);
  if (stat.uid !== 0 && stat.uid !== uid) {
    throw unsafe(root, relative, `belongs to user ${stat.uid}`, `If that is wrong: chown ${uid} ${shown}`);
  }
  if (stat.isSymbolicLink()) return;
  if (!stat.isDirectory()) {
    throw unsafe(root, relative, 'is not a directory', `Move it away: mv ${shown} ${shown}.away`);
  }
  // Root's own group may write to root's directories; an ordinary user's umask of 002 means his private group.
  const groupWrites = (stat.mode & 0o020) !== 0 && uid === 0 && stat.gid !== 0;
  if (groupWrites || (stat.mode & 0o002) !== 0) {
    throw unsafe(root, relative, 'may be written by others', `chmod go-w ${shown}`);
  }
}

const prefixes = (relative: string): string[] =>
  relative.split('/').map((_, n, parts) => parts.slice(0, n + 1).join('/'));

/** Raises `state-unsafe` when somebody else could have put files into our directory. An absent directory is safe. */
export function checkState(root: Root, uid: number): void {
  const real = root.realPath(STATE);
  const behindLinks = real === null ? [] : prefixes(path.posix.relative(root.path, real));
  for (const component of ['.', ...prefixes(STATE), ...behindLinks]) checkComponent(root, component, uid);
  const own = root.lstat(STATE);
  if (own === null) return;
  const shown = root.show(STATE);
  if (own.isSymbolicLink())
    throw unsafe(root, STATE, 'is a link', `Make it a directory: rm ${shown} && mkdir -m 700 ${shown}`);
  if ((own.mode & 0o077) !== 0) {
    throw unsafe(root, STATE, 'is open to other users', `Look into it, then: chmod 700 ${shown}`);
  }
}

/** Our directory for a run that changes something: created where it is missing, checked. Raises `state-unsafe`. */
export function openState(machine: Pick<Machine, 'root' | 'uid'>): State {
  const { root, uid } = machine;
  checkState(root, uid);
  if (!root.stat(STATE)?.isDirectory()) {
    root.mkdirs(path.posix.dirname(STATE));
    root.mkdirs(STATE, 0o700);
    checkState(root, uid);
  }
  return { root, uid } as State;
}

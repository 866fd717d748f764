// What a place still takes, asked before anything is written there. Source: statfs(2), access(2).
import fs from 'node:fs';
import path from 'node:path';
import { hasErrno, KpmError } from '../errors.ts';
import { unreadable, unwritable } from './failure.ts';
import type { Root } from './root.ts';

export interface Room {
  /** File systems of one text share their space. */
  readonly pool: string;
  /** What an unprivileged process may still use: the blocks reserved for root are for its rescue, not for us. */
  readonly bytes: number;
  /** Files that can still be made; null where the file system does not count them (btrfs and some others). */
  readonly files: number | null;
}

/** statfs(2) f_type of btrfs: its subvolumes have device numbers of their own and one space. Source: linux/magic.h. */
const BTRFS = 0x9123683e;

/** The room of the file system a path (or its nearest existing parent directory) lies on. Raises `file-unreadable`. */
export function roomAt(root: Root, relative: string): Room {
  const directory = nearest(root, relative);
  try {
    const { type, bsize, blocks, bfree, bavail, files, ffree } = fs.statfsSync(directory);
    const pool = type === BTRFS ? `btrfs ${blocks} ${bfree}` : `device ${fs.statSync(directory).dev}`;
    return { pool, bytes: bavail * bsize, files: files === 0 ? null : ffree };
  } catch (error) {
    throw unreadable(directory, error);
  }
}

/**
 * Why nothing can be made or removed in a directory (or in its nearest existing parent): `read-only`, `needs-root`,
 * `file-unwritable`; null when something can. To root access(2) says no for a read-only file system and a directory that
 * was made immutable.
 */
export function closedAt(root: Root, relative: string): KpmError | null {
  const directory = nearest(root, relative);
  try {
    fs.accessSync(directory, fs.constants.W_OK | fs.constants.X_OK);
    return null;
  } catch (error) {
    return hasErrno(error, 'EPERM') ? immutable(directory, error) : unwritable(root.show(relative), error);
  }
}

/** Why a file that is there can neither be replaced nor removed, although its directory can be changed; null when it can. */
export function frozenAt(root: Root, relative: string): KpmError | null {
  const file = root.realPath(relative);
  if (file === null) return null;
  try {
    fs.accessSync(file, fs.constants.W_OK);
    return null;
  } catch (error) {
    // Mode and owner of a file do not keep it in its directory; only an attribute does.
    return hasErrno(error, 'EPERM') ? immutable(root.show(relative), error) : null;
  }
}

/** access(2) says EPERM for nothing else. */
const immutable = (shown: string, cause: unknown): KpmError =>
  new KpmError('file-unwritable', {
    text: `${shown} was made immutable.`,
    subject: shown,
    hint: `Find out who protected it, then: chattr -i ${shown}`,
    cause,
  });

function nearest(root: Root, relative: string): string {
  let at = relative;
  while (at !== '' && at !== '.' && !root.stat(at)?.isDirectory()) at = path.posix.dirname(at);
  return root.realPath(at === '' ? '.' : at) ?? root.path;
}

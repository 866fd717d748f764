// What was changed and has to be synced: at once, or, inside of `together`, each directory and file once for many changes.
// A change is complete for everybody who looks from the moment it is made; syncing is about power cuts alone.
// Source: fsync(2): a new name is durable when its directory is synced.
import fs from 'node:fs';
import { hasErrno, type KpmError } from '../errors.ts';
import { unwritable } from './failure.ts';

/** Open descriptors that may wait; a process may have 1024 of them. */
const MOST = 128;

function syncOpen(fd: number, directory: boolean): void {
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    // Some file systems (FUSE, 9p) cannot sync a directory; they say so in these words.
    if (!directory || !hasErrno(error, 'EINVAL', 'ENOTSUP', 'ENOSYS')) throw error;
  }
}

function syncDirectory(path: string): void {
  const fd = openDirectory(path);
  try {
    syncOpen(fd, true);
  } finally {
    fs.closeSync(fd);
  }
}

/** An O_PATH descriptor cannot be synced; the same directory is opened for reading. */
const openDirectory = (path: string): number =>
  fs.openSync(`${path}/.`, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);

function pathOf(fd: number): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // Without /proc nobody knows how it is called.
    return 'A changed directory';
  }
}

/** The changes of one root that are not synced yet. */
export class Syncs {
  /** Directories by device and inode, the one that was changed last at the end; held open, for they may be renamed. */
  readonly #directories = new Map<string, number>();
  readonly #files: number[] = [];
  #depth = 0;

  /** The directory of that path was changed. Raises node's errors. */
  directory(path: string): void {
    if (this.#depth === 0) {
      syncDirectory(path);
      return;
    }
    this.#limit();
    const { dev, ino } = fs.statSync(`${path}/.`);
    const key = `${dev}:${ino}`;
    const fd = openDirectory(path);
    const waiting = this.#directories.get(key);
    if (waiting !== undefined) fs.closeSync(waiting);
    this.#directories.delete(key);
    this.#directories.set(key, fd);
  }

  /** The open file was written; the descriptor is taken over and closed. False: it does not wait, and is still the caller's. */
  file(fd: number): boolean {
    if (this.#depth === 0) return false;
    this.#limit();
    this.#files.push(fd);
    return true;
  }

  /** Does work whose directories are synced once for many changes: by `now`, and at its end. Raises what `now` raises. */
  async together<T>(work: () => Promise<T>): Promise<T> {
    this.#depth++;
    let done: T;
    try {
      done = await work();
    } catch (error) {
      this.#depth--;
      // What went wrong first is what is told.
      if (this.#depth === 0) this.#all();
      throw error;
    }
    this.#depth--;
    if (this.#depth === 0) this.now();
    return done;
  }

  /** Syncs what waits: contents, then names. Everything is tried; raises the first failure, as Root.write does. */
  now(): void {
    const [failed] = this.#all();
    if (failed !== undefined) throw failed;
  }

  #limit(): void {
    if (this.#directories.size + this.#files.length >= MOST) this.now();
  }

  #all(): KpmError[] {
    const errors: KpmError[] = [];
    const each = (fd: number, directory: boolean): void => {
      try {
        syncOpen(fd, directory);
      } catch (error) {
        errors.push(unwritable(pathOf(fd), error));
      } finally {
        fs.closeSync(fd);
      }
    };
    for (const fd of this.#files.splice(0)) each(fd, false);
    const directories = [...this.#directories.values()];
    this.#directories.clear();
    for (const fd of directories) each(fd, true);
    return errors;
  }
}

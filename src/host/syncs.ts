// What was changed and has to be synced: at once, or, inside of `together`, each directory and file once for many changes.
// A change is complete for everybody who looks from the moment it is made; syncing is about power cuts alone.
// Source: fsync(2): a new name is durable when its directory is synced.
import fs from 'node:fs';
import { hasErrno, type KpmError } from '../errors.ts';
import { unwritable } from './failure.ts';

/** Open descriptors that may wait; a process may have 1024 of them. What comes when there are so many is synced at once. */
const MOST = 128;

/** Some file systems (FUSE, 9p) cannot sync a directory; they say so in these words. */
const cannot = (error: unknown, directory: boolean): boolean =>
  directory && hasErrno(error, 'EINVAL', 'ENOTSUP', 'ENOSYS');

function syncDirectory(path: string): void {
  const fd = openDirectory(path);
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    if (!cannot(error, true)) throw error;
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

/** Syncs what is open, side by side: a disk that is asked for many at once writes them together. Gives what failed, in order. */
async function syncAll(open: readonly number[], directories: boolean): Promise<KpmError[]> {
  const ends = open.map((fd) => new Promise<unknown>((resolve) => fs.fsync(fd, (error) => resolve(error ?? null))));
  const errors: KpmError[] = [];
  for (const [n, error] of (await Promise.all(ends)).entries()) {
    const fd = open[n] as number;
    if (error !== null && !cannot(error, directories)) errors.push(unwritable(pathOf(fd), error));
    fs.closeSync(fd);
  }
  return errors;
}

/** The changes of one root that are not synced yet. */
export class Syncs {
  /** By device and inode; held open, for they may be renamed. */
  readonly #directories = new Map<string, number>();
  readonly #files: number[] = [];
  #depth = 0;

  /** The directory of that path was changed. Raises node's errors. */
  directory(path: string): void {
    if (!this.#waits()) {
      syncDirectory(path);
      return;
    }
    const { dev, ino } = fs.statSync(`${path}/.`);
    const key = `${dev}:${ino}`;
    if (!this.#directories.has(key)) this.#directories.set(key, openDirectory(path));
  }

  /** The open file was written; the descriptor is taken over and closed. False: it does not wait, and is still the caller's. */
  file(fd: number): boolean {
    if (!this.#waits()) return false;
    this.#files.push(fd);
    return true;
  }

  /**
   * Does work whose directories are synced once for many changes: by `settle`, and at its end. Raises what `settle` raises.
   */
  async together<T>(work: () => Promise<T>): Promise<T> {
    this.#depth++;
    let done: T;
    try {
      done = await work();
    } catch (error) {
      this.#depth--;
      // What went wrong first is what is told.
      if (this.#depth === 0) await this.#all();
      throw error;
    }
    this.#depth--;
    if (this.#depth === 0) await this.settle();
    return done;
  }

  /** Syncs what waits: contents, then names. Everything is tried; raises the first failure, as Root.write does. */
  async settle(): Promise<void> {
    const [failed] = await this.#all();
    if (failed !== undefined) throw failed;
  }

  #waits(): boolean {
    return this.#depth > 0 && this.#directories.size + this.#files.length < MOST;
  }

  async #all(): Promise<KpmError[]> {
    const files = this.#files.splice(0);
    const directories = [...this.#directories.values()];
    this.#directories.clear();
    return [...(await syncAll(files, false)), ...(await syncAll(directories, true))];
  }
}

// Root: a directory as a capability. Every path is relative to it and cannot leave it; production is '/', tests use a
// temporary directory with the same code. All changes of the file system of the program go through here.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { hasErrno, KpmError } from '../errors.ts';
import { type Place, through, walk } from './walk.ts';

export interface WriteOptions {
  /** Permission bits; 0o644 unless said. */
  readonly mode?: number;
  /** Modification time, seconds since 1970. */
  readonly mtime?: number;
  /** Called with the temporary file's path before it is renamed into place (labels). */
  readonly beforeCommit?: (temporary: string) => void;
}

/** Told before each change of the file system; tests stop the program there. */
export type ChangeHook = (what: string, relative: string) => void;

export class Root {
  readonly path: string;
  readonly #hook: ChangeHook | null;

  /** `directory` must exist; it is made absolute, links in it are resolved once. */
  constructor(directory: string, hook: ChangeHook | null = null) {
    this.path = fs.realpathSync(path.resolve(directory));
    this.#hook = hook;
  }

  /** Whether this is the real root of the running system. */
  get isHost(): boolean {
    return this.path === '/';
  }

  /** The path as shown to people: below this root, absolute. */
  show(relative: string): string {
    return path.posix.join(this.path, relative);
  }

  /** The bytes of a file; null when it (or a directory on the way) does not exist. */
  read(relative: string, maxBytes = 64 * 1024 * 1024): Buffer | null {
    const fd = this.openRead(relative);
    if (fd === null) return null;
    try {
      const { size } = fs.fstatSync(fd);
      if (size > maxBytes) {
        throw new KpmError('file-unreadable', {
          text: `${this.show(relative)} is ${size} bytes long, more than the ${maxBytes} allowed here.`,
          subject: this.show(relative),
        });
      }
      return fs.readFileSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** The text (UTF-8) of a file; null when it does not exist. */
  readText(relative: string, maxBytes?: number): string | null {
    return this.read(relative, maxBytes)?.toString('utf8') ?? null;
  }

  /** An open descriptor of a regular file, for the caller to close; null when it does not exist. */
  openRead(relative: string): number | null {
    return this.#at(relative, true, (place) => {
      // O_NONBLOCK: a fifo in the way must not hang us.
      const fd = fs.openSync(through(place), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
      const stat = fs.fstatSync(fd);
      if (!stat.isFile()) {
        fs.closeSync(fd);
        throw new KpmError('file-unreadable', {
          text: `${this.show(relative)} is not a regular file.`,
          subject: this.show(relative),
        });
      }
      return fd;
    });
  }

  /** lstat of the last component (links on the way are followed inside the root); null when absent. */
  lstat(relative: string): fs.Stats | null {
    return this.#at(relative, false, (place) => fs.lstatSync(through(place)));
  }

  /** stat, the last link followed inside the root; null when absent. */
  stat(relative: string): fs.Stats | null {
    return this.#at(relative, true, (place) => fs.lstatSync(through(place)));
  }

  exists(relative: string): boolean {
    return this.stat(relative) !== null;
  }

  /** The names in a directory, sorted; empty when it does not exist. */
  list(relative: string): string[] {
    return this.#at(relative, true, (place) => fs.readdirSync(through(place)))?.sort() ?? [];
  }

  /** Creates a directory and its parents; existing ones are left as they are. */
  mkdirs(relative: string, mode = 0o755): void {
    const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
    for (let n = 1; n <= parts.length; n++) {
      const sofar = parts.slice(0, n).join('/');
      if (this.stat(sofar)?.isDirectory()) continue;
      this.#change('mkdir', sofar, () =>
        this.#inside(sofar, true, (place) => {
          fs.mkdirSync(through(place), { mode });
          fsyncDir(place.dir);
        }),
      );
    }
  }

  /** Writes a file so that at any moment the old or the new content is there: temporary file, fsync, rename, fsync. */
  write(relative: string, data: Buffer | string, options: WriteOptions = {}): void {
    // A link as last component is replaced, never written through.
    this.#change('write', relative, () =>
      this.#inside(relative, false, (place) => {
        const temporary = `.${place.name}.${randomBytes(6).toString('hex')}.tmp`;
        const scratch: Place = { dir: place.dir, name: temporary };
        try {
          const fd = fs.openSync(through(scratch), 'wx', 0o600);
          try {
            fs.writeFileSync(fd, data);
            fs.fchmodSync(fd, options.mode ?? 0o644);
            if (options.mtime !== undefined) fs.futimesSync(fd, options.mtime, options.mtime);
            fs.fsyncSync(fd);
          } finally {
            fs.closeSync(fd);
          }
          options.beforeCommit?.(through(scratch));
          fs.renameSync(through(scratch), through(place));
        } catch (error) {
          fs.rmSync(through(scratch), { force: true });
          throw error;
        }
        fsyncDir(place.dir);
      }),
    );
  }

  /**
   * Writes into an existing file in place, in one write: for attributes of the kernel (sysfs), which cannot be replaced.
   * Raises as `write` does; the errno of the kernel's answer (EBUSY, EINVAL, ENOENT ...) is in `cause`.
   */
  writeAttribute(relative: string, text: string): void {
    this.#change('attribute', relative, () =>
      this.#inside(relative, true, (place) => {
        const fd = fs.openSync(through(place), fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW);
        try {
          fs.writeSync(fd, text);
        } finally {
          fs.closeSync(fd);
        }
      }),
    );
  }

  /** Renames inside the root, replacing `to`; both directories are synced. Both must be on one file system. */
  rename(from: string, to: string): void {
    this.#change('rename', to, () =>
      this.#inside(from, false, (source) =>
        this.#inside(to, false, (target) => {
          fs.renameSync(through(source), through(target));
          fsyncDir(target.dir);
          fsyncDir(source.dir);
        }),
      ),
    );
  }

  /**
   * An open descriptor of a regular file for reading and writing, created where it does not exist; for the caller to close.
   * For the lock file and for downloads that can be resumed: everything else is written by `write`.
   */
  openReadWrite(relative: string, mode: number): number {
    return this.#change('open', relative, () =>
      this.#inside(relative, false, (place) => {
        const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
        const fd = fs.openSync(through(place), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode);
        if (fs.fstatSync(fd).isFile()) return fd;
        fs.closeSync(fd);
        throw new KpmError('file-unwritable', {
          text: `${this.show(relative)} is not a regular file.`,
          subject: this.show(relative),
        });
      }),
    );
  }

  /** Bytes an unprivileged process could still write on the file system of a path (or of its nearest existing parent). */
  freeBytes(relative: string): { readonly device: number; readonly bytes: number } {
    let at = relative;
    while (at !== '' && at !== '.' && !this.stat(at)?.isDirectory()) at = path.posix.dirname(at);
    return this.#inside(at === '' ? '.' : at, true, (place) => {
      const { bavail, bsize } = fs.statfsSync(through(place));
      return { device: fs.statSync(through(place)).dev, bytes: bavail * bsize };
    });
  }

  /** Makes a symbolic link, in place of a link or file of that name, atomically. */
  symlink(target: string, relative: string): void {
    this.#change('symlink', relative, () =>
      this.#inside(relative, false, (place) => {
        const scratch: Place = { dir: place.dir, name: `.${place.name}.${randomBytes(6).toString('hex')}.tmp` };
        fs.symlinkSync(target, through(scratch));
        try {
          fs.renameSync(through(scratch), through(place));
        } catch (error) {
          fs.rmSync(through(scratch), { force: true });
          throw error;
        }
        fsyncDir(place.dir);
      }),
    );
  }

  /** The text of a symbolic link; null when there is none of that name. */
  readlink(relative: string): string | null {
    if (!this.lstat(relative)?.isSymbolicLink()) return null;
    return this.#at(relative, false, (place) => fs.readlinkSync(through(place)));
  }

  /** Gives a file its final name unless that is taken, atomically; false (and `from` is gone) when it is. One file system. */
  renameNew(from: string, to: string): boolean {
    return this.#change('link', to, () =>
      this.#inside(from, false, (source) =>
        this.#inside(to, false, (target) => {
          try {
            fs.linkSync(through(source), through(target));
            fsyncDir(target.dir);
            return true;
          } catch (error) {
            if (hasErrno(error, 'EEXIST')) return false;
            throw error;
          } finally {
            fs.rmSync(through(source), { force: true });
          }
        }),
      ),
    );
  }

  /** Removes a file (never a directory); true when there was one. */
  remove(relative: string): boolean {
    if (this.lstat(relative) === null) return false;
    this.#change('remove', relative, () =>
      this.#inside(relative, false, (place) => {
        fs.rmSync(through(place), { force: true });
        fsyncDir(place.dir);
      }),
    );
    return true;
  }

  /** Removes an empty directory; false when it is not there or not empty. */
  removeEmptyDir(relative: string): boolean {
    if (!this.lstat(relative)?.isDirectory()) return false;
    try {
      this.#change('rmdir', relative, () =>
        this.#inside(relative, false, (place) => {
          fs.rmdirSync(through(place));
          fsyncDir(place.dir);
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof Error && hasErrno(error.cause, 'ENOTEMPTY', 'EEXIST')) return false;
      throw error;
    }
  }

  /** The real path of an existing entry, for external programs that must be given a name; null when absent. */
  realPath(relative: string): string | null {
    return this.#at(relative, true, (place) => {
      const dir = fs.readlinkSync(`/proc/self/fd/${place.dir}`);
      const found = place.name === '.' ? dir : path.posix.join(dir, place.name);
      fs.lstatSync(found);
      return found;
    });
  }

  /** Walks, runs, closes; null on ENOENT/ENOTDIR, other system errors as `file-unreadable`. */
  #at<T>(relative: string, followLast: boolean, use: (place: Place) => T): T | null {
    try {
      return this.#inside(relative, followLast, use);
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null;
      if (error instanceof KpmError) throw error;
      throw new KpmError('file-unreadable', {
        text: `${this.show(relative)} could not be read: ${(error as Error).message}.`,
        subject: this.show(relative),
        cause: error,
      });
    }
  }

  #inside<T>(relative: string, followLast: boolean, use: (place: Place) => T): T {
    const place = walk(this.path, relative, followLast);
    try {
      return use(place);
    } finally {
      fs.closeSync(place.dir);
    }
  }

  #change<T>(what: string, relative: string, act: () => T): T {
    this.#hook?.(what, relative);
    try {
      return act();
    } catch (error) {
      if (error instanceof KpmError) throw error;
      throw unwritable(this.show(relative), error);
    }
  }
}

function fsyncDir(fd: number): void {
  // An O_PATH descriptor cannot be synced; open the same directory for reading.
  const readable = fs.openSync(`/proc/self/fd/${fd}/.`, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(readable);
  } finally {
    fs.closeSync(readable);
  }
}

function unwritable(shown: string, error: unknown): KpmError {
  const reason = (error as Error).message;
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new KpmError('no-space', {
      text: `No space left for ${shown}.`,
      subject: shown,
      hint: `Free space on that file system (df ${path.dirname(shown)}) and run the same command again.`,
      cause: error,
    });
  }
  if (hasErrno(error, 'EROFS')) {
    return new KpmError('read-only', {
      text: `${shown} is on a read-only file system.`,
      subject: shown,
      hint: 'Remount it writable, or run where /var is writable.',
      cause: error,
    });
  }
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return new KpmError('needs-root', {
      text: `${shown} may not be changed by this user.`,
      subject: shown,
      hint: 'Run the command as root (sudo), or use --dry-run to see what it would do.',
      cause: error,
    });
  }
  return new KpmError('file-unwritable', {
    text: `${shown} could not be written: ${reason}.`,
    subject: shown,
    cause: error,
  });
}

// Root: a directory as a capability. Every path is relative to it and cannot leave it; production is '/', tests use a
// temporary directory with the same code. All changes of the file system of the program go through here.
import fs from 'node:fs';
import path from 'node:path';
import { hasErrno, KpmError } from '../errors.ts';
import { makeDirectory, removeFile, type WriteOptions, writeFile, writeLink } from './atomic.ts';
import { unreadable, unwritable } from './failure.ts';
import { Syncs } from './syncs.ts';
import { components, descriptorsPath, find, type Place, through, walk } from './walk.ts';
import { readWhole } from './whole.ts';

export type { WriteOptions } from './atomic.ts';

/** open(2): only a handle on what has that name; opening a device or fifo this way does nothing to it. */
const O_PATH = 0o10000000;

/** Told before each change of the file system; tests stop the program there. */
export type ChangeHook = (what: string, relative: string) => void;

export class Root {
  readonly path: string;
  readonly #hook: ChangeHook | null;
  readonly #descriptors: string | null;
  /** When changes are synced: at once, but inside of `syncs.together`. */
  readonly syncs = new Syncs();

  /**
   * `directory` must exist; it is made absolute, links in it are resolved once.
   * `descriptors`: see descriptorsPath; given by tests only.
   */
  constructor(directory: string, hook: ChangeHook | null = null, descriptors: string | null = descriptorsPath()) {
    this.path = fs.realpathSync(path.resolve(directory));
    this.#hook = hook;
    this.#descriptors = descriptors;
  }

  /** Whether this is the real root of the running system. */
  get isHost(): boolean {
    return this.path === '/';
  }

  /** The path as shown to people: below this root, absolute. */
  show(relative: string): string {
    return path.posix.join(this.path, relative);
  }

  /** The bytes of a file; null when it (or a directory on the way) does not exist. Never takes more than `maxBytes`. */
  read(relative: string, maxBytes = 64 * 1024 * 1024): Buffer | null {
    const fd = this.openRead(relative);
    if (fd === null) return null;
    try {
      return readWhole(fd, maxBytes);
    } catch (error) {
      throw unreadable(this.show(relative), error);
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
      const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
      // Looked at first, opened then, and the same file both times: a fifo must not hang us, a device not be touched.
      const handle = fs.openSync(through(place), O_PATH | O_NOFOLLOW);
      try {
        if (!fs.fstatSync(handle).isFile()) {
          throw new KpmError('file-unreadable', {
            text: `${this.show(relative)} is not a regular file.`,
            subject: this.show(relative),
          });
        }
        if (this.#descriptors === null) return fs.openSync(through(place), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        return fs.openSync(`${this.#descriptors}/${handle}`, O_RDONLY | O_NONBLOCK);
      } finally {
        fs.closeSync(handle);
      }
    });
  }

  /** lstat of the last component (links on the way are followed inside the root); null when absent. */
  lstat(relative: string): fs.Stats | null {
    return this.#at(relative, false, (place) => fs.lstatSync(through(place)));
  }

  /** stat, the last link followed inside the root; null when absent. */
  stat(relative: string): fs.Stats | null {
    return this.#at(relative, true, (place) => place.seen ?? fs.lstatSync(through(place)));
  }

  exists(relative: string): boolean {
    return this.stat(relative) !== null;
  }

  /** The names in a directory, sorted; empty when it does not exist. */
  list(relative: string): string[] {
    const names = this.#at(relative, true, (place) => {
      // Entered without following: nobody can put a link in its place meanwhile.
      const fd = fs.openSync(through(place), O_PATH | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
      try {
        return fs.readdirSync(this.#descriptors === null ? through(place) : `${this.#descriptors}/${fd}`);
      } finally {
        fs.closeSync(fd);
      }
    });
    return names?.sort() ?? [];
  }

  /** Creates a directory and its parents with exactly this mode; existing ones are left as they are. */
  mkdirs(relative: string, mode = 0o755, durable = true): void {
    const parts = components(relative);
    for (let n = 1; n <= parts.length; n++) {
      const sofar = parts.slice(0, n).join('/');
      if (this.stat(sofar)?.isDirectory()) continue;
      this.#change('mkdir', sofar, () => {
        const made = this.#inside(sofar, true, (place) => makeDirectory(place, mode, durable ? this.syncs : null));
        if (!made && this.stat(sofar)?.isDirectory() !== true) {
          throw unwritable(this.show(sofar), new Error('something that is no directory has that name'));
        }
      });
    }
  }

  /** Writes a file so that at any moment the old or the new content is there: temporary file, fsync, rename, fsync. */
  write(relative: string, data: Buffer | string, options: WriteOptions = {}): void {
    // A link as last component is replaced, never written through.
    this.#change('write', relative, () =>
      this.#inside(relative, false, (place) => writeFile(place, data, options, this.syncs)),
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
          this.syncs.directory(target.base);
          this.syncs.directory(source.base);
        }),
      ),
    );
  }

  /** A descriptor for reading and writing, for the caller to close; made where there is no such file: for locks, and downloads that are resumed. */
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

  /** Makes a symbolic link, in place of a link or file of that name, atomically. */
  symlink(target: string, relative: string): void {
    this.#change('symlink', relative, () =>
      this.#inside(relative, false, (place) => writeLink(place, target, this.syncs)),
    );
  }

  /** The text of a symbolic link; null when there is none of that name. */
  readlink(relative: string): string | null {
    if (!this.lstat(relative)?.isSymbolicLink()) return null;
    return this.#at(relative, false, (place) => fs.readlinkSync(through(place)));
  }

  /** Gives a file its final name unless that is taken, atomically; false (and `from` is gone) when it is. One file system. */
  renameNew(from: string, to: string): boolean {
    try {
      return this.link(from, to);
    } finally {
      this.#change('remove', from, () => this.#inside(from, false, removeFile));
    }
  }

  /** Gives a file a second name unless that is taken; false when it is. One file system. */
  link(from: string, to: string): boolean {
    return this.#change('link', to, () =>
      this.#inside(from, false, (source) =>
        this.#inside(to, false, (target) => {
          try {
            fs.linkSync(through(source), through(target));
          } catch (error) {
            if (hasErrno(error, 'EEXIST')) return false;
            throw error;
          }
          this.syncs.directory(target.base);
          return true;
        }),
      ),
    );
  }

  /** Removes a file (never a directory); true when there was one. */
  remove(relative: string): boolean {
    if (this.lstat(relative) === null) return false;
    this.#change('remove', relative, () =>
      this.#inside(relative, false, (place) => {
        removeFile(place);
        this.syncs.directory(place.base);
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
          this.syncs.directory(place.base);
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
      const dir = this.#descriptors === null ? place.base : fs.readlinkSync(place.base);
      const found = place.name === '.' ? dir : path.posix.join(dir, place.name);
      fs.lstatSync(found);
      return found;
    });
  }

  /** Walks, runs, closes; null on ENOENT/ENOTDIR, other system errors as `file-unreadable`. */
  #at<T>(relative: string, followLast: boolean, use: (place: Place) => T): T | null {
    try {
      const place = find(this.path, relative, followLast, this.#descriptors);
      if (place === null) return null;
      try {
        return place.seen === null ? null : use(place);
      } finally {
        fs.closeSync(place.dir);
      }
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null;
      if (error instanceof KpmError) throw error;
      throw unreadable(this.show(relative), error);
    }
  }

  #inside<T>(relative: string, followLast: boolean, use: (place: Place) => T): T {
    const place = walk(this.path, relative, followLast, this.#descriptors);
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

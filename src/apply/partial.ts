// A download in the making: in memory, and in a file of the cache, so that the next run can go on with it.
import fs from 'node:fs';
import { hasErrno, KpmError } from '../errors.ts';
import { Gathering } from '../formats/gather.ts';
import { unreadable, unwritable } from '../host/failure.ts';
import { stillNamed } from '../host/flock.ts';
import type { Root } from '../host/root.ts';
import { isOurs, type Place } from '../state/cache.ts';

export interface Partial {
  /** Bytes so far. */
  readonly size: number;
  append(chunk: Buffer): void;
  /** Everything so far. */
  bytes(): Buffer;
  /** Back to nothing. */
  reset(): void;
  /** The download is whole and right: keeps it under its own name. False where it stays in memory alone. */
  commit(): boolean;
  /** Ends the work; what is there stays for the next run unless it was committed or reset. */
  close(): void;
}

/**
 * Starts, or goes on with, `relative` (below the cache); in memory alone where the cache cannot be written. The bytes are in
 * memory either way: another run that fetches the same package writes into the same file, and may truncate it.
 * `expected`: bytes that will probably come. Raises `no-space`, `file-unreadable`.
 */
export function openPartial(place: Place | null, relative: string, expected = 0): Partial {
  const file = place === null ? null : openPart(place, `${place.base}/${relative}`);
  let gathered = new Gathering(expected);
  try {
    const begun = file?.begun();
    if (begun) gathered.take(begun);
  } catch (error) {
    file?.close(false);
    throw error;
  }
  let open = true;
  return {
    get size() {
      return gathered.bytes.length;
    },
    append(chunk) {
      file?.write(chunk, gathered.bytes.length);
      gathered.take(chunk);
    },
    bytes: () => gathered.bytes,
    reset() {
      file?.truncate();
      gathered = new Gathering(expected);
    },
    commit: () => file?.keep() ?? false,
    close() {
      if (!open) return;
      open = false;
      file?.close(gathered.bytes.length === 0);
    },
  };
}

/** The file of a download in the making. */
interface Part {
  /** What an earlier attempt left. Raises `file-unreadable`. */
  begun(): Buffer;
  /** Raises `no-space`, `file-unwritable`. */
  write(chunk: Buffer, position: number): void;
  truncate(): void;
  /** Gives it its own name, unless another run did so first. False where the name no longer leads to it. */
  keep(): boolean;
  close(remove: boolean): void;
}

/** Null where the cache cannot be written, is somebody else's, or something that is not ours lies in its place. Raises `no-space`. */
function openPart(place: Place, target: string): Part | null {
  const { root, mode } = place;
  const part = `${target}.part`;
  const shown = root.show(part);
  let fd: number;
  try {
    if (!isOurs(place)) return null;
    root.mkdirs(target.slice(0, target.lastIndexOf('/')), mode);
    fd = root.openReadWrite(part, mode === 0o700 ? 0o600 : 0o644);
  } catch (error) {
    if (error instanceof KpmError && error.code !== 'no-space') return null;
    throw error;
  }
  const size = begunIn(fd);
  if (size === null) {
    fs.closeSync(fd);
    return null;
  }
  return {
    begun: () => read(fd, size, shown),
    write(chunk, position) {
      for (let done = 0; done < chunk.length; ) done += write(fd, chunk, done, position + done, shown);
    },
    truncate() {
      try {
        fs.ftruncateSync(fd, 0);
      } catch (error) {
        throw unwritable(shown, error);
      }
    },
    keep() {
      if (!isStill(root, part, fd)) return false;
      try {
        root.rename(part, target);
        return true;
      } catch (error) {
        // Another run was quicker.
        if (!(error instanceof KpmError && hasErrno(error.cause, 'ENOENT'))) throw error;
        return false;
      }
    },
    close(remove) {
      fs.closeSync(fd);
      if (remove) root.remove(part);
    },
  };
}

/** Whether the name still leads to the open file. */
function isStill(root: Root, path: string, fd: number): boolean {
  try {
    return stillNamed(fd, root.lstat(path));
  } catch {
    // Not to be kept then; the bytes are in memory.
    return false;
  }
}

function read(fd: number, size: number, shown: string): Buffer {
  const whole = Buffer.alloc(size);
  let at = 0;
  try {
    while (at < size) {
      const got = fs.readSync(fd, whole, at, size - at, at);
      if (got === 0) break;
      at += got;
    }
  } catch (error) {
    throw unreadable(shown, error);
  }
  return whole.subarray(0, at);
}

/** Bytes of an open file; null where it cannot be told, or is a file of somebody else, or one that has a second name. */
function begunIn(fd: number): number | null {
  try {
    const { size, nlink, uid } = fs.fstatSync(fd);
    return nlink === 1 && uid === process.geteuid?.() ? size : null;
  } catch {
    // Not to be used then; the download goes on without.
    return null;
  }
}

function write(fd: number, chunk: Buffer, from: number, position: number, shown: string): number {
  try {
    return fs.writeSync(fd, chunk, from, chunk.length - from, position);
  } catch (cause) {
    if (!hasErrno(cause, 'ENOSPC', 'EDQUOT')) throw unwritable(shown, cause);
    throw new KpmError('no-space', {
      text: `No space left for ${shown}.`,
      subject: shown,
      hint: 'Free space in the cache (kpatch-pm clean packages) and run the same command again.',
      cause,
    });
  }
}

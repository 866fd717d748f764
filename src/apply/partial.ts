// A download in the making: in a file of the cache, so that the next run can go on with it, or in memory where there is none.
import fs from 'node:fs';
import { hasErrno, KpmError } from '../errors.ts';
import { unreadable, unwritable } from '../host/failure.ts';
import type { Place } from '../state/cache.ts';

export interface Partial {
  /** Bytes so far. */
  readonly size: number;
  append(chunk: Buffer): void;
  /** Everything so far. */
  bytes(): Buffer;
  /** Back to nothing. */
  reset(): void;
  /** The download is whole and right: keeps it under its own name. */
  commit(): void;
  /** Ends the work; what is there stays for the next run unless it was committed or reset. */
  close(): void;
}

/** Starts, or goes on with, `relative` (below the cache); in memory where the cache cannot be written. */
export function openPartial(place: Place | null, relative: string): Partial {
  if (place === null) return inMemory();
  const target = `${place.base}/${relative}`;
  const part = `${target}.part`;
  const shown = place.root.show(part);
  let fd: number;
  try {
    place.root.mkdirs(target.slice(0, target.lastIndexOf('/')), place.mode);
    fd = place.root.openReadWrite(part, place.mode === 0o700 ? 0o600 : 0o644);
  } catch (error) {
    if (error instanceof KpmError && error.code !== 'no-space') return inMemory();
    throw error;
  }
  const begun = begunIn(fd);
  if (begun === null) {
    fs.closeSync(fd);
    return inMemory();
  }
  let size = begun;
  let open = true;
  return {
    get size() {
      return size;
    },
    append(chunk) {
      for (let done = 0; done < chunk.length; ) done += write(fd, chunk, done, size + done, shown);
      size += chunk.length;
    },
    bytes() {
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
    },
    reset() {
      try {
        fs.ftruncateSync(fd, 0);
      } catch (error) {
        throw unwritable(shown, error);
      }
      size = 0;
    },
    commit() {
      place.root.rename(part, target);
    },
    close() {
      if (!open) return;
      open = false;
      fs.closeSync(fd);
      if (size === 0) place.root.remove(part);
    },
  };
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

function inMemory(): Partial {
  let parts: Buffer[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    append(chunk) {
      parts.push(chunk);
      size += chunk.length;
    },
    bytes: () => Buffer.concat(parts, size),
    reset() {
      parts = [];
      size = 0;
    },
    commit() {},
    close() {},
  };
}

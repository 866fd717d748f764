// Standard output and standard error. node's own streams for them take ten milliseconds to load, and are needed for a
// terminal only (its width, its colours); into a file, a pipe or nowhere the text goes as it is.
import { fstatSync, writeSync } from 'node:fs';

/** /dev/null, /dev/full and the like, which node's streams take for nothing at all. Source: Linux, Documentation/admin-guide/devices.txt, major 1. */
const MEMORY_DEVICES = 1;

export interface StandardStream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Of a terminal. */
  readonly columns: number | undefined;
  /** Why something that was written is lost; null: nothing is. A reader that went away (EPIPE) wanted no more. */
  readonly failed: NodeJS.ErrnoException | null;
  /** Calls once everything written has left. */
  flush(then: () => void): void;
}

/** The stream of a descriptor. Text that cannot be written (a reader that went away, a full disk) is lost, and the work goes on. */
export function standardStream(fd: 1 | 2): StandardStream {
  let stream: NodeJS.WriteStream | null = null;
  let failed: NodeJS.ErrnoException | null = null;
  const lose = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') failed ??= error;
  };
  const byNode = (): NodeJS.WriteStream => {
    if (stream === null) {
      stream = fd === 1 ? process.stdout : process.stderr;
      stream.on('error', lose);
    }
    return stream;
  };
  const direct = isPlain(fd);
  return {
    write(text) {
      if (!direct || stream !== null) byNode().write(text);
      else {
        const rest = writeAll(fd, Buffer.from(text), lose);
        if (rest !== null) byNode().write(rest);
      }
    },
    get isTTY() {
      return !direct && byNode().isTTY === true;
    },
    get columns() {
      return direct ? undefined : byNode().columns;
    },
    get failed() {
      return failed;
    },
    flush(then) {
      if (stream === null) then();
      else stream.write('', () => then());
    },
  };
}

/** Whether it is surely no terminal. */
function isPlain(fd: number): boolean {
  try {
    const found = fstatSync(fd);
    return found.isFile() || found.isFIFO() || found.isSocket() || found.rdev >> 8 === MEMORY_DEVICES;
  } catch {
    return false;
  }
}

/** Writes; gives what is left where the other end takes no more for now (somebody made the pipe non-blocking). */
function writeAll(fd: number, bytes: Buffer, lose: (error: NodeJS.ErrnoException) => void): Buffer | null {
  try {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(fd, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return bytes.subarray(at);
        throw error;
      }
    }
  } catch (error) {
    lose(error as NodeJS.ErrnoException);
  }
  return null;
}

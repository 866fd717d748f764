// Standard output and standard error. node's own streams for them take ten milliseconds to load, and are needed for a
// terminal only (its width, its colours); into a file, a pipe or nowhere the text goes as it is.
import { fstatSync, writeSync } from 'node:fs';

/** The device /dev/null. Source: Linux, Documentation/admin-guide/devices.txt: character device 1, 3. */
const NULL_DEVICE = 0x103;

export interface StandardStream {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Of a terminal. */
  readonly columns: number | undefined;
  /** Calls once everything written has left. */
  flush(then: () => void): void;
}

/** The stream of a descriptor. Text that cannot be written (a reader that went away, a full disk) is lost: the work goes on. */
export function standardStream(fd: 1 | 2): StandardStream {
  let stream: NodeJS.WriteStream | null = null;
  const byNode = (): NodeJS.WriteStream => {
    if (stream === null) {
      stream = fd === 1 ? process.stdout : process.stderr;
      stream.on('error', () => undefined);
    }
    return stream;
  };
  const direct = isPlain(fd);
  return {
    write(text) {
      if (!direct || stream !== null) byNode().write(text);
      else {
        const rest = writeAll(fd, Buffer.from(text));
        if (rest !== null) byNode().write(rest);
      }
    },
    get isTTY() {
      return !direct && byNode().isTTY === true;
    },
    get columns() {
      return direct ? undefined : byNode().columns;
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
    return found.isFile() || found.isFIFO() || found.isSocket() || found.rdev === NULL_DEVICE;
  } catch {
    return false;
  }
}

/** Writes; gives what is left where the other end takes no more for now (somebody made the pipe non-blocking). */
function writeAll(fd: number, bytes: Buffer): Buffer | null {
  try {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(fd, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return bytes.subarray(at);
        throw error;
      }
    }
  } catch {
    // Lost, as said above.
  }
  return null;
}

// A pair of connected sockets: one end for a child's output, the other read into one piece of memory, again and again or
// from its front to its end. What node reads from a child's pipe it puts into a new piece of 64 KiB each time: for a package list of 250 MB that is
// three times the processor time, and 30 MB of memory that waits to be collected (docs/performance.md).
import fs from 'node:fs';
import net from 'node:net';

/** Only root may make anything in /run, and nobody else enters here: no one can stand between the two ends. Source: file-hierarchy(7), /run. */
const PLACE = '/run/kpatch-pm';
/** More than a socket holds at a time (net.core.rmem_default is 212,992). */
const SIZE = 256 * 1024;
/** Below this a piece is small (xz writes 8 KiB at a time): then more is left to gather, for so many milliseconds at first. */
const SMALL = 64 * 1024;
const GATHER = 2;
/** A socket is full with some 100 KB of such writes. Found full so many times more often than not, it was waited for too long. */
const FULL = 88 * 1024;
const OFTEN = 8;

export interface Pair {
  /** For the child; to be destroyed here once it has it. */
  readonly theirs: net.Socket;
  /** What arrives, to its end. Each piece is valid only until the next is asked for, unless all of them are to be kept. */
  readonly pieces: AsyncIterable<Buffer>;
  /** Ends it before its end. */
  close(): void;
}

/**
 * A pair; null where there can be none (not root, no /run, a sandbox): then the ordinary way must do. `keep`: bytes that
 * will probably arrive, of which the pieces are kept: they lie side by side, as far as this was right.
 */
export async function socketPair(keep: number | null = null, place: string = PLACE): Promise<Pair | null> {
  if (!ready(place)) return null;
  const name = `${place}/${process.pid}-${++made}`;
  const server = net.createServer({ pauseOnConnect: true });
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(name, resolve));
    const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
    const { socket, pieces } = await reading(name, keep);
    const theirs = await accepted;
    return { theirs, pieces, close: () => socket.destroy() };
  } catch (error) {
    // Forbidden by a sandbox, no descriptors, no space: whatever it is, the ordinary way needs less.
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    return null;
  } finally {
    // Takes the name away too.
    server.close();
  }
}

let made = 0;
const prepared = new Set<string>();

/** Makes the directory, once a run, and clears it of what killed runs left; false where it cannot be had. */
function ready(place: string): boolean {
  if (process.geteuid?.() !== 0) return false;
  if (prepared.has(place)) return true;
  try {
    if (!fs.existsSync(place)) fs.mkdirSync(place, { mode: 0o700 });
    const { uid, mode } = fs.lstatSync(place);
    if (uid !== 0 || (mode & 0o170_077) !== 0o040_000) return false;
    for (const name of fs.readdirSync(place)) {
      const pid = Number.parseInt(name, 10);
      if (pid === process.pid || !alive(pid)) fs.rmSync(`${place}/${name}`, { force: true });
    }
  } catch {
    // Read-only, full or absent.
    return false;
  }
  prepared.add(place);
  return true;
}

/** Whether a process of that number runs. One of another container that is taken for dead loses its name, and goes the ordinary way. */
function alive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Connects, and reads as far as pieces are asked for. */
function reading(name: string, keep: number | null): Promise<{ socket: net.Socket; pieces: AsyncIterable<Buffer> }> {
  let room = Buffer.allocUnsafeSlow(Math.max(SIZE, keep ?? 0));
  let filled = 0;
  const arrived: Buffer[] = [];
  let stopped = false;
  let over = false;
  let failure: Error | null = null;
  let wake = (): void => undefined;
  const socket = net.connect({
    path: name,
    onread: {
      buffer: () => {
        if (filled === room.length) {
          room = Buffer.allocUnsafeSlow(SIZE);
          filled = 0;
        }
        return room.subarray(filled);
      },
      // False: nothing more is read until the reader is done.
      callback: (length) => {
        arrived.push(room.subarray(filled, filled + length));
        if (keep !== null) filled += length;
        stopped = keep === null || length < SMALL || arrived.length > 1;
        wake();
        return !stopped;
      },
    },
  });
  socket.on('error', (error) => {
    failure = error;
    wake();
  });
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      over = true;
      wake();
    });
  }
  async function* pieces(): AsyncGenerator<Buffer> {
    let patience = GATHER;
    let waited = false;
    let full = 0;
    for (;;) {
      const piece = arrived.shift();
      if (piece !== undefined) {
        if (waited) full = Math.max(0, full + (piece.length >= FULL ? 1 : -1));
        waited = false;
        if (full === OFTEN) {
          // The writer had to wait for us.
          patience--;
          full = 0;
        }
        yield piece;
        if (!stopped || arrived.length > 0) continue;
        if (piece.length < SMALL && patience > 0) {
          await new Promise((resolve) => setTimeout(resolve, patience));
          waited = true;
        }
        stopped = false;
        socket.resume();
      } else if (failure !== null) throw failure;
      else if (over) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => resolve({ socket, pieces: pieces() }));
  });
}

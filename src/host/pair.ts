// A pair of connected sockets: one end for a child's output, the other read into one piece of memory, again and again.
// What node reads from a child's pipe it puts into a new piece of 64 KiB each time: for a package list of 250 MB that is
// three times the processor time, and 30 MB of memory that waits to be collected (docs/performance.md).
import fs from 'node:fs';
import net from 'node:net';

/** Only root may make anything here: nobody else can stand between the two ends. Source: file-hierarchy(7), /run. */
const PLACE = '/run';
/** More than a socket holds at a time (net.core.rmem_default is 212,992). */
const SIZE = 256 * 1024;

export interface Pair {
  /** For the child; to be destroyed here once it has it. */
  readonly theirs: net.Socket;
  /** What arrives, to its end. Each piece is valid only until the next is asked for. */
  readonly pieces: AsyncIterable<Buffer>;
  /** Ends it before its end. */
  close(): void;
}

/** A pair; null where there can be none (not root, no /run, a sandbox): then the ordinary way must do. */
export async function socketPair(): Promise<Pair | null> {
  const directory = ownDirectory();
  if (directory === null) return null;
  const server = net.createServer({ pauseOnConnect: true });
  try {
    const name = `${directory}/s`;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(name, resolve));
    const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
    const { socket, pieces } = await reading(name);
    const theirs = await accepted;
    return { theirs, pieces, close: () => socket.destroy() };
  } catch (error) {
    // Forbidden by a sandbox, no descriptors, no space: whatever it is, the ordinary way needs less.
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    return null;
  } finally {
    server.close();
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function ownDirectory(): string | null {
  if (process.geteuid?.() !== 0) return null;
  try {
    return fs.mkdtempSync(`${PLACE}/kpatch-pm-`);
  } catch {
    // Read-only, full or absent.
    return null;
  }
}

/** Connects, and reads as far as pieces are asked for. */
function reading(name: string): Promise<{ socket: net.Socket; pieces: AsyncIterable<Buffer> }> {
  const buffer = Buffer.allocUnsafeSlow(SIZE);
  let piece: Buffer | null = null;
  let over = false;
  let failure: Error | null = null;
  let wake = (): void => undefined;
  const socket = net.connect({
    path: name,
    onread: {
      buffer,
      // False: nothing more is read into the buffer until its reader is done.
      callback: (length) => {
        piece = buffer.subarray(0, length);
        wake();
        return false;
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
    for (;;) {
      if (piece !== null) {
        const given = piece;
        piece = null;
        yield given;
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

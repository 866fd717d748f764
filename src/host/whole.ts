// The whole content of an open file.
import fs from 'node:fs';

const FIRST = 16 * 1024;

/** Reads to the end, whatever size the file tells. Raises where it is longer than `maxBytes`, and node's errors. */
export function readWhole(fd: number, maxBytes: number): Buffer {
  // Files of /proc and /sys do not tell their size, others may grow: only reading shows the end.
  const pieces: Buffer[] = [];
  let total = 0;
  let free: Buffer = Buffer.alloc(0);
  for (;;) {
    if (free.length === 0) {
      free = Buffer.allocUnsafe(Math.min(FIRST * 4 ** Math.min(pieces.length, 4), maxBytes + 1 - total));
    }
    const bytes = fs.readSync(fd, free);
    if (bytes === 0) return Buffer.concat(pieces, total);
    pieces.push(free.subarray(0, bytes));
    free = free.subarray(bytes);
    total += bytes;
    if (total > maxBytes) throw new Error(`it is longer than the ${maxBytes} bytes allowed here`);
  }
}

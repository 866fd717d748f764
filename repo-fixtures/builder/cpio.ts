// cpio "newc" archives as lists of entries, for building hostile ones.

export interface CpioEntry {
  readonly name: string;
  readonly mode: number;
  readonly data: Buffer;
  /** Number of links; the rest of a hard link's entries share `inode`. */
  readonly links?: number;
  readonly inode?: number;
  /** Written in place of the real sizes: lies of the archive. */
  readonly claims?: { readonly size?: number; readonly nameSize?: number };
  /** Written in place of the magic. */
  readonly magic?: string;
}

const TRAILER = 'TRAILER!!!';
const padded = (length: number) => Math.ceil(length / 4) * 4;

export function readCpio(bytes: Buffer): CpioEntry[] {
  const entries: CpioEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const field = (index: number) =>
      Number.parseInt(bytes.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [inode, mode, links, size, nameSize] = [field(0), field(1), field(4), field(6), field(11)];
    const name = bytes.toString('utf8', at + 110, at + 110 + nameSize - 1);
    if (name === TRAILER) return entries;
    const start = at + padded(110 + nameSize);
    entries.push({ name, mode, inode, links, data: bytes.subarray(start, start + size) });
    at = start + padded(size);
  }
  throw new Error('the archive has no trailer');
}

function writeEntry(entry: CpioEntry): Buffer {
  const name = Buffer.from(`${entry.name}\0`);
  const numbers = [
    entry.inode ?? 1,
    entry.mode,
    0,
    0,
    entry.links ?? 1,
    0,
    entry.claims?.size ?? entry.data.length,
    0,
    0,
    0,
    0,
    entry.claims?.nameSize ?? name.length,
    0,
  ];
  const head = `${entry.magic ?? '070701'}${numbers.map((value) => value.toString(16).padStart(8, '0')).join('')}`;
  const front = Buffer.concat([Buffer.from(head), name]);
  const gap = Buffer.alloc(padded(front.length) - front.length);
  return Buffer.concat([front, gap, entry.data, Buffer.alloc(padded(entry.data.length) - entry.data.length)]);
}

/** `tail` follows the trailer; without `trailer` the archive ends after its last entry. */
export function writeCpio(entries: readonly CpioEntry[], options: { trailer?: boolean; tail?: Buffer } = {}): Buffer {
  const end =
    options.trailer === false ? [] : [writeEntry({ name: TRAILER, mode: 0, inode: 0, data: Buffer.alloc(0) })];
  return Buffer.concat([...entries.map(writeEntry), ...end, ...(options.tail ? [options.tail] : [])]);
}

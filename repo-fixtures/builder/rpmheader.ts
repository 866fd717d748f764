// An rpm header taken apart and put together again (RPM file format v4: index of 16-byte entries, then a data store).

export interface HeaderEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly data: Buffer;
}

const MAGIC = Buffer.from('8eade80100000000', 'hex');
const BIN = 7;
const WIDTH: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1 };
/** Region tags: they cover all other entries. */
export const REGION = { signature: 62, header: 63 } as const;

/** Length in bytes of the header that begins at `at`. */
export function headerLength(bytes: Buffer, at: number): number {
  if (!bytes.subarray(at, at + 4).equals(MAGIC.subarray(0, 4))) throw new Error(`no rpm header at byte ${at}`);
  return 16 + bytes.readUInt32BE(at + 8) * 16 + bytes.readUInt32BE(at + 12);
}

function dataLength(store: Buffer, type: number, offset: number, count: number): number {
  const width = WIDTH[type];
  if (width !== undefined) return width * count;
  let end = offset;
  for (let left = count; left > 0; left--) end = store.indexOf(0, end) + 1;
  return end - offset;
}

/** The entries of a header without its region entry. */
export function readHeader(bytes: Buffer): HeaderEntry[] {
  const count = bytes.readUInt32BE(8);
  const store = bytes.subarray(16 + count * 16);
  const entries: HeaderEntry[] = [];
  for (let index = 0; index < count; index++) {
    const [tag = 0, type = 0, offset = 0, items = 0] = [0, 4, 8, 12].map((field) =>
      bytes.readInt32BE(16 + index * 16 + field),
    );
    if (tag === REGION.signature || tag === REGION.header) continue;
    const data = Buffer.from(store.subarray(offset, offset + dataLength(store, type, offset, items)));
    entries.push({ tag, type, count: items, data });
  }
  return entries;
}

function indexEntry(tag: number, type: number, offset: number, count: number): Buffer {
  const entry = Buffer.alloc(16);
  for (const [field, value] of [tag, type, offset, count].entries()) entry.writeInt32BE(value, field * 4);
  return entry;
}

/** A header with one region over everything; entries are sorted by tag as rpm does. */
export function writeHeader(entries: readonly HeaderEntry[], region: number): Buffer {
  const index: Buffer[] = [];
  const store: Buffer[] = [];
  let offset = 0;
  for (const { tag, type, count, data } of [...entries].sort((a, b) => a.tag - b.tag)) {
    const width = type === BIN ? 1 : (WIDTH[type] ?? 1);
    const gap = (width - (offset % width)) % width;
    store.push(Buffer.alloc(gap), data);
    index.push(indexEntry(tag, type, offset + gap, count));
    offset += gap + data.length;
  }
  const total = index.length + 1;
  index.unshift(indexEntry(region, BIN, offset, 16));
  store.push(indexEntry(region, BIN, -total * 16, 16));
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32BE(total, 0);
  sizes.writeUInt32BE(offset + 16, 4);
  return Buffer.concat([MAGIC, sizes, ...index, ...store]);
}

export const text = (tag: number, value: string): HeaderEntry => ({
  tag,
  type: 6,
  count: 1,
  data: Buffer.from(`${value}\0`),
});

export const texts = (tag: number, values: readonly string[]): HeaderEntry => ({
  tag,
  type: 8,
  count: values.length,
  data: Buffer.from(values.map((value) => `${value}\0`).join('')),
});

export const binary = (tag: number, data: Buffer): HeaderEntry => ({ tag, type: BIN, count: data.length, data });

export function int32(tag: number, value: number): HeaderEntry {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return { tag, type: 4, count: 1, data };
}

// The RPM header structure: an index of typed entries and a data store. Signature and main header share it.
// Every count, offset and length is checked against the bytes at hand before anything is read by it.
// Source of the rules: rpm's format_header document; limits and the order of checks as rpm 4.18 applies them.
import { isUtf8 } from 'node:buffer';
import { malformed } from './malformed.ts';
import { TAG, TYPE } from './tags.ts';

const MAGIC = Buffer.from([0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0]);
const INTRO = 16;
const ENTRY = 16;
/** rpm's own limits: index entries and bytes of data in one header. */
const MAX_ENTRIES = 0xffff;
const MAX_DATA = 0x0fffffff;

/** Bytes of one element, by type; 0 where elements are NUL-terminated strings. */
const WIDTH: Readonly<Record<number, number>> = {
  [TYPE.char]: 1,
  [TYPE.int8]: 1,
  [TYPE.int16]: 2,
  [TYPE.int32]: 4,
  [TYPE.int64]: 8,
  [TYPE.string]: 0,
  [TYPE.bin]: 1,
  [TYPE.stringArray]: 0,
  [TYPE.i18nString]: 0,
};

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
  readonly length: number;
}

/** Text of a header: UTF-8 where it is, else Latin-1 (old packages), so that no two byte strings become one replacement character. */
export function headerText(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
}

/** A parsed header: typed reading by tag. Reading a tag as another type than it has is an error, an absent tag gives null or []. */
export class RpmHeader {
  /** The header as it lies in the file, from its magic to the end of its data. */
  readonly bytes: Buffer;
  /** Whether it has an immutable region (formats 4 and 6; format 3 has none). */
  readonly region: boolean;
  readonly #entries: ReadonlyMap<number, Entry>;
  readonly #data: Buffer;

  constructor(bytes: Buffer, data: Buffer, entries: ReadonlyMap<number, Entry>, region: boolean) {
    this.bytes = bytes;
    this.region = region;
    this.#data = data;
    this.#entries = entries;
  }

  /** The tags present, ascending. */
  get tags(): number[] {
    return [...this.#entries.keys()].sort((a, b) => a - b);
  }

  has(tag: number): boolean {
    return this.#entries.has(tag);
  }

  /** A single text; of a translated one the first language. */
  text(tag: number): string | null {
    const entry = this.#typed(tag, TYPE.string, TYPE.i18nString);
    return entry === null ? null : (this.#strings(entry)[0] ?? null);
  }

  /** A list of texts. */
  texts(tag: number): string[] {
    const entry = this.#typed(tag, TYPE.string, TYPE.stringArray, TYPE.i18nString);
    return entry === null ? [] : this.#strings(entry);
  }

  /** A list of unsigned whole numbers. Raises `rpm-malformed` for a 64-bit one beyond 2^53. */
  numbers(tag: number): number[] {
    const entry = this.#typed(tag, TYPE.char, TYPE.int8, TYPE.int16, TYPE.int32, TYPE.int64);
    if (entry === null) return [];
    const width = WIDTH[entry.type] ?? 1;
    return Array.from({ length: entry.count }, (_, n) => {
      const at = entry.offset + n * width;
      if (width < 8) return this.#data.readUIntBE(at, width);
      const value = this.#data.readBigUInt64BE(at);
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`tag ${tag} holds the number ${value}`);
      return Number(value);
    });
  }

  number(tag: number): number | null {
    return this.numbers(tag)[0] ?? null;
  }

  binary(tag: number): Buffer | null {
    const entry = this.#typed(tag, TYPE.bin);
    return entry === null ? null : this.#data.subarray(entry.offset, entry.offset + entry.length);
  }

  #typed(tag: number, ...types: number[]): Entry | null {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return null;
    if (!types.includes(entry.type)) throw malformed(`tag ${tag} has type ${entry.type}`);
    return entry;
  }

  #strings(entry: Entry): string[] {
    const found: string[] = [];
    let at = entry.offset;
    for (let n = 0; n < entry.count; n++) {
      const end = this.#data.indexOf(0, at);
      found.push(headerText(this.#data.subarray(at, end)));
      at = end + 1;
    }
    return found;
  }
}

/** Bytes an entry's data takes, or -1 when it does not fit between `offset` and `end` of the data. */
function dataLength(data: Buffer, type: number, offset: number, count: number, end: number): number {
  const width = WIDTH[type] ?? 1;
  if (width > 0) return count * width <= end - offset ? count * width : -1;
  if (type === TYPE.string && count !== 1) return -1;
  if (count > end - offset) return -1;
  let at = offset;
  for (let n = 0; n < count; n++) {
    const nul = data.indexOf(0, at);
    if (nul < 0 || nul >= end) return -1;
    at = nul + 1;
  }
  return at - offset;
}

/** Checks the region entry (always the first) and says where the region's own data ends: before its 16-byte trailer. */
function regionEnd(data: Buffer, index: Buffer, il: number, which: 'signature' | 'main'): number {
  const bad = (why: string) => malformed(`the immutable region of the ${which} header ${why}`);
  const tag = index.readInt32BE(0);
  const offset = index.readInt32BE(8);
  if (index.readInt32BE(4) !== TYPE.bin || index.readInt32BE(12) !== ENTRY) throw bad('has a wrong entry');
  if (offset < 0 || offset > data.length - ENTRY) throw bad('lies outside the header');
  const trailerTag = data.readInt32BE(offset);
  const sameTag = trailerTag === tag || (which === 'signature' && trailerTag === TAG.headerImage);
  const regionIndex = -data.readInt32BE(offset + 8);
  if (!sameTag || data.readInt32BE(offset + 4) !== TYPE.bin || data.readInt32BE(offset + 12) !== ENTRY) {
    throw bad('has a wrong trailer');
  }
  if (regionIndex <= 0 || regionIndex % ENTRY !== 0 || regionIndex / ENTRY > il) throw bad('has a wrong size');
  // Entries behind the region would be covered by no header signature: rpm reads them, we do not.
  if (which === 'main' && (regionIndex / ENTRY !== il || offset + ENTRY !== data.length)) {
    throw bad('does not cover the whole header');
  }
  return offset;
}

/**
 * Reads the header that starts at `start`. Gives it and the offset behind it.
 * Raises `rpm-malformed` for anything that is not exactly as the format says.
 */
export function parseHeader(
  bytes: Buffer,
  start: number,
  which: 'signature' | 'main',
): { header: RpmHeader; end: number } {
  const bad = (why: string) => malformed(`the ${which} header ${why}`);
  if (bytes.length - start < INTRO) throw bad('is cut off');
  if (!bytes.subarray(start, start + 8).equals(MAGIC)) throw bad('has a wrong magic number');
  const il = bytes.readUInt32BE(start + 8);
  const dl = bytes.readUInt32BE(start + 12);
  if (il < 1 || il > MAX_ENTRIES) throw bad(`claims ${il} entries`);
  if (dl > MAX_DATA) throw bad(`claims ${dl} bytes of data`);
  const dataStart = start + INTRO + il * ENTRY;
  const end = dataStart + dl;
  if (end > bytes.length) throw bad(`claims ${end - start} bytes where ${bytes.length - start} are left`);

  const index = bytes.subarray(start + INTRO, dataStart);
  const data = bytes.subarray(dataStart, end);
  const regionTag = which === 'main' ? TAG.headerImmutable : TAG.headerSignatures;
  const region = index.readInt32BE(0) === regionTag;
  const trailer = region ? regionEnd(data, index, il, which) : -1;

  const entries = new Map<number, Entry>();
  let previousEnd = 0;
  for (let at = region ? ENTRY : 0; at < index.length; at += ENTRY) {
    const tag = index.readInt32BE(at);
    const type = index.readInt32BE(at + 4);
    const offset = index.readInt32BE(at + 8);
    const count = index.readInt32BE(at + 12);
    const width = WIDTH[type];
    const named = `has a wrong entry (tag ${tag}, type ${type}, offset ${offset}, count ${count})`;
    if (tag < 100 || width === undefined || count < 1 || offset < 0 || offset > dl) throw bad(named);
    if (width > 1 && offset % width !== 0) throw bad(named);
    if (offset < previousEnd) throw bad(`${named} that overlaps the one before`);
    const length = dataLength(data, type, offset, count, region && offset < trailer ? trailer : dl);
    if (length < 0) throw bad(named);
    if (region && offset < trailer + ENTRY && offset + length > trailer) throw bad(named);
    if (entries.has(tag)) throw bad(`has tag ${tag} twice`);
    previousEnd = offset + length;
    entries.set(tag, { type, offset, count, length });
  }
  return { header: new RpmHeader(bytes.subarray(start, end), data, entries, region), end };
}

// The archive inside a package: cpio "newc" (070701), "crc" (070702) and rpm's own stripped form (07070X), in which an
// entry is only its number in the header's file list. Gives what is in the bytes; what may be there, payload.ts decides.
// Source: cpio(5), rpm's format_v6 document (Payload).
import { headerText } from './header.ts';
import { refused } from './malformed.ts';

const FIXED = 110;
const STRIPPED = 14;
const TRAILER = 'TRAILER!!!';
const MAX_NAME = 4096 + 2;

export interface CpioEntry {
  /** The name as it is in the archive; null in the stripped form. */
  readonly name: string | null;
  /** Number in the header's file list (stripped form only), else null. */
  readonly index: number | null;
  readonly mode: number;
  readonly mtime: number;
  readonly nlink: number;
  /** `major:minor:inode`; names of one file share it. Null in the stripped form. */
  readonly inode: string | null;
  readonly data: Buffer;
}

/** What the stripped form needs from the header: mode and bytes of content of file number `index`; null if there is none. */
export type Stripped = (
  index: number,
) => { readonly mode: number; readonly mtime: number; readonly size: number } | null;

const padded = (at: number): number => at + ((4 - (at % 4)) % 4);
const bad = (why: string) => refused('payload-malformed', `The archive in the package is damaged: ${why}.`);

function hex(bytes: Buffer, at: number): number {
  const text = bytes.toString('latin1', at, at + 8);
  if (!/^[0-9A-Fa-f]{8}$/.test(text)) throw bad(`${JSON.stringify(text)} is no number`);
  return Number.parseInt(text, 16);
}

function slice(bytes: Buffer, at: number, length: number, what: string): Buffer {
  if (length > bytes.length - at) throw bad(`${what} needs ${length} bytes, ${bytes.length - at} are left`);
  return bytes.subarray(at, at + length);
}

function named(bytes: Buffer, at: number): { entry: CpioEntry; next: number } {
  slice(bytes, at, FIXED, 'an entry');
  const field = (n: number): number => hex(bytes, at + 6 + n * 8);
  const nameSize = field(11);
  if (nameSize < 2 || nameSize > MAX_NAME) throw bad(`a name of ${nameSize} bytes`);
  const nameBytes = slice(bytes, at + FIXED, nameSize, 'a name');
  if (nameBytes.indexOf(0) !== nameSize - 1) {
    throw refused(
      'payload-path',
      `The archive holds the name ${JSON.stringify(headerText(nameBytes))} with a NUL in it.`,
    );
  }
  const name = headerText(nameBytes.subarray(0, -1));
  const start = padded(at + FIXED + nameSize);
  const data = slice(bytes, start, field(6), `the content of ${JSON.stringify(name)}`);
  // Only the content of regular files is summed up; links have 0 there.
  const summed = bytes[at + 5] === 0x32 && (field(1) & 0o170000) === 0o100000;
  if (summed && data.reduce((sum, byte) => (sum + byte) >>> 0, 0) !== field(12)) {
    throw refused('payload-digest', `The checksum of ${JSON.stringify(name)} in the archive is wrong.`, name);
  }
  return {
    entry: {
      name,
      index: null,
      mode: field(1),
      mtime: field(5),
      nlink: field(4),
      inode: `${field(7)}:${field(8)}:${field(0)}`,
      data,
    },
    next: padded(start + data.length),
  };
}

function numbered(bytes: Buffer, at: number, lookup: Stripped | null): { entry: CpioEntry; next: number } {
  slice(bytes, at, STRIPPED, 'an entry');
  const index = hex(bytes, at + 6);
  const file = lookup?.(index) ?? null;
  if (file === null)
    throw refused('payload-extra', `The archive holds file number ${index}, which the header does not list.`);
  const start = padded(at + STRIPPED);
  const data = slice(bytes, start, file.size, `file number ${index}`);
  return {
    entry: { name: null, index, mode: file.mode, mtime: file.mtime, nlink: 1, inode: null, data },
    next: padded(start + data.length),
  };
}

/**
 * Where the content of the entry at `at` lies, and the next entry begins; null where its head has not all arrived or is
 * none. Only for looking ahead: what may be there, cpioEntries judges.
 */
export function contentAt(
  bytes: Buffer,
  at: number,
  lookup: Stripped,
): { readonly start: number; readonly end: number; readonly next: number } | null {
  const magic = bytes.toString('latin1', at, at + 6);
  // Digits alone: a sign would lead back to where the archive was read already.
  const number = (n: number): number => {
    const text = bytes.toString('latin1', at + 6 + n * 8, at + 14 + n * 8);
    return /^[0-9A-Fa-f]{8}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  };
  const stripped = magic === '07070X';
  if (bytes.length - at < (stripped ? STRIPPED : FIXED) || (!stripped && !/^07070[12]$/.test(magic))) return null;
  const start = padded(at + (stripped ? STRIPPED : FIXED + number(11)));
  const end = start + (stripped ? (lookup(number(0))?.size ?? Number.NaN) : number(6));
  return Number.isSafeInteger(end) ? { start, end, next: padded(end) } : null;
}

/**
 * The entries of an archive, in order, without the trailer; contents are views on `bytes`.
 * Raises `payload-malformed`, `payload-extra`, `payload-path` (NUL in a name), `payload-digest` (crc form),
 * `too-many-entries`.
 */
export function* cpioEntries(bytes: Buffer, maxEntries: number, lookup: Stripped | null = null): Generator<CpioEntry> {
  let at = 0;
  for (let count = 0; ; count++) {
    const magic = bytes.toString('latin1', at, at + 6);
    if (magic !== '070701' && magic !== '070702' && magic !== '07070X') {
      throw bad(magic === '' ? 'it ends without its trailer' : `no entry starts with ${JSON.stringify(magic)}`);
    }
    const { entry, next } = magic === '07070X' ? numbered(bytes, at, lookup) : named(bytes, at);
    if (entry.name === TRAILER) {
      if (entry.data.length > 0) throw bad('its trailer has content');
      if (bytes.subarray(next).some((byte) => byte !== 0)) throw bad('there are bytes behind its trailer');
      return;
    }
    if (count >= maxEntries) {
      throw refused('too-many-entries', `The archive in the package has more than the ${maxEntries} entries allowed.`);
    }
    yield entry;
    at = next;
  }
}

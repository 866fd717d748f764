// One header block of a tar archive, in the one plain form that bundles are written in: a regular file with a short, clean
// name. Everything else that tar knows (links, devices, directories, extended headers that rename what follows, sparse
// files) is refused by name: a reader that does not unpack needs none of it.
// Source: POSIX.1-2017, pax: "ustar Interchange Format".
import { KpmError } from '../../errors.ts';

export const BLOCK = 512;

export interface TarEntry {
  readonly name: string;
  /** Bytes of content; it begins right behind the header block. */
  readonly size: number;
}

const TYPES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '5': 'a directory',
  '6': 'a fifo',
  g: 'a global extended header',
  x: 'an extended header',
  L: 'a long name of GNU tar',
  K: 'a long link name of GNU tar',
  S: 'a sparse file',
};

/** Names that bundles use: up to three clean components, nothing that a file system, a URL, a terminal or a command line takes as special. */
const NAME = /^(?![.-])[A-Za-z0-9._+~^:-]+(?:\/(?![.-])[A-Za-z0-9._+~^:-]+){0,2}$/;

/** Whether a file of a bundle may be called so. */
export const isBundleName = (name: string): boolean => NAME.test(name) && name.length <= 100;

function refused(code: 'bundle-malformed' | 'bundle-entry-refused', why: string): KpmError {
  return new KpmError(code, {
    text: `The archive is refused: ${why}.`,
    hint: 'Have the bundle made and carried again; what was sent as one is damaged or hostile.',
  });
}

/**
 * Reads one block of 512 bytes; null for a block of zeros, which ends the archive.
 * Raises `bundle-malformed` (no such block, or damaged) and `bundle-entry-refused` (anything but a plain file).
 */
export function readTarEntry(block: Buffer): TarEntry | null {
  if (block.every((byte) => byte === 0)) return null;
  if (block.toString('latin1', 257, 262) !== 'ustar')
    throw refused('bundle-malformed', 'a header block is no tar header');
  if (octal(block, 148, 8) !== checksum(block)) {
    throw refused('bundle-malformed', 'a header block does not have the checksum it claims');
  }
  const name = nameOf(block);
  const type = String.fromCharCode(block[156] as number);
  if (type !== '0') {
    throw refused('bundle-entry-refused', `${shown(name)} is ${TYPES[type] ?? 'of an unknown type'}`);
  }
  if (block.subarray(157, 257).some((byte) => byte !== 0)) {
    throw refused('bundle-entry-refused', `${shown(name)} names the target of a link`);
  }
  checkName(name);
  return { name, size: octal(block, 124, 12) };
}

/** Every byte that is not plain ASCII written out. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200)).replace(
    /[^ -~]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Refuses names that leave the archive, or that no bundle has. Raises `bundle-entry-refused`. */
export function checkName(name: string): void {
  if (NAME.test(name)) return;
  const why = name.startsWith('/')
    ? 'is absolute'
    : name.split('/').includes('..')
      ? 'leaves the archive'
      : /[\u0000-\u001f\u007f-\uffff]/.test(name)
        ? 'has characters that no name in a bundle has'
        : 'is no name that a bundle uses';
  throw refused('bundle-entry-refused', `the name ${shown(name)} ${why}`);
}

/** prefix/name, each up to its first NUL; bytes behind a NUL are refused, for other readers may see them. */
function nameOf(block: Buffer): string {
  const [prefix, name] = [field(block, 345, 155), field(block, 0, 100)];
  return prefix === '' ? name : `${prefix}/${name}`;
}

function field(block: Buffer, from: number, length: number): string {
  const bytes = block.subarray(from, from + length);
  const end = bytes.indexOf(0);
  if (end >= 0 && bytes.subarray(end).some((byte) => byte !== 0)) {
    throw refused('bundle-entry-refused', 'a name has bytes behind its end');
  }
  return bytes.toString('latin1', 0, end < 0 ? length : end);
}

/** A number in octal digits, ended by a blank or NUL. The binary form of GNU tar for huge files is not taken. */
function octal(block: Buffer, from: number, length: number): number {
  const text = block.toString('latin1', from, from + length);
  const digits = /^ *([0-7]{1,11})[ \0]*$/.exec(text)?.[1];
  if (digits === undefined) throw refused('bundle-malformed', 'a header block has a number that is none');
  return Number.parseInt(digits, 8);
}

/** The sum of all bytes, its own field taken as blanks. */
function checksum(block: Buffer): number {
  let sum = 8 * 32;
  for (let n = 0; n < BLOCK; n++) if (n < 148 || n >= 156) sum += block[n] as number;
  return sum;
}

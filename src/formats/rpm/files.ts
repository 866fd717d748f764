// The file list of a header: what the package says it brings. Paths are checked here, once, for everybody.
// Source: rpm's format_header and format_v4 documents (DIRNAMES/BASENAMES/DIRINDEXES; LONGFILESIZES above 4 GiB).
import type { RpmHeader } from './header.ts';
import { malformed, refused } from './malformed.ts';
import { FILE_FLAG, HASH_BY_NUMBER, TAG } from './tags.ts';

export interface HeaderFile {
  /** Absolute (`/usr/lib/...`); in a source package a bare name. */
  readonly path: string;
  /** Mode with the type bits, as stat(2) has it. */
  readonly mode: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Digest of the content, lower-case hex; null where there is none (directories, links). */
  readonly digest: string | null;
  /** Its algorithm (`sha256`, `md5` ...). */
  readonly algorithm: string;
  /** Target of a symbolic link, else null. */
  readonly linkTo: string | null;
  readonly owner: string;
  readonly group: string;
  /** Not in the payload; only remembered by the database. */
  readonly ghost: boolean;
  readonly config: boolean;
  /** Equal for the names of one hard-linked file: `device:inode`; null when the header does not say. */
  readonly inode: string | null;
}

const TYPE_BITS = 0o170000;
export const isRegular = (mode: number): boolean => (mode & TYPE_BITS) === 0o100000;
export const isLink = (mode: number): boolean => (mode & TYPE_BITS) === 0o120000;
export const isDirectory = (mode: number): boolean => (mode & TYPE_BITS) === 0o040000;

/** More files than any package of ours will ever have; the kernel's own source package has some 100. */
export const MAX_ENTRIES = 100_000;

/**
 * Refuses a path that could land anywhere but below the root: `..` or `.` as a component, empty components, control
 * characters, backslashes are fine. `path` is without its leading slash. Raises `payload-path`.
 */
export function checkPath(path: string): void {
  const shown = JSON.stringify(path);
  const bad = (why: string) => refused('payload-path', `The package holds the unsafe path ${shown}: ${why}.`, path);
  if (path === '') throw bad('it is empty');
  if (path.startsWith('/')) throw bad('it is absolute inside the archive');
  if (/[\u0000-\u001f\u007f-\u009f]/.test(path)) throw bad('it has control characters');
  if (Buffer.byteLength(path) > 4095) throw bad('it is too long');
  for (const part of path.split('/')) {
    if (part === '..' || part === '.') throw bad(`it has the component ${part}`);
    if (part === '') throw bad('it has an empty component');
    if (Buffer.byteLength(part) > 255) throw bad('it has a component longer than 255 bytes');
  }
}

function readPaths(header: RpmHeader): string[] {
  const names = header.texts(TAG.baseNames);
  if (names.length === 0) return header.texts(TAG.oldFileNames);
  const dirs = header.texts(TAG.dirNames);
  const indexes = header.numbers(TAG.dirIndexes);
  if (indexes.length !== names.length) throw malformed('its file names and directory numbers differ in count');
  return names.map((name, n) => {
    const dir = dirs[indexes[n] as number];
    if (dir === undefined) throw malformed(`the file ${JSON.stringify(name)} is in a directory that is not listed`);
    if (name.includes('/')) throw refused('payload-path', `The file name ${JSON.stringify(name)} has a slash.`, name);
    if (dir !== '' && !dir.endsWith('/')) throw malformed(`the directory ${JSON.stringify(dir)} does not end in /`);
    return dir + name;
  });
}

/**
 * The files a header lists, in its order.
 * Raises `rpm-malformed`, `too-many-entries`, `payload-path`, `payload-duplicate`.
 */
export function headerFiles(header: RpmHeader): HeaderFile[] {
  const paths = readPaths(header);
  if (paths.length > MAX_ENTRIES) {
    throw refused('too-many-entries', `The package lists ${paths.length} files; ${MAX_ENTRIES} are the limit.`);
  }
  const column = <T>(list: T[], what: string): T[] => {
    if (list.length !== paths.length) throw malformed(`it lists ${paths.length} files and ${list.length} ${what}`);
    return list;
  };
  const optional = <T>(list: T[], what: string): T[] => (list.length === 0 ? list : column(list, what));
  if (paths.length === 0) return [];

  const long = header.numbers(TAG.longFileSizes);
  const sizes = column(long.length > 0 ? long : header.numbers(TAG.fileSizes), 'sizes');
  const modes = column(header.numbers(TAG.fileModes), 'modes');
  const digests = column(header.texts(TAG.fileDigests), 'digests');
  const links = optional(header.texts(TAG.fileLinkTos), 'link targets');
  const flags = optional(header.numbers(TAG.fileFlags), 'flags');
  const mtimes = optional(header.numbers(TAG.fileMtimes), 'times');
  const owners = optional(header.texts(TAG.fileUserName), 'owners');
  const groups = optional(header.texts(TAG.fileGroupName), 'groups');
  const devices = optional(header.numbers(TAG.fileDevices), 'devices');
  const inodes = optional(header.numbers(TAG.fileInodes), 'inodes');
  const number = header.number(TAG.fileDigestAlgo) ?? 1;
  const algorithm = HASH_BY_NUMBER[number];
  if (algorithm === undefined) throw malformed(`its file digests use the unknown algorithm ${number}`);

  const seen = new Set<string>();
  return paths.map((path, n) => {
    checkPath(path.startsWith('/') ? path.slice(1) : path);
    if (seen.has(path)) throw refused('payload-duplicate', `The package lists ${path} twice.`, path);
    seen.add(path);
    const mode = modes[n] as number;
    const flag = flags[n] ?? 0;
    return {
      path,
      mode,
      size: sizes[n] as number,
      mtime: mtimes[n] ?? 0,
      digest: digests[n]?.toLowerCase() || null,
      algorithm,
      linkTo: isLink(mode) ? (links[n] ?? '') : null,
      owner: owners[n] ?? 'root',
      group: groups[n] ?? 'root',
      ghost: (flag & FILE_FLAG.ghost) !== 0,
      config: (flag & FILE_FLAG.config) !== 0,
      inode: inodes[n] === undefined ? null : `${devices[n] ?? 0}:${inodes[n]}`,
    };
  });
}

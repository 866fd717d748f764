// Changes of one directory that are there wholly or not at all, also after a power cut.
// Source: rename(2), fsync(2) (a new name is durable when its directory is synced), linkat(2).
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { hasErrno } from '../errors.ts';
import type { Syncs } from './syncs.ts';
import { type Place, through } from './walk.ts';

export interface WriteOptions {
  /** Permission bits; 0o644 unless said. */
  readonly mode?: number;
  /** Modification time, seconds since 1970. */
  readonly mtime?: number;
  /** Owner; that of the process unless said. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Called with the temporary file's path before it is renamed into place (labels). */
  readonly beforeCommit?: (temporary: string) => void;
  /**
   * False: whole or not at all, but not necessarily there after a power cut. For what can be had again; true unless said.
   * `together`: inside of Root.together the content is synced with everything else, so that until then a power cut may leave
   * the name with other bytes; for what is known by its checksum.
   */
  readonly durable?: boolean | 'together';
}

/** A hidden name beside the final one, short enough for every file system. */
function scratchOf(place: Place): Place {
  return { ...place, name: `.${place.name.slice(0, 60)}.${randomBytes(6).toString('hex')}.tmp` };
}

/** Writes a file: temporary file, owner, mode, times, fsync, rename, fsync of the directory. Raises node's errors. */
export function writeFile(place: Place, data: Buffer | string, options: WriteOptions, syncs: Syncs): void {
  const scratch = scratchOf(place);
  let taken = false;
  const fd = fs.openSync(through(scratch), 'wx', 0o600);
  try {
    try {
      fs.writeFileSync(fd, data);
      // The owner first: chown(2) takes set-id bits away.
      if (options.owner !== undefined) own(fd, options.owner);
      fs.fchmodSync(fd, options.mode ?? 0o644);
      if (options.mtime !== undefined) fs.futimesSync(fd, options.mtime, options.mtime);
      taken = options.durable === 'together' && syncs.file(fd);
      if (options.durable !== false && !taken) fs.fsyncSync(fd);
    } finally {
      if (!taken) fs.closeSync(fd);
    }
    options.beforeCommit?.(through(scratch));
    fs.renameSync(through(scratch), through(place));
  } catch (error) {
    discard(scratch);
    throw error;
  }
  if (options.durable !== false) syncs.directory(place.base);
}

function own(fd: number, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const now = fs.fstatSync(fd);
  if (now.uid !== uid || now.gid !== gid) fs.fchownSync(fd, uid, gid);
}

/** Makes a symbolic link in place of whatever file or link has that name. */
export function writeLink(place: Place, target: string, syncs: Syncs): void {
  const scratch = scratchOf(place);
  fs.symlinkSync(target, through(scratch));
  try {
    fs.renameSync(through(scratch), through(place));
  } catch (error) {
    discard(scratch);
    throw error;
  }
  syncs.directory(place.base);
}

/** The temporary file goes; that it cannot is less than the error that is on its way. */
function discard(scratch: Place): void {
  try {
    fs.unlinkSync(through(scratch));
  } catch {
    // A read-only or full file system may refuse even this; the first error is the one to tell.
  }
}

/** Makes a directory with exactly this mode, whatever the umask. False when something of that name is already there. */
export function makeDirectory(place: Place, mode: number, syncs: Syncs | null): boolean {
  // The mode from the first moment on: nobody would mend that of a directory whose maker was killed.
  const umask = process.umask(0);
  try {
    fs.mkdirSync(through(place), { mode });
  } catch (error) {
    // Somebody else made it meanwhile: what is there is theirs and stays.
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    process.umask(umask);
  }
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(through(place), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    // An ACL of the directory above may have taken bits away.
    if ((fs.fstatSync(fd).mode & 0o7777) !== mode) fs.fchmodSync(fd, mode);
  } finally {
    fs.closeSync(fd);
  }
  syncs?.directory(place.base);
  return true;
}

/** Removes a file; one that is gone already is no error. (rmSync gives errors of its own from Node 24 on, without errno.) */
export function removeFile(place: Place): void {
  try {
    fs.unlinkSync(through(place));
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

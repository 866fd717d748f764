// Writing the archive: plain ustar entries by tar-stream, one after the other, into a file that has its name only when it is
// whole. Owners, modes and times are fixed, so that the same content gives the same bytes.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { hasErrno, KpmError } from '../../errors.ts';
import type { Root } from '../../host/root.ts';

export interface ArchiveEntry {
  readonly name: string;
  /** Called when it is its turn: memory holds one file at a time. */
  read(): Promise<Buffer>;
}

/** Asked before anything is fetched. Raises `file-exists`, `file-unwritable`. */
export function checkTarget(host: Root, file: string, force: boolean): void {
  if (!force && host.lstat(file.slice(1)) !== null) throw exists(file);
  const directory = path.posix.dirname(file);
  if (host.stat(directory.slice(1) || '.')?.isDirectory()) return;
  throw new KpmError('file-unwritable', {
    text: `${file} cannot be written: ${directory} is not a directory.`,
    subject: file,
    hint: `Make it: mkdir -p ${directory}`,
  });
}

/**
 * Writes a tar archive to a file of the host (absolute path). `when`: seconds since 1970, of every entry.
 * Raises `file-exists` where something has that name and `force` is not given, `file-unwritable`, `no-space`, and what reading raises.
 */
export async function writeArchive(
  host: Root,
  file: string,
  entries: readonly ArchiveEntry[],
  when: number,
  force: boolean,
): Promise<void> {
  const target = file.slice(1);
  const scratch = path.posix.join(path.posix.dirname(target), `.${randomBytes(6).toString('hex')}.bundle.tmp`);
  const fd = host.openReadWrite(scratch, 0o644);
  try {
    try {
      await fill(fd, entries, when);
      fs.fsyncSync(fd);
    } catch (error) {
      throw unwritten(file, error);
    } finally {
      fs.closeSync(fd);
    }
    if (force) host.rename(scratch, target);
    else if (!host.renameNew(scratch, target)) throw exists(file);
  } catch (error) {
    host.remove(scratch);
    throw error;
  }
}

async function fill(fd: number, entries: readonly ArchiveEntry[], when: number): Promise<void> {
  const loaded = await import('tar-stream');
  // A CommonJS package: the bundler gives its exports only as the default.
  const tar = (loaded.default ?? loaded).pack();
  const feed = async (): Promise<void> => {
    try {
      for (const { name, read } of entries) {
        const bytes = await read();
        const header = { name, size: bytes.length, mode: 0o644, mtime: new Date(when * 1000), type: 'file' } as const;
        await new Promise<void>((resolve, reject) => {
          tar.entry(header, bytes, (error) => (error ? reject(error) : resolve()));
        });
      }
      tar.finalize();
    } catch (error) {
      tar.destroy(error as Error);
      throw error;
    }
  };
  const drain = async (): Promise<void> => {
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at);
    }
  };
  const [fed, drained] = await Promise.allSettled([feed(), drain()]);
  // Whichever fails first ends the other; what could not be read comes out of the stream too, as it is.
  if (drained.status === 'rejected') throw drained.reason;
  if (fed.status === 'rejected') throw fed.reason;
}

function exists(file: string): KpmError {
  return new KpmError('file-exists', {
    text: `${file} exists and is not overwritten.`,
    subject: file,
    hint: 'Name another file, or overwrite it on purpose: --force',
  });
}

function unwritten(file: string, error: unknown): unknown {
  if (!hasErrno(error, 'ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EROFS')) return error;
  return new KpmError(hasErrno(error, 'ENOSPC', 'EDQUOT') ? 'no-space' : 'file-unwritable', {
    text: `${file} could not be written: ${(error as Error).message}.`,
    subject: file,
    hint: 'Nothing was left behind; choose a place with enough room.',
    cause: error,
  });
}

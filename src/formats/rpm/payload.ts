// The payload: opened, compared entry by entry with the signed header, and given as a list. What the header does not
// promise is refused, what it promises must be there: after this the list and the header say the same.
import type { Pipe } from '../codec/decompress.ts';
import type { Ahead } from './ahead.ts';
import { type CpioEntry, cpioEntries, type Stripped } from './cpio.ts';
import { checkFeatures } from './features.ts';
import { checkPath, type HeaderFile, headerFiles, isLink, isRegular, MAX_ENTRIES } from './files.ts';
import { hardLinks } from './hardlinks.ts';
import { digestOf } from './hash.ts';
import { refused } from './malformed.ts';
import { openPayload, type PayloadLimits } from './open.ts';
import type { RpmPackage } from './package.ts';

/** A kernel module package opens to some 10 MB, at 3 to 8 times its size. */
export const PAYLOAD_LIMITS = { maxBytes: 1024 * 1024 * 1024, maxEntries: MAX_ENTRIES, maxRatio: 200 } as const;

export interface PayloadEntry {
  /** As in the header: absolute, in a source package a bare name. */
  readonly path: string;
  /** Mode with the type bits: directories, devices and fifos come as entries too, the caller decides. */
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
  /** SHA-256 of the content, lower-case hex; null where there is none (anything but a regular file). */
  readonly sha256: string | null;
  /** The content of a regular file (a view on the open payload; the same for all names of a hard link), else null. */
  readonly content: Buffer | null;
  /** Target of a symbolic link, else null. Not checked: nobody follows it here. */
  readonly linkTo: string | null;
}

/** The header's file an archive entry stands for. */
function listed(entry: CpioEntry, byPath: ReadonlyMap<string, number>): number {
  if (entry.index !== null) return entry.index;
  const name = entry.name as string;
  const path = name.startsWith('./') ? name.slice(2) : name.startsWith('/') ? name.slice(1) : name;
  checkPath(path);
  const index = byPath.get(path);
  if (index === undefined) {
    throw refused('payload-extra', `The archive holds ${JSON.stringify(name)}, which the header does not list.`, name);
  }
  return index;
}

/** Holds one entry against its line in the header. */
function compare(file: HeaderFile, entry: CpioEntry, content: Buffer, ahead: Ahead): void {
  const differs = (what: string, here: unknown, there: unknown) =>
    refused(
      'payload-mismatch',
      `${file.path} has ${what} ${here} in the archive and ${there} in the header.`,
      file.path,
    );
  if (entry.mode !== file.mode) throw differs('mode', entry.mode.toString(8), file.mode.toString(8));
  if (isRegular(file.mode)) {
    if (content.length !== file.size) throw differs('size', content.length, file.size);
    if (file.digest === null) throw refused('payload-digest', `The header has no digest of ${file.path}.`, file.path);
    const digest = ahead.digest(file.algorithm, content);
    if (digest === null)
      throw refused(
        'payload-digest',
        `This machine cannot compute ${file.algorithm}, the digest of ${file.path}.`,
        file.path,
      );
    if (digest !== file.digest)
      throw refused(
        'payload-digest',
        `The content of ${file.path} does not match its ${file.algorithm} digest.`,
        file.path,
      );
  } else if (isLink(file.mode)) {
    if (content.toString('utf8') !== file.linkTo)
      throw differs('the target', JSON.stringify(content.toString('utf8')), JSON.stringify(file.linkTo));
  } else if (entry.data.length > 0) throw differs('content of bytes', entry.data.length, 0);
}

/** SHA-256 of content that `compare` has passed: it need not be computed twice. */
function sha256Of(file: HeaderFile, content: Buffer): string | null {
  return file.algorithm === 'sha256' ? file.digest : digestOf('sha256', content);
}

/**
 * Reads the whole payload into memory and holds it against the header. Call it on a package whose digests and
 * signature have been checked. Entries come in the header's order, ghost files not at all. `meanwhile` is called with the
 * length of each piece that came out, while the decompressor goes on with the next.
 * Raises `corrupt-stream`, `too-large`, `decompression-bomb`, `too-many-entries`, `payload-malformed`, `payload-path`,
 * `payload-duplicate`, `payload-extra`, `payload-missing`, `payload-mismatch`, `payload-digest`, `program-missing`,
 * `compression-unsupported`, `rpm-malformed`, `rpm-unsupported`.
 */
export async function readPayload(
  pkg: RpmPackage,
  limits: PayloadLimits,
  pipe: Pipe,
  meanwhile: (bytes: number) => void = () => undefined,
): Promise<PayloadEntry[]> {
  checkFeatures(pkg.header);
  const files = headerFiles(pkg.header);
  const bounds = { ...PAYLOAD_LIMITS, ...limits };
  if (files.length > bounds.maxEntries) {
    throw refused('too-many-entries', `The package lists ${files.length} files; ${bounds.maxEntries} are the limit.`);
  }
  const sets = hardLinks(files);
  const byPath = new Map(files.map((file, n) => [file.path.replace(/^\//, ''), n]));
  const lookup: Stripped = (index) => {
    const file = files[index];
    if (file === undefined) return null;
    const carries = isLink(file.mode) || (isRegular(file.mode) && sets.carrier(index));
    return { mode: file.mode, mtime: file.mtime, size: carries ? file.size : 0 };
  };
  const { bytes, ahead } = await openPayload(pkg, { files, lookup, limits: bounds, pipe, meanwhile });
  const found = new Map<number, CpioEntry>();
  for (const entry of cpioEntries(bytes, bounds.maxEntries, lookup)) {
    const index = listed(entry, byPath);
    if (found.has(index)) {
      const { path } = files[index] as HeaderFile;
      throw refused('payload-duplicate', `The archive holds ${path} twice.`, path);
    }
    found.set(index, entry);
  }

  const entries: PayloadEntry[] = [];
  for (const [index, file] of files.entries()) {
    const entry = found.get(index);
    if (entry === undefined) {
      if (file.ghost) continue;
      throw refused('payload-missing', `The archive lacks ${file.path}, which the header lists.`, file.path);
    }
    const content = isRegular(file.mode) ? sets.content(index, found) : entry.data;
    compare(file, entry, content, ahead);
    entries.push({
      path: file.path,
      mode: file.mode,
      size: isRegular(file.mode) || isLink(file.mode) ? file.size : 0,
      mtime: file.mtime,
      sha256: isRegular(file.mode) ? sha256Of(file, content) : null,
      content: isRegular(file.mode) ? content : null,
      linkTo: file.linkTo,
    });
  }
  return entries;
}

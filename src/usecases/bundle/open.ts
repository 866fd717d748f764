// Opening a bundle: the archive is read once from one descriptor, block by block, and held against its manifest: the same
// files in the same order with the same digests, and nothing else. Nothing is unpacked; packages are read from where they lie.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { KpmError } from '../../errors.ts';
import { MAX_PACKAGE_BYTES } from '../../formats/rpm/package.ts';
import { BLOCK, readTarEntry, type TarEntry } from '../../formats/tar/entry.ts';
import type { Root } from '../../host/root.ts';
import { type BundleFile, MANIFEST, type Manifest, readManifest, SIGNATURE } from './manifest.ts';

const MAX_MANIFEST = 16 * 1024 * 1024;
const MAX_SIGNATURE = 64 * 1024;
/** Metadata and keys are held in memory, all of them together. */
const MAX_SMALL = 128 * 1024 * 1024;
const CHUNK = 1024 * 1024;

export interface Bundle {
  /** As it is shown. */
  readonly file: string;
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  /** The detached signature of the manifest, as it lies there; null: there is none. */
  readonly signature: Buffer | null;
  /** The bytes of a file of the manifest; null: it lists none of that path. Raises `bundle-file-mismatch`. */
  read(path: string): Buffer | null;
  close(): void;
}

function refused(
  code: 'not-bundle' | 'bundle-malformed' | 'bundle-file-mismatch' | 'bundle-too-large',
  file: string,
  why: string,
): KpmError {
  return new KpmError(code, {
    text: `${file} cannot be used as a bundle: ${why}.`,
    subject: file,
    hint:
      code === 'not-bundle'
        ? 'A bundle is what `kpatch-pm bundle create` wrote, as it wrote it (not compressed, not packed again).'
        : 'Have the bundle made and carried again; what was sent as one is damaged or hostile.',
  });
}

/**
 * Opens a bundle of the host (absolute path) and checks every digest. The caller closes it.
 * Raises `file-unreadable`, `not-bundle`, `bundle-malformed`, `bundle-format`, `bundle-entry-refused`, `bundle-file-mismatch`,
 * `bundle-too-large`.
 */
export function openBundle(host: Root, file: string): Bundle {
  const fd = host.openRead(file.slice(1));
  if (fd === null) {
    throw new KpmError('file-unreadable', {
      text: `${file} does not exist.`,
      subject: file,
      hint: 'Check the name and whether the medium is mounted.',
    });
  }
  try {
    return scan(fd, file);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

interface Placed extends BundleFile {
  /** Where its content begins. */
  readonly offset: number;
  /** Null for packages: they are read when they are wanted. */
  readonly bytes: Buffer | null;
}

function scan(fd: number, file: string): Bundle {
  const reader = readerOf(fd, file);
  const first = reader.entry();
  if (first?.name !== MANIFEST) throw refused('not-bundle', file, `it does not begin with ${MANIFEST}`);
  const manifestBytes = reader.content(first, MAX_MANIFEST);
  const manifest = readManifest(manifestBytes);
  let next = reader.entry();
  let signature: Buffer | null = null;
  if (next?.name === SIGNATURE) {
    signature = reader.content(next, MAX_SIGNATURE);
    next = reader.entry();
  }
  const placed = new Map<string, Placed>();
  const packages = new Set(manifest.packages.map(({ path }) => path));
  let small = 0;
  for (const listed of manifest.files) {
    if (next === null)
      throw refused('bundle-file-mismatch', file, `${listed.path}, which its manifest lists, is not in it`);
    if (placed.has(next.name)) throw refused('bundle-malformed', file, `it holds ${next.name} twice`);
    if (next.name !== listed.path) {
      throw refused('bundle-file-mismatch', file, `it holds ${next.name} where its manifest lists ${listed.path}`);
    }
    if (next.size !== listed.size) {
      throw refused(
        'bundle-file-mismatch',
        file,
        `${listed.path} has ${next.size} bytes, and its manifest says ${listed.size}`,
      );
    }
    const isPackage = packages.has(listed.path);
    if (isPackage && listed.size > MAX_PACKAGE_BYTES)
      throw refused('bundle-too-large', file, `${listed.path} claims ${listed.size} bytes`);
    if (!isPackage) small += listed.size;
    if (small > MAX_SMALL)
      throw refused('bundle-too-large', file, `its metadata and keys claim more than ${MAX_SMALL} bytes`);
    const offset = reader.at();
    const bytes = isPackage ? null : reader.content(next, MAX_SMALL);
    const sha256 = bytes === null ? reader.digest(next) : sum(bytes);
    if (sha256 !== listed.sha256) throw lied(file, listed.path);
    placed.set(listed.path, { ...listed, offset, bytes });
    next = reader.entry();
  }
  if (next !== null) {
    if (placed.has(next.name)) throw refused('bundle-malformed', file, `it holds ${next.name} twice`);
    throw refused('bundle-file-mismatch', file, `it holds ${next.name}, which its manifest does not list`);
  }
  reader.end();
  return {
    file,
    manifest,
    manifestBytes,
    signature,
    read(path) {
      const found = placed.get(path);
      if (found === undefined) return null;
      const bytes = found.bytes ?? exactly(fd, file, found.offset, found.size);
      // The medium is not ours: what is read now may be other bytes than those that were checked.
      if (found.bytes === null && sum(bytes) !== found.sha256) throw lied(file, path);
      return bytes;
    },
    close: () => fs.closeSync(fd),
  };
}

const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function lied(file: string, path: string): KpmError {
  return refused('bundle-file-mismatch', file, `${path} does not have the digest that its manifest says`);
}

/** Exactly so many bytes. Raises `bundle-malformed` where the file ends before. */
function exactly(fd: number, file: string, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const got = fs.readSync(fd, bytes, at, length - at, offset + at);
    if (got === 0) throw refused('bundle-malformed', file, 'it is cut off');
    at += got;
  }
  return bytes;
}

interface Reader {
  /** Where the next byte lies. */
  at(): number;
  /** The next entry; null at the end. */
  entry(): TarEntry | null;
  /** Its content. Raises `bundle-too-large` before anything is read that is longer than `most`. */
  content(entry: TarEntry, most: number): Buffer;
  /** The digest of its content, which is not kept. */
  digest(entry: TarEntry): string;
  /** Raises `bundle-malformed` unless zeros alone are left. */
  end(): void;
}

function readerOf(fd: number, file: string): Reader {
  const { size } = fs.fstatSync(fd);
  let position = 0;
  const take = (length: number): Buffer => {
    if (position + length > size) throw refused('bundle-malformed', file, 'it is cut off');
    const bytes = exactly(fd, file, position, length);
    position += length;
    return bytes;
  };
  const pad = ({ size: length }: TarEntry): void => {
    const rest = (BLOCK - (length % BLOCK)) % BLOCK;
    if (take(rest).some((byte) => byte !== 0))
      throw refused('bundle-malformed', file, 'there are bytes between its files');
  };
  return {
    at: () => position,
    entry() {
      if (position === 0 && size < BLOCK) throw refused('not-bundle', file, 'it is too short for an archive');
      const block = take(BLOCK);
      if (position === BLOCK && block.toString('latin1', 257, 262) !== 'ustar')
        throw refused('not-bundle', file, whatElse(block));
      return readTarEntry(block);
    },
    content(entry, most) {
      if (entry.size > most)
        throw refused(
          'bundle-too-large',
          file,
          `${entry.name} claims ${entry.size} bytes, more than the ${most} allowed`,
        );
      const bytes = take(entry.size);
      pad(entry);
      return bytes;
    },
    digest(entry) {
      if (position + entry.size > size) throw refused('bundle-malformed', file, 'it is cut off');
      const hash = createHash('sha256');
      for (let left = entry.size; left > 0; ) {
        const chunk = take(Math.min(left, CHUNK));
        hash.update(chunk);
        left -= chunk.length;
      }
      pad(entry);
      return hash.digest('hex');
    },
    end() {
      // One block of zeros was read; POSIX wants a second, and packers may round up to 20.
      if (size - position > 64 * BLOCK) throw refused('bundle-malformed', file, 'something lies behind its end');
      if (size - position < BLOCK) throw refused('bundle-malformed', file, 'it is cut off');
      if (take(size - position).some((byte) => byte !== 0))
        throw refused('bundle-malformed', file, 'something lies behind its end');
    },
  };
}

function whatElse(block: Buffer): string {
  const magic = block.readUInt32BE(0);
  if (magic === 0xedabeedb) return 'it is a single package; install it as one: kpatch-pm install FILE.rpm';
  const packed = magic >>> 16 === 0x1f8b || magic === 0x28b52ffd || magic === 0xfd377a58 || magic >>> 8 === 0x425a68;
  return packed ? 'it is compressed, which bundles are not' : 'it is no tar archive';
}

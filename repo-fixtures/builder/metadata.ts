// Editing finished repodata: recompressing, changing a metadata file, and bringing repomd.xml in line with it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BUILD_TIME } from './time.ts';
import { tool } from './tools.ts';

export type Suffix = 'gz' | 'xz' | 'bz2' | 'zst' | '';

const COMPRESS: Readonly<Record<Suffix, readonly string[]>> = {
  gz: ['gzip', '-9nc'],
  xz: ['xz', '-6', '-T1', '-c'],
  bz2: ['bzip2', '-9c'],
  zst: ['zstd', '-q', '-19', '--single-thread', '-c'],
  '': [],
};

/** Compresses with the distribution's own program: the same version gives the same bytes. */
export function compress(bytes: Buffer, suffix: Suffix): Buffer {
  const [program, ...args] = COMPRESS[suffix];
  return program ? tool(program, args, { input: bytes }) : bytes;
}

export function decompress(bytes: Buffer, suffix: Suffix): Buffer {
  const [program] = COMPRESS[suffix];
  return program ? tool(program, ['-dc'], { input: bytes }) : bytes;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const repomdPath = (repository: string) => path.join(repository, 'repodata', 'repomd.xml');

export interface MetadataFile {
  readonly href: string;
  readonly suffix: Suffix;
  /** Uncompressed. */
  readonly content: Buffer;
}

function recordOf(repomd: string, type: string): { text: string; href: string } {
  const text = new RegExp(`<data type="${type}">.*?</data>`, 's').exec(repomd)?.[0];
  const href = text ? /href="([^"]+)"/.exec(text)?.[1] : undefined;
  if (!text || !href) throw new Error(`repomd.xml has no record ${type}`);
  return { text, href };
}

/** Reads one metadata file (`primary`, `other` ...) of a finished repository. */
export function readMetadata(repository: string, type: string): MetadataFile {
  const { href } = recordOf(readFileSync(repomdPath(repository), 'utf8'), type);
  const suffix = (/\.(gz|xz|bz2|zst)$/.exec(href)?.[1] ?? '') as Suffix;
  return { href, suffix, content: decompress(readFileSync(path.join(repository, href)), suffix) };
}

/** Replaces one metadata file, compressed as `suffix`; repomd.xml then tells the truth about it. */
export function writeMetadata(repository: string, type: string, content: Buffer, suffix: Suffix): void {
  const repomd = readFileSync(repomdPath(repository), 'utf8');
  const { text, href } = recordOf(repomd, type);
  const bytes = compress(content, suffix);
  const sum = sha256(bytes);
  const plain = path.posix
    .basename(href)
    .replace(/^[0-9a-f]{64}-/, '')
    .replace(/\.(gz|xz|bz2|zst)$/, '');
  const renamed = `repodata/${sum}-${plain}${suffix ? `.${suffix}` : ''}`;
  rmSync(path.join(repository, href));
  writeFileSync(path.join(repository, renamed), bytes);
  const record = text
    .replace(/(<checksum type="sha256">)[0-9a-f]+/, `$1${sum}`)
    .replace(/(<open-checksum type="sha256">)[0-9a-f]+/, `$1${sha256(content)}`)
    .replace(/<size>\d+/, `<size>${bytes.length}`)
    .replace(/<open-size>\d+/, `<open-size>${content.length}`)
    .replace(href, renamed);
  writeFileSync(repomdPath(repository), repomd.replace(text, record));
}

/** Edits the text of one metadata file, keeping its compression. */
export function editMetadata(repository: string, type: string, edit: (text: string) => string): void {
  const { content, suffix } = readMetadata(repository, type);
  const before = content.toString('utf8');
  const after = edit(before);
  if (after === before) throw new Error(`the edit of ${type} in ${repository} changes nothing`);
  writeMetadata(repository, type, Buffer.from(after), suffix);
}

/** Takes one metadata file out of a repository, as vendors do who publish fewer. */
export function dropMetadata(repository: string, type: string): void {
  const repomd = readFileSync(repomdPath(repository), 'utf8');
  const { text, href } = recordOf(repomd, type);
  rmSync(path.join(repository, href));
  writeFileSync(repomdPath(repository), repomd.replace(`  ${text}\n`, ''));
}

/** Edits repomd.xml itself. */
export function editRepomd(repository: string, edit: (text: string) => string): void {
  const before = readFileSync(repomdPath(repository), 'utf8');
  const after = edit(before);
  if (after === before) throw new Error(`the edit of repomd.xml in ${repository} changes nothing`);
  writeFileSync(repomdPath(repository), after);
}

/** Every file of a directory tree gets the build time: createrepo_c writes file times into primary.xml. */
export function settleTimes(directory: string): void {
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    utimesSync(path.join(directory, name), BUILD_TIME, BUILD_TIME);
  }
}

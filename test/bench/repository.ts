// Writes the metadata of a made-up repository of any size; its packages do not exist. The same options give the same XML.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type BenchKernel, benchKernels } from './kernels.ts';
import { type List, lists } from './lists.ts';

export interface RepositoryOptions {
  readonly packages: number;
  readonly compress: 'gz' | 'zst';
}

export interface BenchRepository {
  readonly directory: string;
  readonly packages: number;
  readonly compress: 'gz' | 'zst';
  readonly kernels: readonly BenchKernel[];
  /** Path of primary.xml, packed, and its bytes packed and plain. */
  readonly primary: string;
  readonly size: number;
  readonly openSize: number;
}

const KERNELS = 40;
/** Raised whenever what is made changes: what an earlier run made is made again then. */
const SHAPE = 2;
const PACKERS = { gz: ['gzip', '-6', '-n'], zst: ['zstd', '-q', '-10', '-T1'] } as const;

/** In pieces of about a megabyte. */
function* pieces({ head, entries, tail }: List): Generator<string> {
  let text = head;
  for (const entry of entries) {
    text += entry;
    if (text.length > 1 << 20) {
      yield text;
      text = '';
    }
  }
  yield text + tail;
}

async function written(child: ChildProcess, text: string): Promise<void> {
  if (child.stdin?.write(text) === false) await new Promise((resolve) => child.stdin?.once('drain', resolve));
}

interface Written {
  readonly record: string;
  readonly file: string;
  readonly size: number;
  readonly openSize: number;
}

async function writeList(directory: string, list: List, compress: RepositoryOptions['compress']): Promise<Written> {
  const { type } = list;
  const plain = createHash('sha256');
  let openSize = 0;
  const scratch = path.join(directory, `${type}.tmp`);
  const [program, ...args] = PACKERS[compress];
  const child = spawn('sh', ['-c', `exec ${program} ${args.join(' ')} -c > "$1"`, 'sh', scratch], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for (const text of pieces(list)) {
    plain.update(text);
    openSize += Buffer.byteLength(text);
    await written(child, text);
  }
  child.stdin?.end();
  const status = await ended;
  if (status !== 0) throw new Error(`${program} ended with status ${status}`);
  const packed = createHash('sha256');
  for await (const chunk of createReadStream(scratch)) packed.update(chunk as Buffer);
  const sum = packed.digest('hex');
  const href = `repodata/${sum}-${type}.xml.${compress}`;
  const file = path.join(path.dirname(directory), href);
  renameSync(scratch, file);
  const { size } = statSync(file);
  const record =
    `  <data type="${type}">\n    <checksum type="sha256">${sum}</checksum>\n` +
    `    <open-checksum type="sha256">${plain.digest('hex')}</open-checksum>\n    <location href="${href}"/>\n` +
    `    <timestamp>1700000000</timestamp>\n    <size>${size}</size>\n    <open-size>${openSize}</open-size>\n  </data>\n`;
  return { record, file, size, openSize };
}

/** `12000-gz`: what is asked for on the command line. */
export function sizeOf(text: string): RepositoryOptions {
  const match = /^(\d+)-(gz|zst)$/.exec(text);
  if (!match) throw new Error(`${text}: it must be PACKAGES-gz or PACKAGES-zst`);
  return { packages: Number(match[1]), compress: match[2] as 'gz' | 'zst' };
}

/** Makes the repository below `place`, or takes the one that an earlier run made there. */
export async function benchRepository(place: string, options: RepositoryOptions): Promise<BenchRepository> {
  const directory = path.join(place, `${options.packages}-${options.compress}`);
  const note = path.join(directory, `made-${SHAPE}.json`);
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8'));
  rmSync(directory, { recursive: true, force: true });
  const repodata = path.join(directory, 'repodata');
  mkdirSync(repodata, { recursive: true });
  const kernels = benchKernels(KERNELS);
  const all: Written[] = [];
  for (const list of lists(options.packages, kernels)) all.push(await writeList(repodata, list, options.compress));
  writeFileSync(
    path.join(repodata, 'repomd.xml'),
    '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n' +
      `  <revision>1700000000</revision>\n${all.map(({ record }) => record).join('')}</repomd>\n`,
  );
  const { file, size, openSize } = all[0] as Written;
  const made: BenchRepository = { directory, ...options, kernels, primary: file, size, openSize };
  writeFileSync(note, JSON.stringify(made));
  return made;
}

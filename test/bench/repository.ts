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
import { kernelEntries, ordinaryEntry, patchEntry } from './entries.ts';
import { type BenchKernel, benchKernels, benchPatches } from './kernels.ts';
import { random } from './random.ts';

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
const PATCHES = 300;
const SEED = 8;
const PACKERS = { gz: ['gzip', '-6', '-n'], zst: ['zstd', '-q', '-10', '-T1'] } as const;
const ROOTS = { primary: ['metadata', 'common'], filelists: ['filelists', 'filelists'] } as const;

/** Everything of primary.xml between its first and last line, in pieces of about a megabyte. */
function* pieces(count: number): Generator<string> {
  const source = random(SEED);
  const kernels = benchKernels(KERNELS);
  const special = [
    ...kernels.flatMap((kernel) => kernelEntries(kernel, source)),
    ...benchPatches(kernels, PATCHES).map(patchEntry),
  ];
  // Spread evenly: a reader that stops early must not look good.
  const every = Math.floor(count / special.length);
  let text = '';
  let ordinary = 0;
  for (let n = 0; n < count; n++) {
    const mine = n % every === 0 ? special[n / every] : undefined;
    text += mine ?? ordinaryEntry(ordinary++, source);
    if (text.length > 1 << 20) {
      yield text;
      text = '';
    }
  }
  yield text;
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

async function writeList(
  directory: string,
  type: keyof typeof ROOTS,
  { packages, compress }: RepositoryOptions,
): Promise<Written> {
  const [element, schema] = ROOTS[type];
  const plain = createHash('sha256');
  let openSize = 0;
  const scratch = path.join(directory, `${type}.tmp`);
  const [program, ...args] = PACKERS[compress];
  const child = spawn('sh', ['-c', `exec ${program} ${args.join(' ')} -c > "$1"`, 'sh', scratch], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const put = async (text: string): Promise<void> => {
    plain.update(text);
    openSize += Buffer.byteLength(text);
    await written(child, text);
  };
  const namespaces = `xmlns="http://linux.duke.edu/metadata/${schema}" xmlns:rpm="http://linux.duke.edu/metadata/rpm"`;
  await put(
    `<?xml version="1.0" encoding="UTF-8"?>\n<${element} ${namespaces} packages="${type === 'primary' ? packages : 0}">\n`,
  );
  if (type === 'primary') for (const piece of pieces(packages)) await put(piece);
  await put(`</${element}>\n`);
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
  const note = path.join(directory, 'made.json');
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8'));
  rmSync(directory, { recursive: true, force: true });
  const repodata = path.join(directory, 'repodata');
  mkdirSync(repodata, { recursive: true });
  const primary = await writeList(repodata, 'primary', options);
  const filelists = await writeList(repodata, 'filelists', options);
  writeFileSync(
    path.join(repodata, 'repomd.xml'),
    '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n' +
      `  <revision>1700000000</revision>\n${primary.record}${filelists.record}</repomd>\n`,
  );
  const { file, size, openSize } = primary;
  const made: BenchRepository = {
    directory,
    ...options,
    kernels: benchKernels(KERNELS),
    primary: file,
    size,
    openSize,
  };
  writeFileSync(note, JSON.stringify(made));
  return made;
}

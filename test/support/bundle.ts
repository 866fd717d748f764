// Bundles for tests: made by the program itself, taken apart, and put together again as nobody should.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { main } from '../../src/cli/main.ts';
import type { Manifest } from '../../src/usecases/bundle/manifest.ts';
import { FIXTURES, KERNELS, type ScratchRoot, scratchRoot } from './fixtures.ts';
import { surroundings, type Told } from './surroundings.ts';

/** A root whose repositories are the fixtures, as files: the connected machine. */
export function connectedRoot(id = 'el9'): ScratchRoot {
  const repos = `[${id}]\nname=Fixtures\nbaseurl=file://${FIXTURES}/${id}/\ngpgkey=file://${FIXTURES}/keys/RPM-GPG-KEY-fixtures\n`;
  return scratchRoot({ repos, rpmdb: false, kernels: [KERNELS.K1] });
}

/** A root without any repository. */
export function isolatedRoot(): ScratchRoot {
  return scratchRoot({ repos: '', rpmdb: false, kernels: [KERNELS.K1, KERNELS.K2] });
}

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program on a root; file names count from the real system. */
export async function runOn(root: ScratchRoot, args: readonly string[], told: Partial<Told> = {}): Promise<Ran> {
  const around = surroundings({ hostPath: '/', env: { TERM: 'dumb', LANG: 'C.UTF-8' }, ...told });
  const status = await main(['--installroot', root.path, ...args], around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}

const made = new Map<string, Promise<Buffer>>();

/** The bytes of a bundle for K1, made once for each `more` (further arguments of `bundle create`) and environment. */
export function madeBundle(more: readonly string[] = [], told: Partial<Told> = {}): Promise<Buffer> {
  const key = JSON.stringify([more, told]);
  const known = made.get(key) ?? freshBundle(more, told);
  made.set(key, known);
  return known;
}

/** The same, made anew. */
export async function freshBundle(more: readonly string[] = [], told: Partial<Told> = {}): Promise<Buffer> {
  const root = connectedRoot();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-bundle-'));
  try {
    const file = path.join(directory, 'bundle.tar');
    const kernel = more.includes('--kernel') ? [] : ['--kernel', KERNELS.K1];
    const ran = await runOn(root, ['bundle', 'create', ...kernel, '-o', file, ...more], told);
    if (ran.status !== 0) throw new Error(`bundle create: ${ran.err}`);
    return readFileSync(file);
  } finally {
    root.remove();
    rmSync(directory, { recursive: true });
  }
}

/** One entry as an attacker writes it. */
export interface Entry {
  readonly name: string;
  readonly bytes: Buffer;
  /** typeflag; '0' unless said. */
  readonly type?: string;
  readonly link?: string;
  readonly prefix?: string;
  /** The size the header claims, where it lies. */
  readonly claims?: number;
  /** Changes the finished header block before its checksum is set. */
  readonly header?: (block: Buffer) => void;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width, '0')}\0`;

/** One entry with its header and padding. Source: POSIX, ustar. */
export function entryBytes({ name, bytes, type = '0', link = '', prefix = '', claims, header }: Entry): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100, 'latin1');
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(claims ?? bytes.length, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(type, 156);
  block.write(link, 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 155, 'latin1');
  header?.(block);
  block.fill(' ', 148, 156);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  );
  return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

export const END = Buffer.alloc(1024);

/** An archive of these entries. */
export const archive = (entries: readonly Entry[], end: Buffer = END): Buffer =>
  Buffer.concat([...entries.map(entryBytes), end]);

/** The entries of an archive that the program made. */
export function entriesOf(bundle: Buffer): Entry[] {
  const found: Entry[] = [];
  for (let at = 0; bundle[at] !== 0; ) {
    const text = (from: number, length: number): string =>
      bundle.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    const prefix = text(345, 155);
    found.push({
      name: `${prefix ? `${prefix}/` : ''}${text(0, 100)}`,
      bytes: bundle.subarray(at + 512, at + 512 + size),
    });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

export const manifestOf = (entries: readonly Entry[]): Manifest =>
  JSON.parse((entries[0] as Entry).bytes.toString('utf8'));

/** The entries with another manifest. */
export function withManifest(entries: readonly Entry[], change: (manifest: Manifest) => unknown): Entry[] {
  const bytes = Buffer.from(JSON.stringify(change(manifestOf(entries))));
  return [{ name: 'manifest.json', bytes }, ...entries.slice(1)];
}

/** The entries with other content in one file, and a manifest that agrees: what only signatures can tell. */
export function withContent(entries: readonly Entry[], name: string, bytes: Buffer): Entry[] {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const changed = entries.map((entry) => (entry.name === name ? { ...entry, bytes } : entry));
  return withManifest(changed, (manifest) => ({
    ...manifest,
    files: manifest.files.map((file) => (file.path === name ? { ...file, sha256, size: bytes.length } : file)),
  }));
}

/** Writes bytes into a file of a new directory; gives its path and how it goes away. */
export function fileWith(bytes: Buffer, name = 'bundle.tar'): { readonly file: string; remove(): void } {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-bundle-'));
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, name), bytes);
  return { file: path.join(directory, name), remove: () => rmSync(directory, { recursive: true, force: true }) };
}

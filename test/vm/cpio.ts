// Writes initramfs archives (cpio "newc"). Source: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel.
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import path from 'node:path';

const DIRECTORY = 0o040755;
const LINK = 0o120777;
const FILE = 0o100000;

/** One archive, written entry by entry; everything belongs to root. */
export class Cpio {
  readonly #fd: number;
  readonly #made = new Set<string>();
  #inode = 1;

  constructor(file: string) {
    this.#fd = openSync(file, 'w');
  }

  /** The root directory itself: without it the kernel leaves it writable for all. */
  top(): void {
    this.#entry('.', DIRECTORY, Buffer.alloc(0));
  }

  directory(name: string): void {
    const clean = name.replace(/^\/+|\/+$/g, '');
    if (clean === '' || this.#made.has(clean)) return;
    if (clean.includes('/')) this.directory(path.posix.dirname(clean));
    this.#made.add(clean);
    this.#entry(clean, DIRECTORY, Buffer.alloc(0));
  }

  file(name: string, content: Buffer | string, mode = 0o644): void {
    this.#parent(name);
    this.#entry(name.replace(/^\/+/, ''), FILE | mode, Buffer.from(content));
  }

  link(name: string, target: string): void {
    this.#parent(name);
    this.#made.add(name.replace(/^\/+/, ''));
    this.#entry(name.replace(/^\/+/, ''), LINK, Buffer.from(target));
  }

  /** A file or a whole directory of the host. */
  copy(name: string, from: string): void {
    const stat = lstatSync(from);
    if (stat.isSymbolicLink()) this.link(name, readlinkSync(from));
    else if (stat.isDirectory()) {
      this.directory(name);
      for (const child of readdirSync(from).sort()) this.copy(path.posix.join(name, child), path.join(from, child));
    } else this.file(name, readFileSync(from), stat.mode & 0o777);
  }

  end(): void {
    this.#entry('TRAILER!!!', 0, Buffer.alloc(0));
    closeSync(this.#fd);
  }

  #parent(name: string): void {
    this.directory(path.posix.dirname(name.replace(/^\/+/, '')).replace(/^\.$/, ''));
  }

  #entry(name: string, mode: number, content: Buffer): void {
    const bytes = Buffer.from(`${name}\0`);
    const fields = [this.#inode++, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, bytes.length, 0];
    const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
    for (const part of [pad(Buffer.concat([header, bytes])), pad(content)]) {
      for (let at = 0; at < part.length; ) at += writeSync(this.#fd, part, at);
    }
  }
}

function pad(bytes: Buffer): Buffer {
  const short = (4 - (bytes.length % 4)) % 4;
  return short === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(short)]);
}

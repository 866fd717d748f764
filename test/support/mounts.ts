// Real file systems of a limited size, or read-only, where this user may mount.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const run = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

/** Whether this process may mount; root may, in most containers too. */
export function mayMount(): boolean {
  const mounts = new Mounts();
  const at = mkdtempSync(path.join(os.tmpdir(), 'kpm-mount-'));
  try {
    mounts.tmpfs(at, 'size=64k');
    return true;
  } catch {
    return false;
  } finally {
    mounts.unmount();
    rmSync(at, { recursive: true, force: true });
  }
}

/** What a test mounts, to be unmounted before its directory is removed. */
export class Mounts {
  readonly #mounted: string[] = [];

  /** A file system of its own, made where it is missing. `options` as in tmpfs(5): `size=4m,mode=755`. */
  tmpfs(at: string, options: string): void {
    this.#mount(at, '-t', 'tmpfs', '-o', options, 'tmpfs');
  }

  /** The same directory, but read-only until `remount`. */
  readOnly(at: string): void {
    this.#mount(at, '--bind', at);
    if (!run('mount', '-o', 'remount,bind,ro', at)) throw new Error(`${at} could not be made read-only`);
  }

  /** Changes what is mounted there. */
  remount(at: string, how: 'ro' | 'rw'): void {
    if (!run('mount', '-o', `remount,${how}`, at)) throw new Error(`${at} could not be remounted ${how}`);
  }

  unmount(): void {
    for (const at of this.#mounted.splice(0).reverse()) run('umount', at);
  }

  #mount(at: string, ...args: string[]): void {
    mkdirSync(at, { recursive: true });
    if (!run('mount', ...args, at)) throw new Error(`${at} could not be mounted`);
    this.#mounted.push(at);
  }
}

/** Writes until the file system is full; gives the file, so that it can be removed. */
export function fill(directory: string): string {
  const file = path.join(directory, 'ballast');
  const fd = openSync(file, 'w');
  try {
    for (let size = 1 << 20; size >= 512; ) {
      try {
        writeSync(fd, Buffer.alloc(size));
      } catch {
        size /= 2;
      }
    }
  } finally {
    closeSync(fd);
  }
  return file;
}

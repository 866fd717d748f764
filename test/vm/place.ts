// Where the virtual machines are built and what that needs of the distribution.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The work directory, outside the checkout: KPATCH_PM_VM, else in the user's cache. About 1.5 GB for two kernels. */
export function place(): string {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  const directory = process.env.KPATCH_PM_VM ?? path.join(cache, 'kpatch-pm-vm');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** A directory for the time of this run; `sweep` removes it should the run be killed. */
export function scratch(kind: string): string {
  return mkdtempSync(path.join(place(), `${kind}.${process.pid}.`));
}

/** Puts a finished directory in its place; where another run was quicker, its result is as good. */
export function moveInto(made: string, target: string): void {
  try {
    renameSync(made, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
    rmSync(made, { recursive: true });
  }
}

/** Removes what killed runs left behind. */
export function sweep(): void {
  for (const name of readdirSync(place())) {
    const pid = /^[a-z]+\.(\d+)\./.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(path.join(place(), name), { recursive: true, force: true });
  }
}

/** Programs needed, and the Debian package that brings each. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'apt-get': 'apt',
  dpkg: 'dpkg',
  make: 'make',
  gcc: 'gcc',
  strip: 'binutils',
  objcopy: 'binutils',
  depmod: 'kmod',
  ip: 'iproute2',
  xz: 'xz-utils',
  zstd: 'zstd',
  lz4: 'lz4',
  rpmbuild: 'rpm',
  rpmsign: 'rpm',
  gpg: 'gnupg',
  createrepo_c: 'createrepo-c',
  openssl: 'openssl',
  secilc: 'secilc',
  'mkfs.ext4': 'e2fsprogs',
};

const PLACES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export function which(program: string): string | null {
  return PLACES.map((directory) => path.join(directory, program)).find((file) => existsSync(file)) ?? null;
}

/** Debian packages that are missing for the VM tests. */
export function missingPackages(): string[] {
  const missing = Object.entries(PROGRAMS).filter(([program]) => which(program) === null);
  return [...new Set(missing.map(([, name]) => name))].sort();
}

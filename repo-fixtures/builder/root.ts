// The ready-made root: the kernels K1 to K4 in lib/modules and in a real rpm database, and dnf's configuration.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kernelFiles } from '../sources/kernels.ts';
import { ROOT_FILES, ROOT_KERNELS, ROOT_PACKAGES } from '../sources/root.ts';
import type { Workshop } from './package.ts';
import { placePackage } from './repository.ts';
import { tool } from './tools.ts';

/** The rpm database below the root. */
export const DBPATH = 'var/lib/rpm';

/** What `rpm -qa` says of a root, sorted: the comparison of databases whose bytes may differ. */
export function databaseContent(root: string): string {
  // rpm writes into the directory it reads, so it is given a copy.
  const copy = mkdtempSync(path.join(os.tmpdir(), 'kpm-rpmdb-'));
  try {
    cpSync(path.join(root, DBPATH), copy, { recursive: true });
    const format = '%{NEVRA} %{SIGMD5} %{SHA256HEADER} [%{PROVIDES},]\\n';
    const lines = tool('rpm', ['--dbpath', copy, '-qa', '--qf', format]).toString().trim().split('\n');
    return `${lines.sort().join('\n')}\n`;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Whether a file belongs to the database, which is compared by content. */
export function isDatabaseFile(name: string): boolean {
  return name.startsWith(`root/${DBPATH}/`);
}

function put(root: string, file: string, content: string | Buffer, mode = 0o644): void {
  const target = path.join(root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, content, { mode });
}

export function buildRoot(root: string, workshop: Workshop): void {
  for (const [file, content] of Object.entries(ROOT_FILES)) put(root, file, content);
  for (const kernel of ROOT_KERNELS) {
    for (const file of kernelFiles(kernel)) {
      if (file.kind !== 'directory') put(root, file.path, file.content as string, file.mode);
    }
  }
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-root-'));
  try {
    const files = ROOT_PACKAGES.map((source) => placePackage(source, scratch, workshop));
    const database = path.join(root, DBPATH);
    mkdirSync(database, { recursive: true });
    const options = ['--dbpath', database, '--define', '_db_backend sqlite'];
    tool('rpm', [...options, '-i', '--justdb', '--nodeps', '--noscripts', '--ignorearch', '--nosignature', ...files]);
    // A checkpoint puts everything into the one file that other readers open; the side files and the lock are rpm's own.
    tool('sqlite3', [path.join(database, 'rpmdb.sqlite'), 'PRAGMA wal_checkpoint(TRUNCATE); VACUUM;']);
    for (const name of readdirSync(database)) {
      if (name !== 'rpmdb.sqlite') rmSync(path.join(database, name));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

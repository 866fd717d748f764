// Module files that were superseded and are kept until their successor is proven.
import { createHash } from 'node:crypto';
import type { KernelRelease } from '../domain/kernel.ts';
import type { Receipt } from '../domain/receipt.ts';
import { MAX_MODULE } from '../formats/elf/module.ts';
import type { Root } from '../host/root.ts';
import { retiredDirectory } from './places.ts';

export interface KeptFile {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** What `drop` with `keep` kept for a kernel. */
export function keptFiles(root: Root, kernel: KernelRelease): KeptFile[] {
  return root.list(retiredDirectory(kernel)).flatMap((file) => {
    const place = `${retiredDirectory(kernel)}/${file}`;
    const [bytes, stat] = [root.read(place, MAX_MODULE), root.lstat(place)];
    if (bytes === null || stat === null) return [];
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return [{ file, sha256, size: bytes.length, mode: stat.mode & 0o777, mtime: Math.floor(stat.mtimeMs / 1000) }];
  });
}

/** Whether something takes the place of a level that failed before it was proven: files were kept, or a receipt. */
export function hasLevelBefore(root: Root, { kernel, before }: Receipt): boolean {
  return before !== undefined && (before !== null || keptFiles(root, kernel).length > 0);
}

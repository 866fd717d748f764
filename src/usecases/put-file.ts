// A result into a file that a person named: whole or not at all, for others may read it at any moment.
import path from 'node:path';
import type { Root } from '../host/root.ts';

/** Writes it, readable for all. Raises `file-unwritable`, `no-space`, `read-only`. */
export function putFile(host: Root, directory: string, name: string, text: string): void {
  host.write(path.posix.resolve(directory, name).slice(1), text, { mode: 0o644 });
}

/** Reads a file that a person named; null when it is not there. Raises `file-unreadable`. */
export function getFile(host: Root, directory: string, name: string, maxBytes: number): Buffer | null {
  return host.read(path.posix.resolve(directory, name).slice(1), maxBytes);
}

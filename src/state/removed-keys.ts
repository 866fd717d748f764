// Keys that somebody took away on purpose: they never come back by themselves, only by a person's explicit consent.
import path from 'node:path';
import type { Root } from '../host/root.ts';
import { STATE } from './directory.ts';
import { type FileFormat, isFields, type Notice, readState, stateText, tolerant } from './format.ts';

export const REMOVED_KEYS = `${STATE}/removed-keys.json`;

export interface RemovedKey {
  readonly fingerprint: string;
  readonly owner: string;
  /** ISO time. */
  readonly since: string;
}

interface RemovedFile {
  readonly format: 1;
  readonly keys: readonly RemovedKey[];
}

const FORMAT: FileFormat<RemovedFile> = {
  what: 'list of removed keys',
  current: 1,
  migrations: {},
  check: ({ keys }) =>
    Array.isArray(keys) &&
    keys.every(
      (key) => isFields(key) && [key.fingerprint, key.owner, key.since].every((field) => typeof field === 'string'),
    )
      ? { format: 1, keys: keys as RemovedKey[] }
      : null,
};

/**
 * The keys removed on purpose. Errors and `notice` as in readReceipts. `file`: package keys and the metadata keys of each
 * repository have lists of their own.
 */
export function removedKeys(root: Root, notice?: Notice, file: string = REMOVED_KEYS): RemovedKey[] {
  return tolerant(notice, [], () => [...(readState(root, file, FORMAT)?.keys ?? [])]);
}

/** Remembers a removal. */
export function rememberRemoval(root: Root, removed: RemovedKey, file: string = REMOVED_KEYS): void {
  const others = removedKeys(root, undefined, file).filter(({ fingerprint }) => fingerprint !== removed.fingerprint);
  write(root, [...others, removed], file);
}

/** A person wants the key again. */
export function forgetRemoval(root: Root, fingerprint: string, file: string = REMOVED_KEYS): void {
  const before = removedKeys(root, undefined, file);
  const after = before.filter((key) => key.fingerprint !== fingerprint);
  if (after.length < before.length) write(root, after, file);
}

function write(root: Root, keys: readonly RemovedKey[], file: string): void {
  root.mkdirs('var/lib');
  root.mkdirs(STATE, 0o700);
  root.mkdirs(path.posix.dirname(file), 0o700);
  root.write(file, stateText({ format: 1, keys } satisfies RemovedFile), { mode: 0o600 });
}

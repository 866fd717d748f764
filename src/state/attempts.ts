// Attempt markers of the crash guard: on disk, synced, before a module is loaded on a kernel for the first time; gone when
// it proved healthy. What proved healthy once is remembered by its checksum and gets no marker again.
import type { Attempt } from '../domain/crashguard.ts';
import { kernelRelease } from '../domain/kernel.ts';
import type { Root } from '../host/root.ts';
import { checkState, STATE, type State } from './directory.ts';
import { type FileFormat, isFields, type Notice, readState, stateText, tolerant } from './format.ts';
import { isModuleFile } from './receipts.ts';

export const ATTEMPTS = `${STATE}/attempts.json`;
/** How many proven modules are remembered; the oldest is forgotten first and would only get a marker again. */
const MEMORY = 200;

export interface Proven {
  readonly kernel: string;
  readonly sha256: string;
}

export interface AttemptsFile {
  readonly format: 1;
  readonly attempts: readonly Attempt[];
  readonly proven: readonly Proven[];
}

const NONE: AttemptsFile = { format: 1, attempts: [], proven: [] };

const isAttempt = (value: unknown): boolean =>
  isFields(value) &&
  kernelRelease(String(value.kernel)) !== null &&
  isModuleFile(String(value.file)) &&
  [value.module, value.sha256, value.since].every((text) => typeof text === 'string') &&
  (value.bootId === null || typeof value.bootId === 'string') &&
  Number.isSafeInteger(value.strikes);

const isProven = (value: unknown): boolean =>
  isFields(value) && typeof value.kernel === 'string' && typeof value.sha256 === 'string';

const FORMAT: FileFormat<AttemptsFile> = {
  what: 'list of load attempts',
  current: 1,
  migrations: {},
  check: (fields) =>
    Array.isArray(fields.attempts) &&
    fields.attempts.every(isAttempt) &&
    Array.isArray(fields.proven) &&
    fields.proven.every(isProven)
      ? (fields as unknown as AttemptsFile)
      : null,
};

/** What is remembered. Errors and `notice` as in readReceipts. */
export function readAttempts(root: Root, uid: number, notice?: Notice): AttemptsFile {
  return tolerant(notice, NONE, () => {
    checkState(root, uid);
    return readState(root, ATTEMPTS, FORMAT) ?? NONE;
  });
}

/** Replaces what is remembered; on disk when this returns. */
export function writeAttempts({ root }: State, file: Omit<AttemptsFile, 'format'>): void {
  if (file.attempts.length === 0 && file.proven.length === 0) {
    root.remove(ATTEMPTS);
    return;
  }
  const text = stateText({
    format: 1,
    attempts: file.attempts,
    proven: file.proven.slice(-MEMORY),
  } satisfies AttemptsFile);
  if (root.readText(ATTEMPTS) !== text) root.write(ATTEMPTS, text, { mode: 0o600 });
}

type Identity = Pick<Attempt, 'kernel' | 'sha256'>;
const same = (a: Proven, b: Proven): boolean => a.kernel === b.kernel && a.sha256 === b.sha256;

/** The marker before a load; an earlier strike against the same bytes is kept. Nothing for what proved healthy before. */
export function withAttempt(file: AttemptsFile, attempt: Omit<Attempt, 'strikes'>): AttemptsFile {
  if (file.proven.some((one) => same(one, attempt))) return file;
  const strikes = file.attempts.find((one) => same(one, attempt))?.strikes ?? 0;
  return { ...file, attempts: [...file.attempts.filter((one) => !same(one, attempt)), { ...attempt, strikes }] };
}

/** It proved healthy: no marker any more, and none in future. */
export function withProven(file: AttemptsFile, { kernel, sha256 }: Identity): AttemptsFile {
  const without = withoutAttempt(file, { kernel, sha256 });
  if (without.proven.some((one) => same(one, { kernel, sha256 }))) return without;
  return { ...without, proven: [...without.proven, { kernel, sha256 }] };
}

/** The load failed and the machine lives: no marker, no proof. */
export function withoutAttempt(file: AttemptsFile, gone: Identity): AttemptsFile {
  return { ...file, attempts: file.attempts.filter((one) => !same(one, gone)) };
}

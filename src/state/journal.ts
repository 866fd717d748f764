// The redo journal: one file that says what a transaction will do. It is written when everything is staged (the commit
// point) and removed when every step is done; recovery is doing the steps again. docs/decisions has the reasoning.
import { kernelRelease } from '../domain/kernel.ts';
import { KpmError } from '../errors.ts';
import type { Root } from '../host/root.ts';
import { checkState, STATE } from './directory.ts';
import { type Fields, type FileFormat, isFields, readState, stateText } from './format.ts';
import { isRecord } from './history.ts';
import { isModuleFile } from './receipts.ts';
import type { Step } from './steps.ts';

export const JOURNAL = `${STATE}/journal.json`;
/** 2: with records of the history. */
const JOURNAL_FORMAT = 2;

export interface Journal {
  readonly format: typeof JOURNAL_FORMAT;
  /** What was being done, as the user typed it (`kpatch-pm auto`). */
  readonly command: string;
  /** ISO time of the commit point. */
  readonly since: string;
  readonly by: string;
  readonly steps: readonly Step[];
}

const SHA256 = /^[0-9a-f]{64}$/;
const KINDS = new Set<string>([
  'put',
  'drop',
  'receipt',
  'unreceipt',
  'register',
  'unregister',
  'setting',
  'hold',
  'unhold',
  'forget',
  'record',
  'reset',
] satisfies Step['do'][]);

/** Whether a step stays in the places it may touch; asked before the commit and again when a journal is read. */
function sound(step: Fields): boolean {
  if (!KINDS.has(String(step.do))) return false;
  if (step.kernel !== undefined && step.kernel !== null && kernelRelease(String(step.kernel)) === null) return false;
  switch (step.do) {
    case 'put':
      return isModuleFile(String(step.file)) && SHA256.test(String(step.sha256)) && inPlace(step) && linkInPlace(step);
    case 'drop':
      return isModuleFile(String(step.file)) && inPlace(step);
    case 'register':
      return SHA256.test(String(step.sha256)) && isFields(step.nevra);
    case 'setting':
      return /^etc\/[^\0]+$/.test(String(step.path)) && typeof step.text === 'string';
    case 'record':
      return isRecord(step.record) && Array.isArray(step.ends) && step.ends.every(Number.isSafeInteger);
    default:
      return true;
  }
}

const inPlace = (step: Fields): boolean => step.place === 'active' || step.place === 'payload';

const linkInPlace = ({ link }: Fields): boolean =>
  link === undefined ||
  link === null ||
  (isFields(link) && /^usr\/lib\/\.build-id\/[0-9a-f]{2}\/[0-9a-f]+$/.test(String(link.path)));

const FORMAT: FileFormat<Journal> = {
  what: 'journal',
  current: JOURNAL_FORMAT,
  migrations: { 1: (old) => old },
  check: (fields) =>
    Array.isArray(fields.steps) &&
    fields.steps.every((step) => isFields(step) && sound(step)) &&
    [fields.command, fields.since, fields.by].every((value) => typeof value === 'string')
      ? (fields as unknown as Journal)
      : null,
};

/** Raises `internal` when a step would touch anything but the places steps are made for. */
export function checkSteps(steps: readonly Step[]): void {
  const bad = steps.find((step) => !sound(step as unknown as Fields));
  if (bad) {
    throw new KpmError('internal', { text: `A step of a transaction is out of bounds: ${JSON.stringify(bad)}.` });
  }
}

/** The journal of a transaction that was committed and is not finished; null when there is none. Raises `state-damaged`, `state-newer`. */
export function pendingJournal(root: Root, uid: number): Journal | null {
  checkState(root, uid);
  return readState(root, JOURNAL, FORMAT);
}

/** The commit point. */
export function writeJournal(root: Root, journal: Omit<Journal, 'format'>): void {
  root.write(JOURNAL, stateText({ format: JOURNAL_FORMAT, ...journal }), { mode: 0o600 });
}

export function clearJournal(root: Root): void {
  root.remove(JOURNAL);
}

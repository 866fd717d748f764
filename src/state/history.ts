// The history on disk: one file a record, history/NUMBER.json. It is written with the transactions of its run, through the
// journal, so that whatever was committed is recorded exactly once.
import { HISTORY_FORMAT, type HistoryRecord, MAX_RECORDS } from '../domain/history.ts';
import type { Root } from '../host/root.ts';
import { checkState, STATE, type State } from './directory.ts';
import { type Fields, type FileFormat, isFields, type Notice, readState, stateText, tolerant } from './format.ts';

export const HISTORY = `${STATE}/history`;

const text = (value: unknown): value is string => typeof value === 'string';
const textOrNull = (value: unknown): boolean => value === null || text(value);
const wholeOrNull = (value: unknown): boolean => value === null || Number.isSafeInteger(value);

const isPackage = (value: unknown): boolean =>
  value === null ||
  (isFields(value) &&
    [value.name, value.version, value.release, value.arch].every(text) &&
    Number.isSafeInteger(value.epoch) &&
    textOrNull(value.sha256));

const isHold = (value: unknown): boolean =>
  value === null || (isFields(value) && textOrNull(value.kernel) && textOrNull(value.name));

const isSetting = (value: unknown): boolean =>
  value === null || (isFields(value) && text(value.name) && [value.before, value.value].every(isBoolean));

const isKey = (value: unknown): boolean =>
  value === null ||
  (isFields(value) && [value.fingerprint, value.owner].every(text) && [value.stream, value.repo].every(textOrNull));

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';

const isError = (value: unknown): boolean =>
  value === null || (isFields(value) && [value.code, value.text].every(text));

const isAction = (value: unknown): boolean =>
  isFields(value) &&
  [value.do, value.outcome].every(text) &&
  [value.kernel, value.repo, value.module].every(textOrNull) &&
  [value.package, value.replaces].every(isPackage) &&
  [value.empty, value.adopts].every(isBoolean) &&
  isHold(value.hold) &&
  isSetting(value.setting) &&
  isKey(value.key ?? null) &&
  isError(value.error);

/** Whether fields are a record that may be written or shown. */
export function isRecord(fields: unknown): boolean {
  return (
    isFields(fields) &&
    fields.format === HISTORY_FORMAT &&
    isNumber(fields.id) &&
    [fields.command, fields.user, fields.begun, fields.version].every(text) &&
    textOrNull(fields.ended) &&
    Number.isSafeInteger(fields.uid) &&
    wholeOrNull(fields.exit) &&
    Array.isArray(fields.actions) &&
    fields.actions.every(isAction) &&
    Array.isArray(fields.remarks) &&
    fields.remarks.every(text)
  );
}

const isNumber = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

const FORMAT: FileFormat<HistoryRecord> = {
  what: 'record of the history',
  current: HISTORY_FORMAT,
  migrations: {},
  check: (fields: Fields) => (isRecord(fields) ? (fields as unknown as HistoryRecord) : null),
};

export const recordPath = (id: number): string => `${HISTORY}/${id}.json`;

export function recordText(record: HistoryRecord): string {
  return stateText(record);
}

/** The numbers of all records, ascending. */
export function recordNumbers(root: Root): number[] {
  return root
    .list(HISTORY)
    .flatMap((name) => /^([1-9]\d{0,14})\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** The number of the next record. */
export function nextNumber(root: Root): number {
  return (recordNumbers(root).at(-1) ?? 0) + 1;
}

/**
 * The numbers a word means, of those there are: `N`, `last`, `last-N`, `A..B`; null when it is none of these forms.
 * Source: dnf(8), history command, transaction-spec.
 */
export function numbersOf(word: string, there: readonly number[]): number[] | null {
  const sorted = [...there].sort((a, b) => a - b);
  const one = (text: string): number | null => {
    const offset = /^last(?:-(\d{1,6}))?$/.exec(text);
    if (offset) return sorted.at(-1 - Number(offset[1] ?? 0)) ?? 0;
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  const [from = '', to, ...more] = word.split('..');
  const [first, end] = [one(from), to === undefined ? one(from) : one(to)];
  if (first === null || end === null || more.length > 0) return null;
  return sorted.filter((id) => id >= Math.min(first, end) && id <= Math.max(first, end));
}

/** Every record, the newest first. Errors and `notice` as in readReceipts. */
export function readHistory(root: Root, uid: number, notice?: Notice): HistoryRecord[] {
  return tolerant(notice, [], () => {
    checkState(root, uid);
    return recordNumbers(root)
      .reverse()
      .flatMap((id) =>
        tolerant(notice, [], () => {
          const record = readState(root, recordPath(id), FORMAT);
          return record === null ? [] : [record];
        }),
      );
  });
}

/** Writes a record whole. */
export function writeRecord({ root }: State, record: HistoryRecord): void {
  root.mkdirs(HISTORY, 0o700);
  root.write(recordPath(record.id), recordText(record), { mode: 0o600 });
}

/** Removes the oldest records beyond MAX_RECORDS; the newest always stays, so that no number comes back. */
export function pruneHistory({ root }: State, most: number = MAX_RECORDS): void {
  for (const id of recordNumbers(root).slice(0, -most)) root.remove(recordPath(id));
}

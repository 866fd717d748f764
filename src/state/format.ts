// State files carry a format number: an older one is migrated step by step, a newer one refused.
import type { Problem } from '../domain/because.ts';
import { hasErrno, KpmError } from '../errors.ts';
import type { Root } from '../host/root.ts';

export interface FileFormat<T> {
  /** What it is, for messages: `receipt`. */
  readonly what: string;
  readonly current: number;
  /** What moving a damaged one away comes to, for the hint: `the holds in it are lifted then`. */
  readonly lost?: string;
  /** How to get from a format to the next one. */
  readonly migrations: Readonly<Record<number, (old: Fields) => Fields>>;
  /** Takes fields of the current format; null when they are not what they should be. */
  readonly check: (fields: Fields) => T | null;
}

export type Fields = Readonly<Record<string, unknown>>;

function damaged(
  shown: string,
  { what, lost }: Pick<FileFormat<unknown>, 'what' | 'lost'>,
  why: string,
  cause?: unknown,
): KpmError {
  return new KpmError('state-damaged', {
    text: `${shown} is no usable ${what}: ${why}.`,
    subject: shown,
    hint: `Move it away${lost ? ` (${lost})` : ''} and run the same command again: mv ${shown} /root/`,
    cause,
  });
}

/** Whether a value is an object with named fields. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the text of a state file. Raises `state-damaged`, `state-newer`. */
export function parseState<T>(text: string, shown: string, format: FileFormat<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(shown, format, 'it is not JSON', cause);
  }
  if (!isFields(value) || !Number.isInteger(value.format)) throw damaged(shown, format, 'it has no format number');
  let fields = value;
  let number = value.format as number;
  if (number > format.current) {
    throw new KpmError('state-newer', {
      text: `${shown} has format ${number}; this version of kpatch-pm knows formats up to ${format.current}.`,
      subject: shown,
      hint: 'Update kpatch-pm: dnf upgrade kpatch-pm',
    });
  }
  for (; number < format.current; number++) {
    const migrate = format.migrations[number];
    if (!migrate) throw damaged(shown, format, `its format ${number} was never used`);
    fields = { ...migrate(fields), format: number + 1 };
  }
  const checked = format.check(fields);
  if (checked === null) throw damaged(shown, format, 'a field is missing or of the wrong kind');
  return checked;
}

export type Notice = (problem: Problem) => void;

/**
 * Runs a reader of state files. Without `notice` every error is raised; with it, damaged or newer files, an unsafe
 * directory, and files this user may not read become notices, and `otherwise` is the answer.
 */
export function tolerant<T>(notice: Notice | undefined, otherwise: T, read: () => T): T {
  if (!notice) return read();
  try {
    return read();
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    const mayNot = error.code === 'file-unreadable' && hasErrno(error.cause, 'EACCES', 'EPERM');
    if (!mayNot && !['state-damaged', 'state-newer', 'state-unsafe'].includes(error.code)) throw error;
    notice({ code: error.code, text: error.message });
    return otherwise;
  }
}

/** JSON as we write it: stable, readable, ends in a newline. */
export function stateText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Reads one state file; null when there is none. */
export function readState<T>(root: Root, relative: string, format: FileFormat<T>): T | null {
  const text = root.readText(relative, 16 * 1024 * 1024);
  return text === null ? null : parseState(text, root.show(relative), format);
}

// How a failure is told: one sentence, then what to do next; with -v its code too, and of a fault of ours where it happened.
import { KpmError } from '../errors.ts';
import { clean } from './render/clean.ts';
import { paint, type Style } from './render/style.ts';
import { textWidth, wrap } from './render/width.ts';

/** Whatever was thrown, as an error with a code. */
export function asKpmError(thrown: unknown): KpmError {
  if (thrown instanceof KpmError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new KpmError('internal', {
    text: `kpatch-pm failed in a way it should not: ${message}`,
    hint: 'Please report it with the command you typed and what the same command prints with -v.',
    cause: thrown,
  });
}

/** `Error: what happened` and, indented, what to do next; ends with a line break. */
export function errorLines(text: string, hint: string | null, style: Style): string {
  const lines = [`${paint(style, 'bad', 'Error:')} ${clean(text)}`];
  return `${[...lines, ...hintLines(hint, style)].join('\n')}\n`;
}

/** Behind a colon, to the end: a command, not a sentence. */
const COMMAND = /^(.*?:) ([a-z](?:(?![.,;](?: |$)).)*)$/;

/** A hint that does not fit has each of its parts (three spaces lie between) on a line of its own. */
function hintLines(hint: string | null, style: Style): string[] {
  if (hint === null) return [];
  const width = style.width - 2;
  const whole = clean(hint);
  const parts = textWidth(whole) <= width ? [whole] : whole.split(/ {3,}/);
  return parts.flatMap((part) => partLines(part, width)).map((line) => `  ${line}`);
}

/** A command stays in one piece, however long: it is there to be copied. */
function partLines(part: string, width: number): string[] {
  const [, what, command] = textWidth(part) <= width ? [] : (COMMAND.exec(part) ?? []);
  return what === undefined ? wrap(part, width) : [...wrap(what, width), `  ${command}`];
}

/** What standard error says of a run that ended with this error. An answer of no is not called an error. */
export function failureText(error: KpmError, style: Style, verbose: boolean): string {
  const text =
    error.code === 'aborted'
      ? `${[clean(error.message), ...hintLines(error.hint, style)].join('\n')}\n`
      : errorLines(error.message, error.hint, style);
  if (!verbose || error.code === 'aborted') return text;
  const named = `${text}  Code: ${error.code} (docs/errors.md)\n`;
  if (error.code !== 'internal' || !(error.cause instanceof Error)) return named;
  return `${named}${(error.cause.stack ?? '').split('\n').map(clean).join('\n')}\n`;
}

// How a failure is told: one sentence, then what to do next. A stack trace only with -v, and only for a fault of ours.
import { KpmError } from '../errors.ts';
import { clean } from './render/clean.ts';
import { paint, type Style } from './render/style.ts';
import { wrap } from './render/width.ts';

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

/** The lines for standard error. */
export function failureText(error: KpmError, style: Style, verbose: boolean): string {
  const text = clean(error.message);
  const first = error.code === 'aborted' ? text : `${paint(style, 'bad', 'Error:')} ${text}`;
  const lines = [first];
  if (error.hint !== null) lines.push(...wrap(clean(error.hint), style.width - 2).map((line) => `  ${line}`));
  if (verbose && error.code === 'internal' && error.cause instanceof Error) {
    lines.push(...(error.cause.stack ?? '').split('\n').map(clean));
  }
  return `${lines.join('\n')}\n`;
}

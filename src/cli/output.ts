// Where texts go: standard output for results, standard error for talk. Knows what kind of terminal each is.
import type { Options } from './options.ts';
import type { Style } from './render/style.ts';

/** The part of a stream that is needed: node's streams and a test's buffers have it. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface Output {
  /** A result, as it is. */
  out(text: string): void;
  /** Talk: remarks, questions while standard output must stay clean, errors. */
  err(text: string): void;
  readonly outStyle: Style;
  readonly errStyle: Style;
  readonly outTerminal: boolean;
  readonly errTerminal: boolean;
  /** A line on standard error can be drawn over. */
  readonly errMoves: boolean;
}

const WIDTH = 80;
const UNBROKEN = 10_000;

/** Columns: COLUMNS where somebody set it, the terminal's, else 80; kept within reason. */
function columns(sink: Sink, env: Environment): number {
  const asked = /^\d{1,4}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : 0;
  const found = asked || (sink.isTTY ? sink.columns : 0) || WIDTH;
  return Math.min(500, Math.max(30, found));
}

/** Whether the locale can show characters beyond ASCII. Source: locale(7): LC_ALL, then LC_CTYPE, then LANG. */
function utf8(env: Environment): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

/** What a stream can show. Source of NO_COLOR: no-color.org (any non-empty value). */
export function styleOf(sink: Sink, env: Environment, color: string): Style {
  const terminal = sink.isTTY === true && env.TERM !== 'dumb';
  return {
    width: columns(sink, env),
    color: color === 'always' || (color === 'auto' && terminal && !env.NO_COLOR),
    symbols: terminal && utf8(env),
  };
}

/** Output over two streams. A reader that went away (EPIPE) is not an error: see bin.ts. */
export function outputTo(stdout: Sink, stderr: Sink, env: Environment, options: Options | null): Output {
  const color = options?.value('color') ?? 'auto';
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outStyle: styleOf(stdout, env, color),
    // Talk is broken into lines for people only: a log or a pipe gets each sentence whole.
    errStyle: { ...styleOf(stderr, env, color), ...(stderr.isTTY ? {} : { width: UNBROKEN }) },
    outTerminal: stdout.isTTY === true,
    errTerminal: stderr.isTTY === true,
    errMoves: stderr.isTTY === true && env.TERM !== 'dumb',
  };
}

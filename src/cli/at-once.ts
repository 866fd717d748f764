// --version and --help in their plain forms, answered before anything else is loaded: the parser of the command line and
// the pipeline take longer to load than these take to answer. The build makes this a file of its own.
import { HELP } from './at-once-words.ts';
import { generalHelp, verbHelp } from './help.ts';
import { outputTo, type Sink } from './output.ts';
import { verbOf } from './verbs.ts';
import { VERSION } from './version.ts';

export const versionText = (): string => `kpatch-pm ${VERSION}\n`;

/** The help of a verb, or of the program for null and for words that are no verb. */
export function helpText(verb: string | null, width: number): string {
  const spec = verb === null ? null : verbOf(verb);
  return spec ? verbHelp(spec, width) : generalHelp(width);
}

/** Answers where it can: the exit status is 0 then. False where the whole command line must be read. */
export function answerAtOnce(
  args: readonly string[],
  { stdout, stderr, env }: { stdout: Sink; stderr: Sink; env: Readonly<Record<string, string | undefined>> },
): boolean {
  const [first = '', second = '', ...more] = args;
  if (more.length > 0) return false;
  const { out, outStyle } = outputTo(stdout, stderr, env, null);
  if (first === '--version' && second === '') out(versionText());
  else if (HELP.includes(first) && second === '') out(helpText(null, outStyle.width));
  else if (HELP.includes(second) && verbOf(first)) out(helpText(first, outStyle.width));
  else return false;
  return true;
}

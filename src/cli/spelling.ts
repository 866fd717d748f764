// Options that a verb takes under a name which means something else elsewhere (`publish --version V`): written as the table
// has them before anything is read. Only behind the verb, and only with the verb's own words.
import type { VerbSpec } from './verb-spec.ts';
import { verbOf } from './verbs.ts';

/** The index of the verb; the number of arguments where there is none. `takesValue`: whether an option's value is a word of its own. */
export function verbAt(args: readonly string[], takesValue: (arg: string) => boolean): number {
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] as string;
    if (arg === '--') break;
    if (!arg.startsWith('-') || arg === '-') return n;
    if (!arg.includes('=') && takesValue(arg)) n++;
  }
  return args.length;
}

/** The arguments with the verb's own spellings resolved. A pair (`--sign-module KEY CERT`) becomes two options. */
export function asInTable(args: readonly string[], takesValue: (arg: string) => boolean): string[] {
  const at = verbAt(args, takesValue);
  // `help install`, as dnf has it.
  if (args[at] === 'help') return [...args.slice(0, at), '--help', ...args.slice(at + 1)];
  const verb: VerbSpec | null = at < args.length ? verbOf(args[at] as string) : null;
  if (!verb?.spelling) return [...args];
  const end = args.indexOf('--', at);
  const own = args.slice(at + 1, end < 0 ? args.length : end);
  const told = own.map((arg) => {
    const [name = '', ...value] = arg.split('=');
    const meant = verb.spelling?.[name];
    return meant === undefined ? arg : [meant, ...value].join('=');
  });
  return [...args.slice(0, at + 1), ...withPair(told), ...(end < 0 ? [] : args.slice(end))];
}

/** `--sign-module KEY CERT`: the word behind the key is its certificate, unless it is the module that is published. */
function withPair(args: readonly string[]): string[] {
  const at = args.indexOf('--sign-module');
  const certificate = args[at + 2];
  if (at < 0 || certificate === undefined || certificate.startsWith('-') || certificate.endsWith('.ko'))
    return [...args];
  return [...args.slice(0, at + 2), '--module-cert', certificate, ...args.slice(at + 3)];
}

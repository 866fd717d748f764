// The command line, read with the parser of yargs in its strictest form: what is not in the tables is a usage error before
// anything else is touched. Every value is a string and stays as it was typed.
// Only the parser: loading the rest of yargs takes longer than the whole of a warm `status` (docs/performance.md).
import yargsParser from 'yargs-parser';
import { KpmError } from '../errors.ts';
import { insteadOfOption, insteadOfVerb } from './elsewhere.ts';
import type { OptionSpec } from './option-spec.ts';
import { CONFLICTS, type FlagName, type ListName, OPTIONS, type Options, type ValueName } from './options.ts';
import { clean } from './render/clean.ts';
import { asInTable, verbAt } from './spelling.ts';
import { suggest } from './suggest.ts';
import type { VerbSpec } from './verb-spec.ts';
import { VERBS, type VerbName, verbOf } from './verbs.ts';

export interface Invocation {
  /** Null when only --help or --version was asked for. */
  readonly verb: VerbName | null;
  readonly words: readonly string[];
  readonly options: Options;
}

const SPECS: readonly OptionSpec[] = OPTIONS;

/** A usage error: exit status 2. */
export function usageError(text: string, verb: string | null = null, hint?: string): KpmError {
  const help = verb === null ? 'kpatch-pm --help' : `kpatch-pm ${verb} --help`;
  return new KpmError('usage', { text, subject: verb ?? undefined, hint: hint ?? `See \`${help}\`.` });
}

/** Reads the arguments after the program's name. Raises `usage`. */
export function parseArguments(asTyped: readonly string[]): Invocation {
  const typed = asInTable(asTyped, takesValue);
  const cut = rawFrom(typed);
  const args = typed.slice(0, cut);
  // Before its options are called unknown: they are those of a verb that is not there.
  const at = verbAt(args, takesValue);
  if (args[at] !== undefined) checkElsewhere(args[at] as string, args[at + 1]);
  checkSpelling(args);
  const given = parse(args);
  const words = given._.map(String);
  const options = new Given(given);
  const [first, ...before] = words;
  const rest = [...before, ...typed.slice(cut)];
  const verb = first === undefined ? null : knownVerb(first);
  if (verb === null && !options.flag('help') && !options.flag('version')) {
    throw usageError('No verb was given: what shall be done?');
  }
  for (const spec of SPECS) checkValues(spec, options, verb);
  if (verb) checkOwners(verb, given);
  for (const [one, other] of CONFLICTS) {
    if (given[one] !== undefined && given[other] !== undefined) {
      throw usageError(`--${one} and --${other} contradict each other.`, verb?.name);
    }
  }
  // Who asks for help need not know yet what must follow the verb.
  if (verb && !options.flag('help') && !options.flag('version')) checkWords(verb, rest);
  return { verb: (verb?.name ?? null) as VerbName | null, words: rest, options };
}

/** Where the arguments of a verb begin that reads all of them itself; the length where there is none. */
function rawFrom(args: readonly string[]): number {
  const at = verbAt(args, takesValue);
  const verb = at < args.length ? verbOf(args[at] as string) : null;
  return verb?.raw && !asksHelp(args[at + 1]) ? at + 1 : args.length;
}

/** Whether the value of an option is the word behind it. */
function takesValue(arg: string): boolean {
  const spec = arg.startsWith('--')
    ? SPECS.find(({ name, aliases = [] }) => [name, ...aliases].includes(arg.slice(2)))
    : SHORT.get(arg.at(-1) ?? '');
  return spec !== undefined && spec.kind !== 'flag';
}

const asksHelp = (arg: string | undefined): boolean => arg === '--help' || arg === '-h';

type Given_ = Record<string, unknown> & { _: (string | number)[] };

/** Nothing is guessed. Source: yargs-parser's README, "Configuration". */
export const CONFIGURATION = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'strip-aliased': true,
} as const;

/** What the parser is told of the table. yargs itself makes the same of it (test/oracle/yargs.test.ts). */
function parse(args: readonly string[]): Given_ {
  const named = (kind: (spec: OptionSpec) => boolean): string[] => SPECS.filter(kind).map(({ name }) => name);
  const { argv, error } = yargsParser.detailed([...args], {
    alias: Object.fromEntries(
      SPECS.map(({ name, short, aliases = [] }) => [name, short === undefined ? [...aliases] : [short, ...aliases]]),
    ),
    boolean: named(({ kind }) => kind === 'flag'),
    string: named(({ kind }) => kind !== 'flag'),
    // Makes the parser refuse a missing value, and a value where none belongs (`--json=no`).
    narg: Object.fromEntries(SPECS.map(({ name, kind }) => [name, kind === 'flag' ? 0 : 1])),
    configuration: CONFIGURATION,
  });
  if (error) throw usageError(sentence(error.message));
  return argv as Given_;
}

/** yargs' own words as a sentence of ours. */
function sentence(message: string): string {
  const missing = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  if (missing !== undefined) return `${dashed(missing)} needs a value.`;
  const extra = /^Argument unexpected for: (.+)$/.exec(message)?.[1];
  if (extra !== undefined) return `${dashed(extra)} takes no value.`;
  return `${clean(message)}.`;
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${clean(name)}`);

const LONG = new Set(SPECS.flatMap(({ name, aliases = [] }) => [name, ...aliases]));
const SHORT = new Map(SPECS.flatMap((spec) => (spec.short === undefined ? [] : [[spec.short, spec] as const])));

/** Refuses options that are not in the table, with the nearest that is, and single-dash forms that could be misread. */
function checkSpelling(args: readonly string[]): void {
  for (const arg of args) {
    if (arg === '--') return;
    if (arg.startsWith('--')) {
      const name = arg.slice(2).split('=', 1)[0] ?? '';
      if (!LONG.has(name)) throw unknownOption(`--${name}`, suggest(name, [...LONG]));
    } else if (arg.startsWith('-') && arg !== '-') {
      checkLetters(arg);
    }
  }
}

function unknownOption(shown: string, near: string | null): KpmError {
  const meant = insteadOfOption(shown) ?? (near === null ? null : `Did you mean --${near}?`);
  const hint = meant === null ? undefined : `${meant} See \`kpatch-pm --help\`.`;
  return usageError(`There is no option ${clean(shown)}.`, null, hint);
}

/** `-qy` and `-c FILE`, `-c=FILE` are read; a value glued to a letter (`-cFILE`) is not: it may be meant as more letters. */
function checkLetters(arg: string): void {
  const letters = arg.slice(1).split('=', 1)[0] ?? '';
  for (const [i, letter] of [...letters].entries()) {
    const spec = SHORT.get(letter);
    if (!spec) throw unknownOption(`-${letter}`, null);
    if (spec.kind !== 'flag' && i < letters.length - 1) {
      throw usageError(`-${letter} takes a value: write -${letter} VALUE.`);
    }
  }
}

/** Refuses a verb that is another program's, with what to type instead. */
function checkElsewhere(word: string, next: string | undefined): void {
  const instead = verbOf(word) ? null : insteadOfVerb(word, next);
  if (instead !== null) throw usageError(`There is no verb ${word}.`, null, `${instead} See \`kpatch-pm --help\`.`);
}

function knownVerb(word: string): VerbSpec {
  const verb = verbOf(word);
  if (verb) return verb;
  const near = suggest(
    word,
    VERBS.flatMap(({ name, aliases }) => [name, ...aliases]),
  );
  const meant = word === 'version' ? '--version' : near;
  const hint = meant === null ? undefined : `Did you mean \`kpatch-pm ${meant}\`? See \`kpatch-pm --help\`.`;
  throw usageError(`There is no verb ${clean(word)}.`, null, hint);
}

/** Refuses options of other verbs, JSON where there is none, and trying what cannot be tried. */
function checkOwners(verb: VerbSpec, given: Given_): void {
  if (verb.noJson && given.json !== undefined) throw usageError(`${verb.name} prints no JSON.`, verb.name);
  if (verb.noDryRun && given['dry-run'] !== undefined)
    throw usageError(`${verb.name} cannot be tried with --dry-run; nothing was done.`, verb.name);
  const stranger = SPECS.find(({ name, verbs }) => verbs && !verbs.includes(verb.name) && given[name] !== undefined);
  if (stranger === undefined) return;
  throw usageError(`--${stranger.name} belongs to ${stranger.verbs?.join(', ')}, not to ${verb.name}.`, verb.name);
}

const isEmptyWord = (word: string): boolean => word.replace(/["'\u2018-\u201f\s]/g, '') === '';

function checkWords(verb: VerbSpec, words: readonly string[]): void {
  const [first] = words;
  if (words.length < (verb.least ?? 0))
    throw usageError(`${verb.name} needs ${verb.takes.replace(/\.{3}$/, '')}.`, verb.name);
  if (first === undefined) return;
  // As from "$PACKAGE" with nothing in it: taken for no word at all, it would mean everything.
  if (!verb.raw && words.some(isEmptyWord))
    throw usageError(`${verb.name} was given an empty word: is a variable of the shell unset?`, verb.name);
  if (verb.takes === '') throw usageError(`${verb.name} takes no arguments, but was given ${clean(first)}.`, verb.name);
  const stranger = words.find((word) => verb.words && !verb.words.includes(word));
  if (stranger !== undefined) {
    throw usageError(`${verb.name} knows no ${clean(stranger)}, only ${verb.words?.join(', ')}.`, verb.name);
  }
}

function checkValues(spec: OptionSpec, options: Given, verb: VerbSpec | null): void {
  for (const value of spec.kind === 'flag' ? [] : options.typed(spec.name)) {
    const wrong =
      spec.check?.(value) ?? (spec.choices?.includes(value) === false ? `it must be ${spec.choices.join(', ')}` : null);
    if (wrong) throw usageError(`--${spec.name} cannot be ${JSON.stringify(clean(value))}: ${wrong}.`, verb?.name);
  }
}

/** What yargs found, by the table's kinds. */
class Given implements Options {
  readonly #found: Record<string, unknown>;

  constructor(found: Record<string, unknown>) {
    this.#found = found;
  }

  flag(name: FlagName): boolean {
    return this.#found[name] !== undefined;
  }

  value(name: ValueName): string | null {
    const spec = SPECS.find((option) => option.name === name);
    return this.typed(name).at(-1) ?? spec?.default ?? null;
  }

  list(name: ListName): readonly string[] {
    return this.typed(name);
  }

  /** Every value given, in order; lists with commas split as dnf does. */
  typed(name: string): string[] {
    const found = this.#found[name];
    const values = found === undefined ? [] : Array.isArray(found) ? found.map(String) : [String(found)];
    const commas = SPECS.find((option) => option.name === name)?.commas ?? false;
    return commas ? values.flatMap((value) => value.split(',').map((part) => part.trim())) : values;
  }
}

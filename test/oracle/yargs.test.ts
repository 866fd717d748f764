// The command line is read by the parser of yargs without the rest of it; yargs as a whole must read every line alike.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import yargs from 'yargs';
import { CONFIGURATION, parseArguments } from '../../src/cli/arguments.ts';
import type { OptionSpec } from '../../src/cli/option-spec.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { KpmError } from '../../src/errors.ts';

const SPECS: readonly OptionSpec[] = OPTIONS;
const MAIN = ['status', 'install', 'auto'];

/** What yargs makes of the words: the words without options and every option by its name, or null where it refuses. */
function byYargs(args: readonly string[]): { words: string[]; found: Record<string, unknown> } | null {
  let refused = false;
  const parser = yargs([...args])
    .parserConfiguration(CONFIGURATION)
    .detectLocale(false)
    .help(false)
    .version(false)
    .exitProcess(false)
    .strictOptions()
    .fail(() => {
      refused = true;
    });
  for (const { name, short, aliases = [], kind } of SPECS) {
    parser.option(name, {
      alias: short === undefined ? [...aliases] : [short, ...aliases],
      type: kind === 'flag' ? 'boolean' : 'string',
      nargs: kind === 'flag' ? 0 : 1,
    });
  }
  const given = parser.parseSync() as Record<string, unknown> & { _: (string | number)[] };
  return refused ? null : { words: given._.map(String), found: given };
}

/** The same by our reading; 'refused' with the reason where it refuses. */
function byUs(args: readonly string[]): ReturnType<typeof parseArguments> | string {
  try {
    return parseArguments(args);
  } catch (error) {
    if (error instanceof KpmError) return error.message;
    throw error;
  }
}

const listOf = (value: unknown): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)];

function compare(args: readonly string[]): 'both read' | 'ours refused' {
  const [mine, theirs] = [byUs(args), byYargs(args)];
  // Ours refuses more (values, verbs, contradictions), never less.
  if (typeof mine === 'string') return 'ours refused';
  expect({ args, theirs }).not.toEqual({ args, theirs: null });
  const { words, found } = theirs as NonNullable<typeof theirs>;
  expect([...(mine.verb === null ? [] : [mine.verb]), ...mine.words]).toEqual(words);
  for (const { name, kind, commas } of SPECS) {
    if (kind === 'flag') expect([name, mine.options.flag(name as never)]).toEqual([name, found[name] !== undefined]);
    if (kind !== 'list') continue;
    const expected = commas
      ? listOf(found[name]).flatMap((one) => one.split(',').map((part) => part.trim()))
      : listOf(found[name]);
    expect([name, mine.options.list(name as never)]).toEqual([name, expected]);
  }
  return 'both read';
}

describe('the command line as yargs reads it', () => {
  test.each([
    [['status', '--json', '--installroot', '/a b']],
    [['-qy', 'install', '--repo=a,b', '--repo', 'c']],
    [['--setopt', 'a.b=c=d', '--setopt=x=', 'auto', '-c', 'f']],
    [['--kernel', '5.14.0-1.el9.x86_64', '--kernel', '5.14.0-2.el9.x86_64', 'auto', '--dry-run']],
    [['inspect', '--', '--json']],
    [['--lock-timeout', '010', 'auto']],
    [['-C', 'status', '--color=never', '--color', 'always']],
  ])('%j', (args) => {
    expect(compare(args)).toBe('both read');
  });

  test.each([[['--json=no', 'status']], [['status', '--installroot']], [['status', '--repo']]])(
    '%j is refused by both',
    (args) => {
      expect(typeof byUs(args)).toBe('string');
      expect(byYargs(args)).toBeNull();
    },
  );

  test('any line made of known words and odd values', () => {
    const option = fc.constantFrom(...SPECS).chain((spec) => {
      const value = fc.constantFrom(
        'x',
        '1',
        '010',
        '1e3',
        'a=b',
        'a,b',
        '',
        'true',
        '0x10',
        '5.14.0-1.el9.x86_64',
        '-1',
      );
      const forms = [`--${spec.name}`, ...(spec.short ? [`-${spec.short}`] : [])];
      if (spec.kind === 'flag') return fc.constantFrom(...forms).map((form) => [form]);
      return fc
        .tuple(fc.constantFrom(...forms), fc.boolean(), value)
        .map(([form, glued, text]) => (glued ? [`${form}=${text}`] : [form, text]));
    });
    const line = fc
      .tuple(fc.array(option, { maxLength: 4 }), fc.constantFrom(...MAIN), fc.array(option, { maxLength: 3 }))
      .map(([before, verb, after]) => [...before.flat(), verb, ...after.flat()]);
    const read = new Set<string>();
    fc.assert(
      fc.property(line, (args) => {
        read.add(compare(args));
      }),
      { numRuns: 500, seed: 8 },
    );
    expect([...read].sort()).toEqual(['both read', 'ours refused']);
  });
});

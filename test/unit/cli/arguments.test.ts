import { describe, expect, test } from '@jest/globals';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { KpmError } from '../../../src/errors.ts';

const K = '5.14.0-362.8.1.el9_3.x86_64';

function refusal(...args: string[]): KpmError {
  try {
    parseArguments(args);
  } catch (error) {
    if (error instanceof KpmError) return error;
    throw error;
  }
  throw new Error(`accepted: ${args.join(' ')}`);
}

describe('what is read', () => {
  test('every value is a string, and stays as it was typed', () => {
    const { options } = parseArguments(['status', '--releasever', '9.10', '--lock-timeout=007']);
    expect(options.value('releasever')).toBe('9.10');
    expect(options.value('lock-timeout')).toBe('007');
    expect(parseArguments(['status', '--releasever=true']).options.value('releasever')).toBe('true');
    expect(parseArguments(['status', '--releasever', '0x10']).options.value('releasever')).toBe('0x10');
  });

  test('of a single value given twice the last counts; lists keep all, in order', () => {
    const { options } = parseArguments(
      `status --color never --color=always --setopt a=1 --setopt=r.b=2,3 --repo x,y --repoid z`.split(' '),
    );
    expect(options.value('color')).toBe('always');
    expect(options.list('setopt')).toEqual(['a=1', 'r.b=2,3']);
    expect(options.list('repo')).toEqual(['x', 'y', 'z']);
  });

  test('options may stand before and after the verb, short ones together', () => {
    const { verb, options } = parseArguments(['-qy', '--kernel', K, 'auto', '-c', '/x/dnf.conf', '-C']);
    expect(verb).toBe('auto');
    expect(['quiet', 'assumeyes', 'cacheonly', 'verbose'].map((name) => options.flag(name as 'quiet'))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(options.value('config')).toBe('/x/dnf.conf');
    expect(options.list('kernel')).toEqual([K]);
  });

  test('--no-load is an option of its own', () => {
    expect(parseArguments(['install', '--no-load']).options.flag('no-load')).toBe(true);
    expect(parseArguments(['install']).options.flag('no-load')).toBe(false);
  });

  test.each([
    ['auto', 'auto'],
    ['auto-update', 'auto'],
    ['manual-update', 'manual'],
    ['no-filter', 'no-filter'],
  ])('the verb %s is %s', (typed, verb) => {
    expect(parseArguments([typed]).verb).toBe(verb);
  });

  test('--help and --version need no verb', () => {
    expect(parseArguments(['--version', '-v'])).toMatchObject({ verb: null });
    expect(parseArguments(['--help', '--json'])).toMatchObject({ verb: null });
  });
});

describe('what is refused, with exit status 2', () => {
  test.each([
    [[], 'No verb was given: what shall be done?'],
    [['stauts'], 'There is no verb stauts.'],
    [['Status'], 'There is no verb Status.'],
    [['constructor'], 'There is no verb constructor.'],
    [['status', '--lod'], 'There is no option --lod.'],
    [['install', '--load'], 'There is no option --load.'],
    [['--__proto__=1', 'status'], 'There is no option --__proto__.'],
    [['--get-yargs-completions', 'status'], 'There is no option --get-yargs-completions.'],
    [['--no-json', 'status'], 'There is no option --no-json.'],
    [['--repo.x=1', 'status'], 'There is no option --repo.x.'],
    [['---', 'status'], 'There is no option ---.'],
    [['-z', 'status'], 'There is no option -z.'],
    [['-y1', 'auto'], 'There is no option -1.'],
    [['auto', '--\u001b[31m'], 'There is no option --\\u001b[31m.'],
    [['status', '--json=no'], '--json takes no value.'],
    [['auto', '-y=no'], '-y takes no value.'],
    [['auto', '--json', 'false'], 'auto takes no arguments, but was given false.'],
    [['status', '-c'], '-c needs a value.'],
    [['status', '-cdnf.conf'], '-c takes a value: write -c VALUE.'],
    [['status', '--config', '-y'], '--config needs a value.'],
    [['status', '--config='], '--config cannot be "": it must not be empty.'],
    [['status', '--color', 'maybe'], '--color cannot be "maybe": it must be auto, always, never.'],
    [['auto', '--lock-timeout', '1e3'], '--lock-timeout cannot be "1e3": it must be a whole number of seconds.'],
    [['auto', '--kernel', '../../etc'], '--kernel cannot be "../../etc": a kernel is named by its full `uname -r`.'],
    [['status', '--repofrompath', 'x'], '--repofrompath cannot be "x": it must be an id, a comma and a URL or path.'],
    [['status', '--setopt', 'best'], '--setopt cannot be "best": it must be KEY=VALUE or REPO.KEY=VALUE.'],
    [['status', '--repo=a', '--disablerepo=b'], '--repo and --disablerepo contradict each other.'],
    [['status', '--refresh', '-C'], '--refresh and --cacheonly contradict each other.'],
    [['metrics', '-o', 'f', '--dry-run'], '--dry-run and --output contradict each other.'],
    ...['clean', 'download x', 'publish --empty', 'quarantine clear m', 'boot', 'service', 'module list'].map(
      (line): [string[], string] => [
        ['--dry-run', ...line.split(' ')],
        `${line.split(' ')[0]} cannot be tried with --dry-run; nothing was done.`,
      ],
    ),
    [['status', 'x'], 'status takes no arguments, but was given x.'],
    [['status', '--', '--json'], 'status takes no arguments, but was given --json.'],
    [['clean', 'everything'], 'clean knows no everything, only all, metadata, packages, dbcache, expire-cache.'],
  ])('%j', (args, text) => {
    const error = refusal(...args);
    expect(error).toMatchObject({ code: 'usage', message: text, exit: 2 });
    expect(error.hint).toMatch(/See `kpatch-pm .*--help`\.$/);
  });

  test('a slip is named', () => {
    expect(refusal('stauts').hint).toBe('Did you mean `kpatch-pm status`? See `kpatch-pm --help`.');
    expect(refusal('auto', '--instalroot=/x').hint).toBe('Did you mean --installroot? See `kpatch-pm --help`.');
  });
});

// docs/coming-from-dnf.md: its commands are run, it has those of the vendor, and it says what of dnf is not offered.
import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseArguments } from '../../src/cli/arguments.ts';
import { spellings } from '../../src/cli/completion/tables.ts';
import { ELSEWHERE } from '../../src/cli/elsewhere.ts';
import type { OptionSpec } from '../../src/cli/option-spec.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { verbOf } from '../../src/cli/verbs.ts';
import { KpmError } from '../../src/errors.ts';
import { KERNELS } from '../support/fixtures.ts';
import { commandsOf, KNOWN, pageMachine, readPage, unanswered } from '../support/page-run.ts';
import { needs } from '../support/programs.ts';

const page = readPage('coming-from-dnf.md');
const machine = pageMachine(`@KERNELS\n${KERNELS.K1}\n${KERNELS.K2}\n\n@SERVED el9\n`, KERNELS.K1);
afterAll(() => machine.remove());

/** Every command block of the vendor's chapter on live patching (RHEL 7 to 10), and of the common how-tos. */
const VENDOR = [
  // which kernel, and is there a live patch for it
  'uname -r',
  'yum search $(uname -r)',
  'dnf search $(uname -r)',
  'yum list installed | grep kernel',
  'dnf list installed | grep kernel',
  // subscribing the installed kernel
  'yum install "kpatch-patch = $(uname -r)"',
  'dnf install "kpatch-patch = $(uname -r)"',
  'dnf install “kpatch-patch = $(uname -r)”',
  'kpatch list',
  // and those to come
  'yum install kpatch-dnf',
  'dnf install kpatch-dnf',
  'yum kpatch auto',
  'dnf kpatch auto',
  'yum kpatch status',
  'dnf kpatch status',
  'yum kpatch manual',
  'dnf kpatch manual',
  'dnf kpatch install',
  'dnf kpatch auto-filter',
  'dnf kpatch no-filter',
  // updating
  'yum update "kpatch-patch = $(uname -r)"',
  'dnf update "kpatch-patch = $(uname -r)"',
  'yum update "kpatch-patch*"',
  'dnf update "kpatch-patch*"',
  // removing the package, and only its module
  'yum list installed | grep kpatch-patch',
  'dnf list installed | grep kpatch-patch',
  'yum remove kpatch-patch-5_14_0-427_13_1.x86_64',
  'dnf remove kpatch-patch-5_14_0-427_13_1.x86_64',
  'yum list installed | grep kpatch-patch-5_14_0-427_13_1',
  'dnf list installed | grep kpatch-patch-5_14_0-427_13_1',
  'kpatch uninstall kpatch_5_14_0_427_13_1_1_2',
];
/** The same chapter, about the unit that loads at boot: nothing changes there. */
const UNIT = [
  'systemctl is-enabled kpatch.service',
  'systemctl disable kpatch.service',
  'systemctl status kpatch.service',
  'systemctl enable kpatch.service',
];

describe('docs/coming-from-dnf.md', () => {
  const all = commandsOf(page);

  test.each(all.map((command, n) => [n + 1, command.line, command] as const))('%i: %s', async (_, __, command) => {
    const { status, out, err, piped } = await machine.run(command);
    expect({ status, err }).toEqual({ status: command.status, err });
    if (command.pipe === null) return;
    expect(out).not.toBe('');
    expect(piped).toBe(0);
  });

  test('has the line of every command of the vendor and of the usual how-tos', () => {
    const known = page.split('\n').filter((line) => KNOWN.test(line));
    expect(VENDOR.filter((line) => !known.includes(`# ${line}`))).toEqual([]);
    expect(UNIT.filter((line) => !page.includes(`\`${line}\``))).toEqual([]);
  });

  test('each of those commands stands above one of ours', () => expect(unanswered(page)).toEqual([]));
});

/** The first column of a table of the page, word for word. */
const named = (heading: string): string[] =>
  (page.split(`\n## ${heading}\n`)[1] ?? '')
    .split('\n## ')[0]
    ?.split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) =>
      [...(line.split('|')[1] ?? '').matchAll(/`([A-Za-z0-9-]+)/g)].map((match) => match[1] as string),
    ) ?? [];
const refused = (): string[] => named('Options of dnf that are not offered');
const strangers = (): string[] => named('Verbs of dnf that are not offered');

/** What the program says of arguments. */
function said(...args: string[]): { exit: number; text: string; hint: string } {
  try {
    parseArguments(args);
  } catch (error) {
    if (error instanceof KpmError) return { exit: error.exit, text: error.message, hint: error.hint ?? '' };
    throw error;
  }
  return { exit: 0, text: '', hint: '' };
}

describe('what is not offered', () => {
  test('the page and the program know the same verbs and options', () => {
    expect(strangers().sort()).toEqual([...ELSEWHERE.verbs].sort());
    expect(refused().sort()).toEqual([...ELSEWHERE.options].sort());
    expect(ELSEWHERE.verbs.filter((word) => verbOf(word) !== null)).toEqual([]);
  });

  test.each(ELSEWHERE.verbs)('%s: what to type instead is something that can be typed', (word) => {
    // With an option of its own, which must not be what is complained of.
    const { exit, text, hint } = said(word, '--no-such-option');
    expect([exit, text]).toEqual([2, `There is no verb ${word}.`]);
    expect(hint).toMatch(/^\S.{15,} See `kpatch-pm --help`\.$/);
    for (const [, typed] of hint.matchAll(/`kpatch-pm ([^`]+)`/g)) {
      const names = (typed as string).split(' ').map((one) => (one === 'VERB' ? 'status' : one));
      expect([typed, said(...names)]).toEqual([typed, { exit: 0, text: '', hint: '' }]);
    }
  });

  test('`dnf kpatch WORD` is the verb of that name; options are answered in the same way', () => {
    expect(said('kpatch', 'auto').hint).toMatch(/^Type `kpatch-pm auto`\./);
    expect(said('-y', 'kpatch', 'manual-update').hint).toMatch(/^Type `kpatch-pm manual`\./);
    expect(said('kpatch', 'list').hint).toMatch(/^Type `kpatch-pm list`\./);
    expect(said('upgrade', '--nobest')).toMatchObject({ exit: 2, text: 'There is no option --nobest.' });
    expect(said('upgrade', '--nobest').hint).toMatch(/^Leave it out: there is no solver/);
    expect(said('-4', 'makecache').hint).toMatch(/^Type --setopt ip_resolve=4\./);
  });

  test('help VERB is --help of it, as in dnf', () => {
    for (const args of [['help'], ['-q', 'help']]) expect(parseArguments(args).verb).toBeNull();
    expect(parseArguments(['help', 'upgrade'])).toMatchObject({ verb: 'upgrade', words: [] });
    expect(parseArguments(['help', 'module']).options.flag('help')).toBe(true);
    expect(said('help', 'nosuch').text).toBe('There is no verb nosuch.');
  });
});

needs('dnf')('every option of dnf for the verbs both have', () => {
  const ours = new Set((OPTIONS as readonly OptionSpec[]).flatMap(spellings));

  test.each(['install', 'list', 'search', 'check-update', 'repolist', 'updateinfo', 'clean'])(
    '%s: each is offered, or the page says that it is not',
    (verb) => {
      const { stdout } = spawnSync('dnf', ['--disableplugin=*', verb, '--help'], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, LC_ALL: 'C', COLUMNS: '200' },
      });
      const theirs = stdout
        .split('\n')
        .filter((line) => /^ {2}-/.test(line))
        .flatMap((line) => (line.trim().split(/ {2,}/)[0] ?? '').split(', '))
        .map((form) => form.split(/[ =[]/)[0] as string)
        .filter((form) => form.startsWith('-'));
      expect(theirs.length).toBeGreaterThan(20);
      const known = new Set([...ours, ...refused()]);
      expect(theirs.filter((form) => !known.has(form))).toEqual([]);
    },
  );

  test('each of its commands is offered, or the page says that it is not', () => {
    const { stdout } = spawnSync('dnf', ['--disableplugin=*', '--help'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C', COLUMNS: '200' },
    });
    const listed = stdout.split('List of Main Commands:')[1]?.split('General DNF options')[0] ?? '';
    const theirs = [...listed.matchAll(/^([a-z][a-z-]+) {2,}/gm)].map(([, word]) => word as string);
    expect(theirs.length).toBeGreaterThan(20);
    const offered = (word: string): boolean => word === 'help' || verbOf(word) !== null;
    expect(theirs.filter((word) => !offered(word) && !strangers().includes(word))).toEqual([]);
  });

  test('nothing is called refused that is offered', () => {
    expect(refused().length).toBeGreaterThan(20);
    expect(refused().filter((form) => ours.has(form))).toEqual([]);
  });
});

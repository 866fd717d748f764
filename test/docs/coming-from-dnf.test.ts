// docs/coming-from-dnf.md: its commands are run, it has those of the vendor, and it says what of dnf is not offered.
import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, test } from '@jest/globals';
import { spellings } from '../../src/cli/completion/tables.ts';
import type { OptionSpec } from '../../src/cli/option-spec.ts';
import { OPTIONS } from '../../src/cli/options.ts';
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

/** Rows of the page's table of options that are not offered, without the dashes. */
const refused = (): string[] =>
  (page.split('## Options of dnf that are not offered')[1] ?? '')
    .split('\n## ')[0]
    ?.split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) =>
      [...(line.split('|')[1] ?? '').matchAll(/`(--?[A-Za-z0-9-]+)/g)].map((match) => match[1] as string),
    ) ?? [];

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

  test('nothing is called refused that is offered', () => {
    expect(refused().length).toBeGreaterThan(20);
    expect(refused().filter((form) => ours.has(form))).toEqual([]);
  });
});

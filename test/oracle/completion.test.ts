// The completion scripts in the real shells, over a real root: what is offered for a line that somebody is typing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spellings, valueOptions, verbs } from '../../src/cli/completion/tables.ts';
import { FIXTURES, KERNELS, scratchRoot } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-completion-'));
const at = (name: string): string => path.join(scratch, name);
const root = scratchRoot({ url: `file://${FIXTURES}` });
const env = {
  PATH: `${scratch}:/usr/bin:/bin`,
  HOME: scratch,
  LANG: 'C.UTF-8',
  TERM: 'dumb',
  XDG_CONFIG_HOME: scratch,
};

const kpatchPm = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(at('kpatch-pm'), args, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  return stdout;
};

beforeAll(() => {
  const build = spawnSync(process.execPath, [path.join(top, 'packaging', 'build.mjs'), scratch], { encoding: 'utf8' });
  if (build.status !== 0) throw new Error(build.stderr);
  mkdirSync(at('empty'));
  const script = `#!/bin/sh\nexec ${process.execPath} ${at('kpatch-pm.cjs')} "$@"\n`;
  writeFileSync(at('kpatch-pm'), script, { mode: 0o755 });
  kpatchPm('--installroot', root.path, 'makecache');
  kpatchPm('--installroot', root.path, '-y', 'install', 'kpatch-patch-5_14_0-427_16_1');
  writeFileSync(at('kpatch-pm.bash'), kpatchPm('completion', 'bash'));
  writeFileSync(at('_kpatch-pm'), kpatchPm('completion', 'zsh'));
  writeFileSync(at('kpatch-pm.fish'), kpatchPm('completion', 'fish'));
});
afterAll(() => {
  root.remove();
  rmSync(scratch, { recursive: true, force: true });
});

type Shell = (line: string) => string[];

const lines = (text: string): string[] => [...new Set(text.split('\n').filter((line) => line !== ''))].sort();

function run(program: string, args: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env,
    cwd: at('empty'),
    timeout: 30_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return lines(stdout);
}

const bash: Shell = (line) =>
  run('/bin/bash', [
    '--norc',
    '-c',
    `source /usr/share/bash-completion/bash_completion; source ${at('kpatch-pm.bash')}
     COMP_LINE=$1 COMP_POINT=\${#1}; read -ra COMP_WORDS <<<"$1"; [[ $1 == *' ' ]] && COMP_WORDS+=('')
     COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _kpatch_pm; printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
    line,
  ]);
const fish: Shell = (line) =>
  lines(
    run('/usr/bin/fish', ['-N', '-c', `source ${at('kpatch-pm.fish')}; complete -C "$argv[1]"`, line])
      .map((one) => one.split('\t')[0] as string)
      .join('\n'),
  );
const zsh: Shell = (line) =>
  run('/usr/bin/zsh', ['-f', path.join(top, 'test', 'support', 'zsh-offers.zsh'), scratch, line]);

const there = ['--installroot', root.path].join(' ');
const LEVELS = ['362_13_1', '362_18_1', '362_24_1', '362_8_1', '427_13_1'].map((one) => `kpatch-patch-5_14_0-${one}`);

/** What every shell must offer. */
const EXPECTED: readonly (readonly [string, readonly string[]])[] = [
  ['kpatch-pm ins', ['inspect', 'install']],
  ['kpatch-pm install --cv', ['--cve', '--cves']],
  ['kpatch-pm status --cv', []],
  ['kpatch-pm repolist ', ['all', 'disabled', 'enabled']],
  ['kpatch-pm completion ', ['bash', 'fish', 'zsh']],
  ['kpatch-pm list up', ['upgrades']],
  ['kpatch-pm module unl', ['unload']],
  ['kpatch-pm --color ', ['always', 'auto', 'never']],
  [`kpatch-pm ${there} install kp`, LEVELS],
  [`kpatch-pm ${there} remove kp`, ['kpatch-patch-5_14_0-427_16_1']],
  [`kpatch-pm ${there} info kpatch-patch-5_14_0-427`, ['kpatch-patch-5_14_0-427_13_1', 'kpatch-patch-5_14_0-427_16_1']],
  [`kpatch-pm ${there} --repo `, ['fixtures-el9', 'fixtures-el9-debug']],
  [`kpatch-pm ${there} --kernel `, Object.values(KERNELS)],
];

describe.each([
  ['bash', bash, needs('bash')],
  ['fish', fish, needs('fish')],
  ['zsh', zsh, needs('zsh')],
] as const)('%s', (name, offers, suite) => {
  suite(`completion in ${name}`, () => {
    test.each(EXPECTED)('%s', (line, expected) => {
      expect(offers(line)).toEqual([...expected].sort());
    });

    test('offers every verb', () => {
      expect(offers('kpatch-pm ')).toEqual(verbs.map((verb) => verb.name).sort());
    });
  });
});

test('every verb and every option with a value is in each script', () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = kpatchPm('completion', shell);
    for (const { name } of verbs) expect(script).toContain(name);
    for (const option of valueOptions.flatMap(spellings)) {
      const bare = option.replace(/^-+/, '');
      expect(script).toMatch(new RegExp(`(--?|-l |-s )${bare}\\b`));
    }
  }
});

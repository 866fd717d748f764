// Runs docs/coming-from-dnf.md from top to bottom: the shell reads each line, main() does it, on one machine.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { parseCase } from '../support/cases/parse.ts';
import { buildStage } from '../support/cases/stage.ts';
import { KERNELS } from '../support/fixtures.ts';
import { surroundings } from '../support/surroundings.ts';
import { top } from '../support/top.ts';

const page = readFileSync(path.join(top, 'docs', 'coming-from-dnf.md'), 'utf8');

interface Command {
  readonly line: string;
  /** What follows the first pipe. */
  readonly pipe: string | null;
  readonly status: number;
}

/** The commands of all blocks, in order. */
function commands(): Command[] {
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] as string);
  return blocks
    .flatMap((block) => block.split('\n'))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((whole) => {
      const status = Number(/# exit status (\d+)/.exec(whole)?.[1] ?? 0);
      const [line = '', pipe = null] = whole.split(' | ');
      return { line, pipe, status };
    });
}

const stage = buildStage(parseCase(`@KERNELS\n${KERNELS.K1}\n${KERNELS.K2}\n\n@SERVED el9\n`));
const bin = mkdtempSync(path.join(os.tmpdir(), 'kpm-dnf-page-'));
const home = path.join(stage.path, 'root');
mkdirSync(home);
writeFileSync(path.join(bin, 'uname'), `#!/bin/sh\necho ${KERNELS.K1}\n`, { mode: 0o755 });
writeFileSync(path.join(bin, 'kpatch-pm'), '#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done\n', { mode: 0o755 });
afterAll(() => {
  rmSync(stage.path, { recursive: true });
  rmSync(bin, { recursive: true });
});

const shell = (line: string, input = ''): { status: number | null; stdout: string } =>
  spawnSync('/bin/sh', ['-c', line], {
    encoding: 'utf8',
    input,
    cwd: home,
    env: { PATH: `${bin}:/usr/bin:/bin`, LANG: 'C.UTF-8' },
  });

describe('docs/coming-from-dnf.md', () => {
  const all = commands();

  test.each(all.map((command, n) => [n + 1, command.line, command] as const))('%i: %s', async (_, __, command) => {
    // What the shell makes of the line, NUL behind each argument.
    const args = shell(command.line).stdout.split('\0').slice(0, -1);
    const around = surroundings({ hostPath: stage.path, directory: '/root', uname: stage.uname });
    const status = await main(args, around);
    expect({ status, err: around.stderr.text }).toEqual({ status: command.status, err: around.stderr.text });
    if (command.pipe === null) return;
    expect(around.stdout.text).not.toBe('');
    expect(shell(command.pipe, around.stdout.text).status).toBe(0);
  });

  test('has the line of every command of the vendor and of the usual how-tos', () => {
    const known = page.split('\n').filter((line) => /^# (dnf|yum|kpatch|uname|rpm) /.test(line));
    const wanted = [
      'uname -r',
      'yum search $(uname -r)',
      'yum install "kpatch-patch = $(uname -r)"',
      'dnf install “kpatch-patch = $(uname -r)”',
      'kpatch list',
      'yum list installed | grep kpatch-patch',
      'dnf list installed | grep kernel',
      'dnf install kpatch-dnf',
      'dnf kpatch auto',
      'dnf kpatch manual',
      'dnf kpatch status',
      'dnf kpatch install',
      'dnf kpatch auto-filter',
      'dnf kpatch no-filter',
      'dnf update "kpatch-patch = $(uname -r)"',
      'dnf update "kpatch-patch*"',
      'dnf remove kpatch-patch-5_14_0-427_13_1.x86_64',
      'kpatch uninstall kpatch_5_14_0_427_13_1_1_2',
    ];
    expect(wanted.filter((line) => !known.includes(`# ${line}`))).toEqual([]);
  });

  test('each of those commands stands above one of ours', () => {
    const lines = page.split('\n');
    const alone = lines.filter((line, n) => {
      if (!/^# (dnf|yum|kpatch|uname|rpm) /.test(line)) return false;
      const next = lines.slice(n + 1).find((other) => !other.startsWith('#'));
      return !next?.startsWith('kpatch-pm ');
    });
    expect(alone).toEqual([]);
  });
});

// Runs the commands of a page of docs/ from top to bottom on one machine: the shell reads each line, main() does it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { main } from '../../src/cli/main.ts';
import { parseCase } from './cases/parse.ts';
import { buildStage } from './cases/stage.ts';
import { surroundings } from './surroundings.ts';
import { top } from './top.ts';

export interface PageCommand {
  readonly line: string;
  /** What follows the first pipe. */
  readonly pipe: string | null;
  /** What the page says; 0 unless it does. */
  readonly status: number;
}

export interface PageRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** Exit status of what follows the pipe; null without one. */
  readonly piped: number | null;
}

/** What somebody knows already: a line of the page that begins with `#` and one of these words. */
export const KNOWN = /^# (dnf|yum|kpatch|uname|rpm|systemctl) /;

export const readPage = (name: string): string => readFileSync(path.join(top, 'docs', name), 'utf8');

/** The commands of all blocks marked `sh`, in order; lines that begin with `#` are what the reader knew before. */
export function commandsOf(page: string): PageCommand[] {
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

/** Known commands above no command of ours. */
export function unanswered(page: string): string[] {
  const lines = page.split('\n');
  return lines.filter((line, n) => {
    if (!KNOWN.test(line)) return false;
    const next = lines.slice(n + 1).find((other) => !other.startsWith('#'));
    return !next?.startsWith('kpatch-pm ');
  });
}

export interface PageMachine {
  run(command: PageCommand): Promise<PageRun>;
  /** A path below the machine's root. */
  at(relative: string): string;
  remove(): void;
}

/** A machine as a case describes it, with a home directory where the commands are typed. */
export function pageMachine(description: string, running: string): PageMachine {
  const stage = buildStage(parseCase(description));
  const bin = mkdtempSync(path.join(os.tmpdir(), 'kpm-page-'));
  const home = path.join(stage.path, 'root');
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(bin, 'uname'), `#!/bin/sh\necho ${running}\n`, { mode: 0o755 });
  writeFileSync(path.join(bin, 'kpatch-pm'), '#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done\n', {
    mode: 0o755,
  });
  const shell = (line: string, input = '') =>
    spawnSync('/bin/sh', ['-c', line], {
      encoding: 'utf8',
      input,
      cwd: home,
      env: { PATH: `${bin}:/usr/bin:/bin`, LANG: 'C.UTF-8' },
    });
  return {
    async run({ line, pipe }) {
      // What the shell makes of the line, NUL behind each argument.
      const args = shell(line).stdout.split('\0').slice(0, -1);
      const around = surroundings({ hostPath: stage.path, directory: '/root', uname: stage.uname });
      const status = await main(args, around);
      const piped = pipe === null ? null : shell(pipe, around.stdout.text).status;
      return { status, out: around.stdout.text, err: around.stderr.text, piped };
    },
    at: (relative) => path.join(stage.path, relative),
    remove() {
      rmSync(stage.path, { recursive: true });
      rmSync(bin, { recursive: true });
    },
  };
}

// docs/tour.md, followed from its first command to its last in a copy of the sources: every answer must be as the page shows it,
// `...` standing for anything, and line breaks where they fall. What fetches the sources and the packages is left out here.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readPage } from '../support/page-run.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

interface Step {
  readonly command: string;
  readonly answer: string;
}

/** Commands that a test cannot run, or has run already. */
const LEFT_OUT = ['git clone REPOSITORY kpatch-pm', 'cd kpatch-pm', 'npm ci'];

function steps(page: string): Step[] {
  const found: { command: string; answer: string[] }[] = [];
  for (const [, block = ''] of page.matchAll(/^```console\n(.*?)^```$/gms)) {
    for (const line of block.split('\n')) {
      if (line.startsWith('$ ')) found.push({ command: line.slice(2), answer: [] });
      else found.at(-1)?.answer.push(line);
    }
  }
  return found.map(({ command, answer }) => ({ command, answer: answer.join('\n') }));
}

const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** What an answer must match: `...` stands for anything. */
const pattern = (answer: string): RegExp =>
  new RegExp(
    `^${plain(answer)
      .split('...')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.*')}$`,
  );

const MARK = '@@@';
const tour = steps(readPage('tour.md'));
const copy = mkdtempSync(path.join(os.tmpdir(), 'kpm-tour-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** The answer of every command, all typed into one shell. */
function follow(): string[] {
  for (const name of readdirSync(top)) {
    // What is built and what tools keep is no source, and somebody may be writing it.
    if (name === 'node_modules' || /^(?:\.git$|dist)/.test(name)) continue;
    cpSync(path.join(top, name), path.join(copy, name), { recursive: true });
  }
  mkdirSync(path.join(copy, 'node_modules'));
  for (const name of readdirSync(path.join(top, 'node_modules'))) {
    if (name !== '.cache') symlinkSync(path.join(top, 'node_modules', name), path.join(copy, 'node_modules', name));
  }
  const typed = tour.flatMap(({ command }) => [
    LEFT_OUT.includes(command) ? ':' : command,
    // Without the line break that the last answer may lack.
    `printf '%s\\n' '${MARK}'`,
  ]);
  const { stdout } = spawnSync('bash', ['-c', `exec 2>&1 </dev/null\n${typed.join('\n')}`], {
    cwd: copy,
    encoding: 'utf8',
    env: { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: os.homedir(), LC_ALL: 'C.UTF-8' },
  });
  return stdout.split(`${MARK}\n`);
}

needs(
  'bash',
  'npm',
  'rpm',
)('docs/tour.md', () => {
  let answers: string[] = [];
  beforeAll(() => {
    answers = follow();
  });

  test.each(tour.map((step, n) => [n + 1, step.command, n] as const))('%i: %s', (_, __, n) => {
    expect(plain(answers[n] ?? 'nothing came')).toMatch(pattern(tour[n]?.answer ?? ''));
  });
});

describe('the page', () => {
  test('has commands, and answers that say something', () => {
    expect(tour.length).toBeGreaterThan(20);
    expect(tour.filter(({ answer }) => plain(answer) === '...')).toEqual([]);
  });
});

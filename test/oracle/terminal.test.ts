// The screens in a real terminal program (tmux): what it shows is what was printed, line for line, so that nothing was broken
// by the terminal that we did not break ourselves. The texts themselves are kept in test/cases/screens/.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FIXTURES, repoText, scratchRoot } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

const root = scratchRoot({ repos: repoText('el9').replaceAll('$fixture_url', `file://${FIXTURES}`) });
const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-tmux-'));
const socket = path.join(scratch, 'socket');
const program = path.join(scratch, 'built', 'kpatch-pm.cjs');
afterAll(() => {
  spawnSync('tmux', ['-S', socket, 'kill-server']);
  root.remove();
  rmSync(scratch, { recursive: true, force: true });
});

const clean = { PATH: process.env.PATH, HOME: scratch } as Record<string, string>;

/** The program's own lines, without a terminal, told how wide one would be. */
function printed(args: readonly string[], columns: number): string[] {
  const env = { ...clean, COLUMNS: String(columns), LC_ALL: 'C.UTF-8' };
  const { stdout } = spawnSync(process.execPath, [program, '--installroot', root.path, ...args], {
    encoding: 'utf8',
    env,
  });
  return trimmed(stdout);
}

/** Without blanks at the ends, without what changes by the second. */
const trimmed = (text: string): string[] =>
  text
    .replace(/checked \d+ s/g, 'checked N s')
    .replace(/\n+$/, '')
    .split('\n')
    .map((line) => line.trimEnd());

/** Has the server do something; what it says is wrong ends the test. */
function tmux(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], {
    encoding: 'utf8',
    env: { ...clean, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`tmux ${words.join(' ')}: ${stderr}`);
  return stdout;
}

interface Screen {
  readonly columns: number;
  readonly locale: string;
  readonly term: string;
}

/** What a terminal shows; `how`: -J joins lines that the terminal broke, -e keeps colours. */
function shown(args: readonly string[], { columns, locale, term }: Screen, ...how: string[]): string[] {
  const script = path.join(scratch, 'run.sh');
  const typed = [process.execPath, program, '--installroot', root.path, ...args].map((word) => `'${word}'`).join(' ');
  writeFileSync(
    script,
    `export LC_ALL=${locale} TERM=${term}\nunset COLUMNS NO_COLOR\n${typed}\necho @@END\nsleep 60\n`,
  );
  tmux('new-session', '-d', '-s', 's', '-x', String(columns), '-y', '120', 'sh', script);
  let text = '';
  for (let waited = 0; waited < 300 && !text.includes('@@END'); waited++) {
    spawnSync('sleep', ['0.1']);
    text = tmux('capture-pane', '-p', '-t', 's', ...how);
  }
  tmux('kill-session', '-t', 's');
  return trimmed(text.split('@@END')[0] ?? '');
}

/** Marks are words where the terminal is none, or its locale has no more. */
const asWords = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/[✓✗⧗]/g, '?'));

needs('tmux', 'rpm')('in a real terminal', () => {
  beforeAll(() => {
    // The server ends with its last session, and while it ends it takes no new one.
    tmux('new-session', '-d', '-s', 'stays', 'sleep', '3600');
    const built = spawnSync(process.execPath, [path.join(top, 'packaging', 'build.mjs'), path.dirname(program)], {
      encoding: 'utf8',
    });
    if (built.status !== 0) throw new Error(built.stderr);
    expect(printed(['-q', '-y', 'auto'], 80)).toEqual(['']);
  });

  const VERBS = [
    ['-C', 'list'],
    ['-C', 'kernels'],
    ['-C', 'remove', '--dry-run', 'kpatch-patch'],
  ];

  test.each([80, 160])('at %i columns the terminal breaks no line', (columns) => {
    for (const args of VERBS) {
      const lines = shown(args, { columns, locale: 'C', term: 'dumb' });
      expect(lines).toEqual(printed(args, columns));
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
    }
  });

  test('at 40 columns it breaks only words that are longer', () => {
    // On a pipe `list` keeps each package on one line.
    for (const args of VERBS.slice(1)) {
      const screen = { columns: 40, locale: 'C', term: 'dumb' };
      const lines = shown(args, screen, '-J');
      expect(lines).toEqual(printed(args, 40));
      const broken = lines.filter((line) => line.length > 40);
      expect(broken.filter((line) => !line.split(/ +/).some((word) => word.length > 30))).toEqual([]);
    }
  });

  test('marks where the locale has them, words where it has not or the terminal is dumb; colours in neither', () => {
    const wide = { columns: 100 };
    const marks = shown(['status'], { ...wide, locale: 'C.UTF-8', term: 'screen' });
    expect(marks.join('\n')).toContain(' ✓ 5.14.0-427.13.1.el9_4.x86_64');
    for (const [locale, term] of [
      ['C', 'screen'],
      ['C.UTF-8', 'dumb'],
      ['POSIX', 'dumb'],
    ] as const) {
      const words = shown(['status'], { ...wide, locale, term });
      expect(words.join('\n')).toMatch(/^[\n -~]*$/);
      expect(words.join('\n')).toContain(' ok   5.14.0-427.13.1.el9_4.x86_64');
    }
    expect(asWords(marks).length).toBe(shown(['status'], { ...wide, locale: 'C', term: 'screen' }).length);
    const coloured = shown(['status'], { ...wide, locale: 'C.UTF-8', term: 'screen' }, '-e').join('\n');
    expect(coloured).toContain('\u001b[36m');
    expect(shown(['status'], { ...wide, locale: 'C.UTF-8', term: 'dumb' }, '-e').join('\n')).not.toContain('\u001b');
  });
});

// Runs every .case file below this directory: the real main() over a machine in a temporary directory.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { HIDDEN_VERBS } from '../../src/cli/system-verbs.ts';
import type { VerbSpec } from '../../src/cli/verb-spec.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { parseCase, type Section } from '../support/cases/parse.ts';
import { buildStage, type Stage } from '../support/cases/stage.ts';
import { faults, undescribed } from '../support/schema.ts';
import { schemaOf, verbIn } from '../support/schema-of.ts';
import { surroundings } from '../support/surroundings.ts';
import { top } from '../support/top.ts';

const here = path.join(top, 'test', 'cases');
const cases = readdirSync(here, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.case'));

/** What changes from run to run is written alike; a question, after which a person types the line break, gets one. */
function settled(text: string, stage: Stage): string {
  const alike = text.replaceAll(`${stage.path}/`, '/').replaceAll(stage.path, '/');
  return alike === '' || alike.endsWith('\n') ? alike : `${alike}\n`;
}

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** What a @SCREEN says of the terminal: columns, and the words `utf-8`, `color`; a dumb one without the two. */
function screenOf(title: string): { terminal?: number; env: Record<string, string> } {
  const [columns = '', ...has] = title.split(/\s+/);
  if (columns === '') return { env: { TERM: 'dumb' } };
  const locale = has.includes('utf-8') ? { LANG: 'en_US.UTF-8' } : {};
  const env =
    has.length === 0 ? { TERM: 'dumb' } : { TERM: 'xterm', ...(has.includes('color') ? {} : { NO_COLOR: '1' }) };
  return { terminal: Number(columns), env: { ...env, ...locale } };
}

interface Place {
  readonly now: string;
  readonly screen: string;
}

async function type(stage: Stage, { now, screen }: Place, args: Section, typed: Section | undefined): Promise<Ran> {
  const { env: seen, ...shown } = screenOf(screen);
  const env = { ...seen, TZ: 'UTC' };
  const terminal = typed === undefined ? {} : { terminal: 80, typed: typed.text.split('\n').slice(0, -1) };
  const around = surroundings({ hostPath: stage.path, uname: stage.uname, now, env, ...terminal, ...shown });
  // Standard error goes elsewhere, as with 2>file: its lines are then not broken at the width of a temporary path.
  Object.assign(around.stderr, { isTTY: false });
  const words = args.title === '' ? [] : args.title.split(/\s+/);
  const status = await main(words, around);
  return { status, out: settled(around.stdout.text, stage), err: settled(around.stderr.text, stage) };
}

/** Every JSON that is printed is as docs/schemas say, and says nothing that they do not describe. */
function checkJson(args: Section, ran: Ran): void {
  const words = args.title.split(/\s+/);
  if (!words.includes('--json') && !(words.includes('--vex') && ran.status === 0)) return;
  const name = schemaOf(words, ran.status);
  const schema = JSON.parse(readFileSync(path.join(top, 'docs', 'schemas', `${name}.json`), 'utf8'));
  const value: unknown = JSON.parse(ran.out);
  expect({ line: args.line, faults: faults(schema, value) }).toEqual({ line: args.line, faults: [] });
  expect({ line: args.line, undescribed: undescribed(schema, value) }).toEqual({ line: args.line, undescribed: [] });
}

/** Files below a directory of the stage, sorted, one a line. */
function tree(stage: Stage, directory: string): string {
  const whole = path.join(stage.path, directory);
  if (!statSync(whole, { throwIfNoEntry: false })) return '';
  return readdirSync(whole, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(whole, name)).isFile())
    .sort()
    .map((name) => `${name}\n`)
    .join('');
}

/** Goes through a case from top to bottom; every @EXPECT, @STDERR, @AFTER and @TREE is compared to the last character. */
async function play(sections: readonly Section[]): Promise<void> {
  const stage = buildStage(sections);
  let ran: Ran | null = null;
  let checks = 0;
  let now = '2026-01-01T00:01:00Z';
  let screen = '';
  try {
    for (const [n, section] of sections.entries()) {
      const told = (what: unknown) => ({ line: section.line, what });
      switch (section.name) {
        case 'NOW':
          now = section.title;
          break;
        case 'SCREEN':
          screen = section.title;
          break;
        case 'PUT':
          mkdirSync(path.dirname(path.join(stage.path, section.title)), { recursive: true });
          writeFileSync(path.join(stage.path, section.title), section.text);
          break;
        case 'ARGS': {
          const next = sections[n + 1];
          ran = await type(stage, { now, screen }, section, next?.name === 'TYPED' ? next : undefined);
          checkJson(section, ran);
          break;
        }
        case 'EXPECT':
          // Standard error is shown beside, for whoever reads a failure; @STDERR compares it.
          expect(told({ status: ran?.status, out: ran?.out, err: ran?.err })).toEqual(
            told({ status: Number(section.title), out: section.text, err: ran?.err }),
          );
          checks++;
          break;
        case 'STDERR':
          expect(told(ran?.err)).toEqual(told(section.text));
          break;
        case 'AFTER':
          expect(told(readFileSync(path.join(stage.path, section.title), 'utf8'))).toEqual(told(section.text));
          break;
        case 'TREE':
          expect(told(tree(stage, section.title))).toEqual(told(section.text));
          break;
      }
    }
  } finally {
    rmSync(stage.path, { recursive: true });
  }
  // A case that expects nothing tests nothing.
  expect(checks).toBeGreaterThan(0);
}

describe('cases', () => {
  test('there are some', () => expect(cases.length).toBeGreaterThan(0));
  test.each(cases)('%s', (name) => play(parseCase(readFileSync(path.join(here, name), 'utf8'))));
});

describe('every verb', () => {
  const verbs: readonly VerbSpec[] = [...VERBS, ...HIDDEN_VERBS];
  const typed = cases
    .flatMap((name) => parseCase(readFileSync(path.join(here, name), 'utf8')))
    .filter(({ name }) => name === 'ARGS')
    .map(({ title }) => title.split(/\s+/));

  test.each(verbs.map(({ name }) => name))('%s has a case', (verb) => {
    expect(typed.some((words) => verbIn(words) === verb)).toBe(true);
  });

  test.each(verbs.filter(({ noJson }) => !noJson).map(({ name }) => name))('%s has a case that prints JSON', (verb) => {
    expect(typed.some((words) => verbIn(words) === verb && words.includes('--json'))).toBe(true);
  });

  test('every schema is that of some verb', () => {
    const used = new Set(['usage', schemaOf(['cves', '--vex'], 0), ...verbs.map(({ name }) => schemaOf([name], 0))]);
    const there = readdirSync(path.join(top, 'docs', 'schemas')).map((name) => name.replace(/\.json$/, ''));
    expect(there.filter((name) => !used.has(name))).toEqual([]);
  });
});

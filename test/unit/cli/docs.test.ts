// The pages and the tables in the code say the same.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { AT_START } from '../../../src/cli/environment.ts';
import { VERDICT_MARKS } from '../../../src/cli/render/status.ts';
import { VERBS } from '../../../src/cli/verbs.ts';
import { REASON_CODES } from '../../../src/domain/because.ts';
import { EXIT } from '../../../src/errors.ts';
import { commandLinePage } from '../../support/command-line-page.ts';
import { faults, undescribed } from '../../support/schema.ts';
import { top } from '../../support/top.ts';

const page = (name: string): string => readFileSync(path.join(top, 'docs', name), 'utf8');
/** First cells of the table under a heading. */
const firstCells = (text: string, from: string, to: string): string[] =>
  [...text.slice(text.indexOf(from), text.indexOf(to)).matchAll(/^\| `([^`]+)` \|/gm)].map(
    (match) => match[1] as string,
  );

describe('docs/contract.md', () => {
  const contract = page('contract.md');

  test('lists every reason, in the order of the code', () => {
    expect(firstCells(contract, '## 7.', '## 8.')).toEqual(Object.keys(REASON_CODES));
  });

  test('lists every verdict, in the order in which they are judged', () => {
    expect(firstCells(contract, '## 5.', '## 6.')).toEqual(Object.keys(VERDICT_MARKS));
  });

  test('lists every exit status', () => {
    const rows = [...contract.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    expect(rows.sort()).toEqual(Object.values(EXIT).sort());
  });

  test('names every verb that prints a plan', () => {
    const heading = /^## 4\..*$/m.exec(contract)?.[0] ?? '';
    for (const verb of ['auto', 'install', 'manual', 'auto-filter', 'no-filter']) expect(heading).toContain(verb);
  });

  test('names what the first line of the program takes from the environment', () => {
    const first = readFileSync(path.join(top, 'src', 'bin.ts'), 'utf8').split('\n')[0] as string;
    const named = AT_START.filter((name) => first.includes(`-u ${name} `));
    expect(named.length).toBeGreaterThan(3);
    for (const name of named) expect(contract).toContain(name);
  });

  test('links only to pages and schemas that are there', () => {
    const links = [...contract.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] as string);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(path.join(top, 'docs', link)))).toEqual([]);
  });
});

test('docs/command-line.md is what the tables say (node packaging/run-ts.mjs test/support/write-command-line.ts)', () => {
  expect(page('command-line.md')).toBe(commandLinePage());
});

test('the README names only verbs that exist', () => {
  const readme = readFileSync(path.join(top, 'README.md'), 'utf8');
  const typed = [...readme.matchAll(/^ {4}(?:# )?kpatch-pm ([a-z-]+)/gm)].map((match) => match[1]);
  expect(typed.length).toBeGreaterThan(0);
  const known: readonly string[] = VERBS.flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(typed.filter((verb) => !known.includes(verb as string))).toEqual([]);
});

describe('the schema reader', () => {
  const schema = {
    type: 'object',
    required: ['a'],
    properties: {
      a: { $ref: '#/$defs/a' },
      b: { type: ['integer', 'null'], minimum: 0 },
      c: { items: { enum: ['x'] } },
    },
    $defs: { a: { anyOf: [{ const: 1 }, { type: 'string', pattern: '^x' }] } },
  };

  test.each([
    [{ a: 1 }, []],
    [{ a: 'xy', b: null, c: ['x'] }, []],
    [{}, ['$ lacks a']],
    [{ a: 1, b: -1 }, ['$.b is below 0']],
    [{ a: 1, b: 0.5 }, ['$.b is number, not integer or null']],
    [{ a: 1, c: ['x', 'y'] }, ['$.c[1] is "y", none of the list']],
    [{ a: 'y' }, ['$.a fits none: $.a is not 1; $.a does not match ^x']],
    [[], ['$ is array, not object']],
  ])('%j', (value, found) => {
    expect(faults(schema, value)).toEqual(found);
  });

  test('knows what a schema leaves out, and refuses keywords it does not know', () => {
    expect(undescribed(schema, { a: 1, z: 1, c: ['x'] })).toEqual(['$.z']);
    expect(() => faults({ maxLength: 3 }, '')).toThrow('maxLength');
    expect(() => faults({ $ref: '#/$defs/none' }, '')).toThrow('no #/$defs/none');
  });
});

test('every schema can be read, and refuses an empty object', () => {
  const names = readdirSync(path.join(top, 'docs', 'schemas'));
  expect(names.length).toBeGreaterThan(5);
  const contract = page('contract.md');
  for (const name of names) expect(contract).toContain(`schemas/${name}`);
  for (const name of names) expect(faults(JSON.parse(page(`schemas/${name}`)), {})).not.toEqual([]);
});

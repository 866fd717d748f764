// docs/security.md, section 8: every test it names is there, and every attack of the built repositories that ends in a refusal of
// a package is named.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../src/errors.ts';
import { hostileCases } from '../support/fixtures.ts';
import { top } from '../support/top.ts';

const page = readFileSync(path.join(top, 'docs/security.md'), 'utf8');
const section = page.slice(page.indexOf('## 8.'), page.indexOf('## 9.'));
const rows = section.split('\n').filter((line) => /^\| (?!refused|sink)/.test(line));
const quoted = (text: string | undefined): string[] =>
  [...(text ?? '').matchAll(/`([^`]+)`/g)].map((one) => one[1] as string);
const files = readdirSync(path.join(top, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.test.ts'),
);
const ids = hostileCases().map(({ id }) => id);

test('there are many', () => expect(rows.length).toBeGreaterThan(30));

test.each(
  rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  ),
)('%s', (_, __, tests) => {
  const named = quoted(tests);
  expect(named.length).toBeGreaterThan(0);
  for (const one of named) {
    const [file, ...rest] = one.split(': ');
    if (rest.length === 0) {
      expect(ids).toContain(one);
      continue;
    }
    const found = files
      .filter((name) => path.basename(name) === file)
      .map((name) => readFileSync(path.join(top, 'test', name), 'utf8'));
    expect({ one, found: found.some((text) => text.includes(rest.join(': '))) }).toEqual({ one, found: true });
  }
});

test('codes that are named are codes', () => {
  const codes = rows
    .slice(
      0,
      rows.findIndex((row) => row.startsWith('| terminal')),
    )
    .flatMap((row) => quoted(row.split('|')[2]));
  const reasons = readFileSync(path.join(top, 'src/domain/because.ts'), 'utf8');
  for (const code of codes)
    expect({ code, known: code in ERROR_CODES || reasons.includes(`'${code}'`) }).toEqual({ code, known: true });
});

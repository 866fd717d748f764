import { describe, expect, test } from '@jest/globals';
import { iniLines, parseIni, unquoted } from '../../../src/formats/ini/document.ts';

/** `section.key=value` of every entry, in order. */
function flat(text: string, lenient = false): string[] {
  return parseIni(text, { lenient }).sections.flatMap(({ name, entries }) =>
    entries.map(({ key, value }) => `${name}.${key}=${value}`),
  );
}

function faults(text: string, lenient = false): string[] {
  return parseIni(text, { lenient }).faults.map(({ kind, line }) => `${line} ${kind}`);
}

describe('what dnf reads', () => {
  test.each([
    ['an entry', '[a]\nk=v\n', ['a.k=v']],
    ['blanks around', '[a]\nk = v \n', ['a.k=v']],
    ['no final newline', '[a]\nk=v', ['a.k=v']],
    ['DOS line ends', '[a]\r\nk=1\r\n', ['a.k=1']],
    ['a byte order mark', '\uFEFF[a]\nk=1\n', ['a.k=1']],
    ['an equal sign in the value', '[a]\nk=a=b\n', ['a.k=a=b']],
    ['no inline comments', '[a]\nk=v # c ; d\n', ['a.k=v # c ; d']],
    ['comment lines', '# x\n; y\n[a]\n;z\nk=1\n', ['a.k=1']],
    ['continuation lines', '[a]\nk=1\n  2\n\t3\n', ['a.k=1\n2\n3']],
    ['an empty first line and a continuation', '[a]\nk=\n  1\n', ['a.k=\n1']],
    ['a comment sign inside a continuation', '[a]\nk=1\n  # c\n  2\n', ['a.k=1\n# c\n2']],
    ['a line of blanks inside a continuation', '[a]\nk=1\n   \n  2\n', ['a.k=1\n\n2']],
    ['an indented section', ' [a]\nk=1\n [b]\nl=2\n', ['a.k=1', 'b.l=2']],
    ['text after a section', '[a] x\nk=1\n', ['a.k=1']],
    ['a glob with a range as section', '[rhel-[89]-*]\nk=1\n', ['rhel-[89]-*.k=1']],
    ['blanks in a key', '[a]\nk 1=b\n', ['a.k 1=b']],
    ['duplicates, both told', '[a]\nk=1\nk=2\n', ['a.k=1', 'a.k=2']],
  ])('%s', (_what, text, expected) => {
    expect(flat(text)).toEqual(expected);
    expect(faults(text)).toEqual([]);
  });
});

describe('what dnf refuses is a fault with its line, and reading goes on', () => {
  test.each([
    ['before a section', 'k=v\n[a]\nl=1\n', ['1 missing-section'], ['.k=v', 'a.l=1']],
    ['a colon', '[a]\nk:v\nl=1\n', ['2 missing-equal'], ['a.l=1']],
    ['a bare word', '[a]\nk\nl=1\n', ['2 missing-equal'], ['a.l=1']],
    ['no key', '[a]\n=v\nl=1\n', ['2 missing-key'], ['a.l=1']],
    ['an open bracket', '[a\nk=v\n', ['1 missing-bracket', '2 missing-section'], ['.k=v']],
    ['an empty name', '[]\nk=1\n', ['1 empty-section', '2 missing-section'], ['.k=1']],
    ['a bracket too many', '[a]b]\nk=1\n', ['1 text-after-section', '2 missing-section'], ['.k=1']],
    ['an indented first option', '[a]\n  k=1\n', ['2 illegal-continuation'], []],
    ['a continuation after an empty line', '[a]\nk=1\n\n  2\n', ['4 illegal-continuation'], ['a.k=1']],
    ['a continuation after a comment', '[a]\nk=1\n# c\n  2\n', ['4 illegal-continuation'], ['a.k=1']],
    ['an indented comment before a section', ' # c\n[a]\nk=1\n', ['1 missing-section'], ['a.k=1']],
  ])('%s', (_what, text, expectedFaults, entries) => {
    expect(faults(text)).toEqual(expectedFaults);
    expect(flat(text)).toEqual(entries);
  });
});

test('lenient reading keeps what was meant, and still says so', () => {
  expect(flat('[a]\nk : v\n', true)).toEqual(['a.k=v']);
  expect(faults('[a]\nk : v\n', true)).toEqual(['2 missing-equal']);
  expect(flat('[a]\nk=1\n  l=2\n', true)).toEqual(['a.k=1', 'a.l=2']);
  expect(faults('[a]\nk=1\n  l=2\n', true)).toEqual(['3 illegal-continuation']);
  expect(flat('k=http://x\n', true)).toEqual(['.k=http://x']);
});

test('entries know their lines', () => {
  const [section] = parseIni('# c\n\n[a]\nk=1\n  2\nl=3\n').sections;
  expect(section?.line).toBe(3);
  expect(section?.entries.map(({ key, line, lastLine }) => [key, line, lastLine])).toEqual([
    ['k', 4, 5],
    ['l', 6, 6],
  ]);
});

test.each([
  ['"v"', 'v'],
  ["'v'", 'v'],
  ['"a" "b"', 'a" "b'],
  ['"v', '"v'],
  ['"', '"'],
  ['""', ''],
  ['a"b"', 'a"b"'],
])('unquoted %s', (text, expected) => {
  expect(unquoted(text)).toBe(expected);
});

test('lines without their ends', () => {
  expect(iniLines('a\r\nb\n\nc')).toEqual(['a', 'b', '', 'c']);
  expect(iniLines('')).toEqual([]);
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are those of dnf variables.
import { describe, expect, test } from '@jest/globals';
import { optionRow } from '../../../src/observe/config/options.ts';
import { substitute } from '../../../src/observe/config/substitute.ts';
import { isUnreadable, readBytes, readList, readSeconds, readValue } from '../../../src/observe/config/values.ts';

const read = (key: string, text: string): unknown => {
  const row = optionRow(key);
  if (row === null) throw new Error(`no option ${key}`);
  const value = readValue(row, text);
  return isUnreadable(value) ? 'unreadable' : value;
};

test.each([
  ['1', true],
  ['yes', true],
  ['TRUE', true],
  ['On', true],
  ['0', false],
  ['no', false],
  ['False', false],
  ['off', false],
  ['', 'unreadable'],
  ['y', 'unreadable'],
  ['2', 'unreadable'],
  ['enabled', 'unreadable'],
  ['always', 'unreadable'],
])('a yes or no: %j', (text, expected) => {
  expect(read('gpgcheck', text)).toBe(expected);
});

const forever = Number.POSITIVE_INFINITY;
test.each([
  ['90', 90],
  ['30s', 30],
  ['1m', 60],
  ['48h', 172_800],
  ['2d', 172_800],
  ['2D', 172_800],
  ['1.5h', 5400],
  ['.5d', 43_200],
  ['0', 0],
  ['never', forever],
  ['Never', forever],
  ['-1', forever],
  ['', null],
  ['-2', null],
  ['2 d', null],
  ['1w', null],
  ['1h30m', null],
  ['abc', null],
  ['-1d', null],
])('a time: %j', (text, expected) => {
  const value = readSeconds(text);
  expect(typeof value === 'number' ? value : null).toBe(expected);
});

test.each([
  ['1000', 1000],
  ['1k', 1024],
  ['1K', 1024],
  ['1.5k', 1536],
  ['1M', 1_048_576],
  ['2G', 2_147_483_648],
  ['0', 0],
  ['', null],
  ['10%', null],
  ['1T', null],
  ['-1', null],
  ['k', null],
  ['1 k', null],
])('a size: %j', (text, expected) => {
  const value = readBytes(text);
  expect(typeof value === 'number' ? value : null).toBe(expected);
});

test.each([
  ['a b', ['a', 'b']],
  ['a,b', ['a', 'b']],
  ['a, b', ['a', 'b']],
  ['a\nb', ['a', 'b']],
  ['a , , b', ['a', 'b']],
  ['a;b', ['a;b']],
  ['a\\,b c', ['a,b', 'c']],
  ['a\\ b', ['a b']],
  ['[a\\-z]*', ['[a\\-z]*']],
  [',a', ['', 'a']],
  ['', ['']],
  [' ', ['']],
  ['a,', ['a']],
])('a list: %j', (text, expected) => {
  expect(readList(text)).toEqual(expected);
});

test.each([
  ['throttle', '50%', { part: 0.5 }],
  ['throttle', '50 %', { part: 0.5 }],
  ['throttle', '1k', 1024],
  ['throttle', '101%', 'unreadable'],
  ['priority', '-1', -1],
  ['priority', '10', 10],
  ['priority', 'x', 'unreadable'],
  ['priority', '1.5', 'unreadable'],
  ['retries', '0', 0],
  ['retries', '-1', 'unreadable'],
  ['max_parallel_downloads', '0', 'unreadable'],
  ['installonly_limit', '0', 0],
  ['installonly_limit', '<off>', 0],
  ['installonly_limit', '1', 'unreadable'],
  ['installonly_limit', '2', 2],
  ['ip_resolve', 'IPv4', 'ipv4'],
  ['ip_resolve', '6', '6'],
  ['ip_resolve', '5', 'unreadable'],
  ['proxy_auth_method', 'NTLM', 'ntlm'],
  ['proxy_auth_method', 'foo', 'unreadable'],
  ['exclude', 'a b', ['a', 'b']],
  ['pkg_gpgcheck', '1', true],
])('%s=%s', (key, text, expected) => {
  expect(read(key, text)).toEqual(expected);
});

describe('variables', () => {
  const variables = { a: '1', ab: '3', a_b: '2', empty: '', basearch: 'x86_64', dollar: '$a' };
  test.each([
    ['$a', '1'],
    ['${a}', '1'],
    ['$ab', '3'],
    ['$a_b', '2'],
    ['$a-b', '1-b'],
    ['$a.b', '1.b'],
    ['x$a$a', 'x11'],
    ['$$a', '$1'],
    ['$zz', '$zz'],
    ['${zz}', '${zz}'],
    ['$A', '$A'],
    ['$basearch5', '$basearch5'],
    ['$ay', '$ay'],
    ['${a', '${a'],
    ['${}', '${}'],
    ['$', '$'],
    ['${a:?x}', '${a:?x}'],
    ['${zz-d}', '${zz-d}'],
    ['${zz:-d}', 'd'],
    ['${a:-d}', '1'],
    ['${empty:-d}', 'd'],
    ['${a:+y}', 'y'],
    ['${zz:+y}', ''],
    ['${empty:+y}', ''],
    ['${zz:-$a}', '1'],
    ['${zz:-${a}}', '1'],
    ['${a:+${ab}}x', '3x'],
    ['${zz:-${yy:-${a}}}', '1'],
    ['${zz:-}', ''],
    ['${zz:-a\\}b}', 'a}b'],
    ['\\$a', '$a'],
    ['a\\b', 'a\\b'],
    ['${a:-', '${a:-'],
    ['$dollar', '$a'],
    ['http://h/$basearch/${zz:-os}/', 'http://h/x86_64/os/'],
  ])('%s', (text, expected) => {
    expect(substitute(text, variables)).toMatchObject({ text: expected, overflow: false });
  });

  test('what is missing is named, once, and only where it is needed', () => {
    expect(substitute('$zz ${yy} $zz ${a:-$ww} ${xx:-$vv}', variables).unknown).toEqual(['zz', 'yy', 'vv']);
  });

  test('a name that every object has is not a variable', () => {
    expect(substitute('$constructor ${toString}', {}).text).toBe('$constructor ${toString}');
  });

  test.each([
    ['nested too deep', '${zz:-'.repeat(40) + '}'.repeat(40)],
    ['grown too long', '$big'.repeat(100)],
    ['braces that never close', '${zz:-'.repeat(31) + 'x'.repeat(50_000)],
  ])('%s', (_what, text) => {
    expect(substitute(text, { big: 'x'.repeat(1000) }).overflow).toBe(true);
  });
});

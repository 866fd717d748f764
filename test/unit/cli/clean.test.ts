import { describe, expect, test } from '@jest/globals';
import { clean, cleanDeep } from '../../../src/cli/render/clean.ts';

describe('clean', () => {
  test.each([
    ['escape sequence', '\u001b[2J', '\\u001b[2J'],
    ['C1 control sequence introducer', '\u009b31m', '\\u009b31m'],
    ['line break that would forge a line', 'a\nComplete!', 'a\\u000aComplete!'],
    ['carriage return', 'good\rbad', 'good\\u000dbad'],
    ['backspace and delete', 'a\b\u007f', 'a\\u0008\\u007f'],
    ['right-to-left override', 'x\u202egpj.exe', 'x\\u202egpj.exe'],
    ['isolates', '\u2066a\u2069', '\\u2066a\\u2069'],
    ['zero width space and joiner', 'a\u200bb\u200d', 'a\\u200bb\\u200d'],
    ['line separator', 'a\u2028b', 'a\\u2028b'],
    ['byte order mark', '\ufeffa', '\\ufeffa'],
    ['lone surrogate', 'a\ud800b', 'a\\ud800b'],
    ['tag character', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['NUL', 'a\0b', 'a\\u0000b'],
  ])('%s', (_, foreign, shown) => {
    expect(clean(foreign)).toBe(shown);
  });

  test.each(['kpatch-patch-5_14_0-362_8_1', 'Přemysl Müller', '日本', '😀', ''])('leaves %j as it is', (text) => {
    expect(clean(text)).toBe(text);
  });

  test('reaches every string of nested data, keys too, and nothing else', () => {
    const foreign = { 'a\n': ['\u001b', 1, null, true, { b: '\u202e' }], c: undefined };
    expect(cleanDeep(foreign)).toEqual({ 'a\\u000a': ['\\u001b', 1, null, true, { b: '\\u202e' }], c: undefined });
    expect(foreign['a\n']?.[0]).toBe('\u001b');
  });
});

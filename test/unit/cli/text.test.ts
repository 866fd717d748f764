// Sizes, times, widths, progress: small pure pieces.
import { describe, expect, test } from '@jest/globals';
import { progressLine } from '../../../src/cli/render/progress.ts';
import { clockTime, humanAge, humanSize } from '../../../src/cli/render/size.ts';
import { cut, textWidth, wrap } from '../../../src/cli/render/width.ts';
import { suggest } from '../../../src/cli/suggest.ts';

describe('humanSize', () => {
  test.each([
    [null, '-'],
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 k'],
    [1023, '1.0 k'],
    [5500, '5.4 k'],
    [10137, '9.9 k'],
    [10189, '10 k'],
    [1023487, '999 k'],
    [1023488, '1.0 M'],
    [12 * 1024 * 1024, '12 M'],
    [3 * 1024 ** 3, '3.0 G'],
    [5 * 1024 ** 5, '5120 T'],
  ])('%p -> %p', (bytes, shown) => {
    expect(humanSize(bytes)).toBe(shown);
  });
});

test.each([
  [0, '00:00'],
  [59.6, '01:00'],
  [3599, '59:59'],
  [3661, '1:01:01'],
  [-5, '00:00'],
])('clockTime(%p) is %p', (seconds, shown) => {
  expect(clockTime(seconds)).toBe(shown);
});

test.each([
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [3599, '59 min'],
  [3600, '1 h'],
  [172799, '47 h'],
  [172800, '2 days'],
])('humanAge(%p) is %p', (seconds, shown) => {
  expect(humanAge(seconds)).toBe(shown);
});

describe('width', () => {
  test.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['✓ ✗ ⧗', 5],
    ['', 0],
  ])('%j takes %p columns', (text, columns) => {
    expect(textWidth(text)).toBe(columns);
  });

  test('cut loses nothing and never exceeds the width', () => {
    expect(cut('abcdefg', 3)).toEqual(['abc', 'def', 'g']);
    expect(cut('日本語', 3)).toEqual(['日', '本', '語']);
    expect(cut('', 3)).toEqual(['']);
  });

  test('wrap breaks at spaces and keeps a long word whole', () => {
    expect(wrap('aa bb cc', 5)).toEqual(['aa bb', 'cc']);
    expect(wrap('aa bb cc dd', 5, '  ')).toEqual(['aa bb', '  cc', '  dd']);
    expect(wrap('a kpatch-pm-install b', 6)).toEqual(['a', 'kpatch-pm-install', 'b']);
    expect(wrap('', 6)).toEqual(['']);
  });
});

describe('progressLine', () => {
  const style = { width: 80, color: false, symbols: false };
  const label = 'kpatch-patch-5_14_0-362_8_1-1-3.el9_3.x86_64';

  test.each([
    [
      { label, done: 512_000, total: 1_024_000, seconds: 2 },
      'kpatch-patch-5_14_0-362_8_1-1-3.el9  50% [=====     ] 250 k/s | 500 k 00:02 ETA',
    ],
    [
      { label: 'x', done: 0, total: 100, seconds: 0 },
      'x                                         0% [          ] 0 B/s | 0 B --:-- ETA',
    ],
    [
      { label, done: 5500, total: null, seconds: 1 },
      'kpatch-patch-5_14_0-362_8_1-1-3.el9_3.x86_64          5.4 k/s | 5.4 k 00:01    ',
    ],
    [
      { label: 'x', done: 300, total: 100, seconds: 1 },
      'x                                   100% [==========] 300 B/s | 300 B 00:00 ETA',
    ],
  ])('%j', (view, shown) => {
    expect(progressLine(view, style)).toBe(shown);
    expect(textWidth(shown)).toBe(79);
  });

  test('keeps within a narrow screen', () => {
    const line = progressLine({ label, done: 1, total: 2, seconds: 1 }, { ...style, width: 30 });
    expect(textWidth(line)).toBe(29);
  });

  test('a label cannot move the cursor', () => {
    expect(progressLine({ label: '\u001b[H', done: 1, total: null, seconds: 1 }, style)).not.toContain('\u001b');
  });
});

describe('suggest', () => {
  const known = ['status', 'auto', 'install', 'manual'];
  test.each([
    ['stauts', 'status'],
    ['Status', 'status'],
    ['instal', 'install'],
    ['atuo', 'auto'],
    ['frobnicate', null],
    ['x', null],
    ['i'.repeat(1000), null],
  ])('%s -> %s', (word, near) => {
    expect(suggest(word, known)).toBe(near);
  });
});

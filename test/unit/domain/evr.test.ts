import { describe, expect, test } from '@jest/globals';
import { compareEvr, formatEvr, parseEvr, rpmvercmp } from '../../../src/domain/evr.ts';

const SIGN: Record<string, number> = { '<': -1, '=': 0, '>': 1 };

describe('rpm order of versions', () => {
  test.each(
    `
    1-9        < 1-10
    1.0        = 1.0
    1.0        < 1.0.1
    1.0        = 1_0
    1.0~rc1    < 1.0
    1.0^git1   > 1.0
    1.0^git1   < 1.01
    1.0^       > 1.0
    1.0~rc1^g1 > 1.0~rc1
    1.0a       > 1.0
    a          < 1
    10         > 9
    0010       = 10
    fc4        = fc.4
    2a         < 2.0
    ~~         < ~
    8.el9_3    > 8.el9
    xyz10      < xyz10.1
    123456789012345678901 > 99999999999999999999
  `
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/)),
  )('%s %s %s', (a, op, b) => {
    expect(rpmvercmp(a as string, b as string)).toBe(SIGN[op as string]);
    expect(rpmvercmp(b as string, a as string)).toBe(0 - (SIGN[op as string] as number));
  });
});

describe('EVR', () => {
  test('the epoch goes before everything', () => {
    expect(compareEvr(parseEvr('1:1-1'), parseEvr('2-1'))).toBe(1);
  });
  test.each(['1-2', '1:1-2', '5.14.0', '3:5.14.0'])('reads and writes %s', (text) => {
    expect(formatEvr(parseEvr(text))).toBe(text);
  });
});

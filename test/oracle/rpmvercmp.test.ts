// Our order of versions against rpm's: 3,000 recorded pairs, rpm's own test table, and fresh random pairs put to the installed rpm.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareEvr, parseEvr, rpmvercmp } from '../../src/domain/evr.ts';
import { realRun } from '../../src/host/run.ts';
import { corpusDir, describeCorpus } from '../support/corpus.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

type Pair = [a: string, b: string, expected: number];
const recorded: Pair[] = JSON.parse(readFileSync(path.join(top, 'test/oracle/rpmvercmp-3000.json'), 'utf8')).pairs;

/** A pair with a release is compared as a whole EVR, else as a version. */
const ours = (a: string, b: string): number =>
  a.includes('-') ? compareEvr(parseEvr(a), parseEvr(b)) : rpmvercmp(a, b);

describe('the recorded pairs', () => {
  test('are 3,000, and every outcome is among them', () => {
    expect(recorded.length).toBe(3000);
    expect(new Set(recorded.map(([, , order]) => order))).toEqual(new Set([-1, 0, 1]));
  });

  test('are ordered as rpm orders them', () => {
    expect(recorded.filter(([a, b, order]) => ours(a, b) !== order)).toEqual([]);
  });

  test('and the other way round', () => {
    expect(recorded.filter(([a, b, order]) => ours(b, a) !== (order === 0 ? 0 : -order))).toEqual([]);
  });
});

describeCorpus("rpm's own test table", () => {
  test('holds', () => {
    const table = JSON.parse(readFileSync(path.join(corpusDir() as string, 'rpmvercmp.json'), 'utf8')) as {
      pairs: { a: string; b: string; expect: number }[];
      oddities_commented_out_there: { a: string; b: string; rpm_4_18: number }[];
    };
    const pairs = [
      ...table.pairs,
      ...table.oddities_commented_out_there.map(({ a, b, rpm_4_18 }) => ({ a, b, expect: rpm_4_18 })),
    ];
    expect(pairs.length).toBe(103);
    expect(pairs.filter(({ a, b, expect: order }) => rpmvercmp(a, b) !== order)).toEqual([]);
  });
});

needs('rpm')('the installed rpm', () => {
  test('agrees on fresh pairs', async () => {
    const version = fc.stringMatching(/^[0-9a-c][0-9a-cA-C._+~^]{0,7}$/);
    const pairs = fc.sample(fc.tuple(version, version), 400);
    const table = pairs.map(([a, b]) => `{"${a}","${b}"}`).join(',');
    const lua = `for _,p in ipairs({${table}}) do print(rpm.vercmp(p[1],p[2])) end`;
    const { stdout } = await realRun.run('rpm', ['--eval', `%{lua: ${lua}}`]);
    // rpm's print inside a macro writes no line ends.
    const theirs = (stdout.toString('utf8').match(/-?[01]/g) ?? []).map(Number);
    expect(theirs.length).toBe(400);
    expect(pairs.filter(([a, b], n) => rpmvercmp(a, b) !== theirs[n])).toEqual([]);
  });
});

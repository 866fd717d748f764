import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Gathering } from '../../../src/formats/gather.ts';
import { Ahead } from '../../../src/formats/rpm/ahead.ts';
import { contentAt, cpioEntries } from '../../../src/formats/rpm/cpio.ts';
import { forgeCpio } from '../../support/forge-rpm.ts';

const sum = (algorithm: string, bytes: Buffer): string => createHash(algorithm).update(bytes).digest('hex');
const LARGE = 100_000;
const content = (n: number, size: number): Buffer => Buffer.alloc(size, `content ${n} `);
const archive = (sizes: readonly number[]): Buffer =>
  forgeCpio(sizes.map((size, n) => ({ name: `./file-${n}`, mode: 0o100644, data: content(n, size) })));

const ahead = (files: string | null = 'sha256', maxEntries = 100): Ahead =>
  new Ahead({ all: ['sha256', 'sha512'], files, lookup: () => null, maxEntries });

/** All contents of an archive that arrived cut at these places, by the entry reader. */
function arrived(bytes: Buffer, cuts: readonly number[], one: Ahead): Buffer[] {
  for (const cut of [...cuts].sort((a, b) => a - b)) one.follow(bytes.subarray(0, Math.min(cut, bytes.length)));
  one.follow(bytes);
  return [...cpioEntries(bytes, 100)].map(({ data }) => data);
}

describe('digests made ahead', () => {
  test('are those that would be made afterwards, wherever the bytes were cut', () => {
    const size = fc.constantFrom(0, 1, 65_535, 65_536, LARGE, LARGE + 3);
    fc.assert(
      fc.property(fc.array(size, { maxLength: 4 }), fc.array(fc.nat(400_000)), (sizes, cuts) => {
        const one = ahead();
        const bytes = archive(sizes);
        const contents = arrived(bytes, cuts, one);
        for (const algorithm of ['sha256', 'sha512', 'md5']) {
          expect(one.digest(algorithm, bytes)).toBe(sum(algorithm, bytes));
          for (const data of contents) expect(one.digest(algorithm, data)).toBe(sum(algorithm, data));
        }
      }),
    );
  });

  test('are made while the bytes arrive', () => {
    const bytes = archive([LARGE]);
    const before = { all: sum('sha256', bytes), file: sum('sha256', content(0, LARGE)) };
    const one = ahead();
    const [data] = arrived(bytes, [LARGE / 2], one);
    bytes.fill(0);
    expect(one.digest('sha256')).toBe(before.all);
    expect(one.digest('sha256', data)).toBe(before.file);
    // Asked for another algorithm, or other bytes, it makes the digest now.
    expect(one.digest('sha1', data)).toBe(sum('sha1', Buffer.alloc(LARGE)));
    expect(one.digest('sha256', data?.subarray(1))).toBe(sum('sha256', Buffer.alloc(LARGE - 1)));
    expect(one.digest('sha256', data?.subarray(0, -1))).toBe(sum('sha256', Buffer.alloc(LARGE - 1)));
    expect(one.digest('sha256', Buffer.alloc(LARGE))).toBe(sum('sha256', Buffer.alloc(LARGE)));
  });

  test('of stripped archives', () => {
    const data = content(7, LARGE);
    const head = Buffer.from('07070X00000001\0\0');
    const bytes = Buffer.concat([head, data]);
    const lookup = (index: number) => (index === 1 ? { mode: 0o100644, mtime: 0, size: LARGE } : null);
    const one = new Ahead({ all: [], files: 'sha256', lookup, maxEntries: 9 });
    for (let at = 1; at < bytes.length; at += 30_011) one.follow(bytes.subarray(0, at));
    one.follow(bytes);
    const part = bytes.subarray(head.length);
    bytes.fill(0);
    expect(one.digest('sha256', part)).toBe(sum('sha256', data));
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['no archive', Buffer.alloc(LARGE, 'x')],
    ['a size that is no number', Buffer.from(`070701${'zzzzzzzz'.repeat(13)}`)],
    ['a file that the header does not list', Buffer.concat([Buffer.from('07070X00000009'), Buffer.alloc(LARGE)])],
    ['a size beyond the end', Buffer.concat([archive([LARGE]).subarray(0, LARGE / 2)])],
  ])('%s', (_, bytes) => {
    const one = ahead();
    for (let at = 0; at < bytes.length; at += 10_007) one.follow(bytes.subarray(0, at));
    one.follow(bytes);
    expect(one.digest('sha256', bytes)).toBe(sum('sha256', bytes));
    expect(one.digest('sha256', bytes.subarray(116))).toBe(sum('sha256', bytes.subarray(116)));
  });

  test.each([
    ['a name', 11],
    ['a size', 6],
  ])('%s of less than nothing leads nowhere', (_, field) => {
    const bytes = archive([LARGE]);
    expect(contentAt(bytes, 0, () => null)).toMatchObject({ end: expect.any(Number) });
    bytes.write('-0000100', 6 + field * 8, 'latin1');
    expect(contentAt(bytes, 0, () => null)).toBeNull();
  });

  test('an algorithm that this machine refuses', () => {
    const bytes = archive([LARGE]);
    const one = new Ahead({ all: ['no-such'], files: 'no-such', lookup: () => null, maxEntries: 9 });
    const [data] = arrived(bytes, [], one);
    expect(one.digest('no-such')).toBeNull();
    expect(one.digest('no-such', data)).toBeNull();
    expect(one.digest('sha256', data)).toBe(sum('sha256', content(0, LARGE)));
  });
});

describe('pieces in one piece of memory', () => {
  test('are where they are when they lie side by side', () => {
    const bytes = Buffer.from(new ArrayBuffer(1000)).fill('abc');
    const gathering = new Gathering(10);
    for (let at = 0; at < 1000; at += 100) gathering.take(bytes.subarray(at, at + 100));
    expect(gathering.bytes.equals(bytes)).toBe(true);
    expect(gathering.bytes.buffer).toBe(bytes.buffer);
  });

  test('are copied where they are not, and nothing else is written to', () => {
    const foreign = Buffer.from(new ArrayBuffer(30)).fill('-');
    const [one, two, three] = [foreign.subarray(0, 10), foreign.subarray(20, 30), Buffer.from('three')];
    one.fill('1');
    two.fill('2');
    for (const expected of [0, 21, 1000]) {
      const gathering = new Gathering(expected);
      for (const piece of [one, two, three, Buffer.alloc(0), one]) gathering.take(piece);
      expect(gathering.bytes.toString()).toBe('11111111112222222222three1111111111');
      expect(foreign.toString()).toBe('1111111111----------2222222222');
    }
  });

  test('none', () => {
    expect(new Gathering(10).bytes).toHaveLength(0);
  });
});

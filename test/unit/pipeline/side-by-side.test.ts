// How many packages are held in memory at once: by number, and by what they weigh together.
import { describe, expect, test } from '@jest/globals';
import { MAX_PACKAGE_BYTES } from '../../../src/formats/rpm/package.ts';
import { sideBySide } from '../../../src/pipeline/side-by-side.ts';

const ROOM = MAX_PACKAGE_BYTES;

/** Runs items of these sizes; gives the order they began in, and the sizes that were in work at each beginning. */
async function run(sizes: readonly number[], workers: number) {
  const [begun, together]: [number[], number[][]] = [[], []];
  const now: number[] = [];
  const items = sizes.map((size, n) => ({ size, n }));
  await sideBySide(
    items,
    workers,
    ({ size }) => size,
    async ({ size, n }) => {
      begun.push(n);
      now.push(size);
      together.push([...now]);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now.splice(now.indexOf(size), 1);
    },
  );
  return { begun, together };
}

const sum = (sizes: readonly number[]): number => sizes.reduce((all, one) => all + one, 0);

describe('side by side', () => {
  test('as many as there are workers, in order', async () => {
    const { begun, together } = await run([1, 2, 3, 4, 5, 6, 7], 3);
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(Math.max(...together.map((sizes) => sizes.length))).toBe(3);
  });

  test('never more than the room there is', async () => {
    const sizes = [0.6, 0.6, 0.3, 0.2, 0.7, 0.1, 0.5].map((part) => part * ROOM);
    const { begun, together } = await run(sizes, 4);
    expect(begun).toEqual(sizes.map((_, n) => n));
    expect(Math.max(...together.map(sum))).toBeLessThanOrEqual(ROOM);
    expect(Math.max(...together.map((at) => at.length))).toBeGreaterThan(1);
  });

  test('what is larger than all the room, or of unknown size, is done alone', async () => {
    const { begun, together } = await run([1, Number.POSITIVE_INFINITY, 1, 3 * ROOM, 1], 5);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    for (const sizes of together) if (sizes.some((size) => size > ROOM)) expect(sizes).toHaveLength(1);
  });

  test('a large one is not put off until all others are done', async () => {
    const { begun } = await run([10, ROOM, ...Array.from({ length: 10 }, () => 10)], 2);
    expect(begun).toEqual(begun.map((_, n) => n));
  });

  test('after an error nothing is begun, what was begun is waited for, and the error raised', async () => {
    const [begun, done]: [number[], number[]] = [[], []];
    const work = async (n: number): Promise<void> => {
      begun.push(n);
      await new Promise((resolve) => setTimeout(resolve, n === 1 ? 1 : 20));
      if (n === 1) throw new Error('the second');
      done.push(n);
    };
    await expect(sideBySide([0, 1, 2, 3, 4], 2, () => 1, work)).rejects.toThrow('the second');
    expect([begun, done]).toEqual([[0, 1], [0]]);
  });

  test('nothing to do', async () => {
    expect(await run([], 3)).toEqual({ begun: [], together: [] });
  });
});

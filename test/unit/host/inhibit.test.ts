// The shutdown inhibitor: held as long as the work, and never a reason not to do it.
import { describe, expect, test } from '@jest/globals';
import { whileInhibited } from '../../../src/host/inhibit.ts';
import { type Run, realRun } from '../../../src/host/run.ts';
import { needs } from '../../support/programs.ts';

/** systemd-inhibit without the lock: runs its command. */
function standIn(began: string[][]): Run {
  return {
    ...realRun,
    which: () => '/usr/bin/systemd-inhibit',
    filter: (program, args, source) => {
      began.push([program, ...args]);
      return realRun.filter(args.at(-1) as string, [], source);
    },
  };
}

describe('while something is carried out', () => {
  test('the lock is asked for in block mode, lives as long as the work, and gives its result', async () => {
    const began: string[][] = [];
    const told: string[] = [];
    let over = false;
    const result = whileInhibited(
      standIn(began),
      'Testing',
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        over = true;
        return 42;
      },
      (text) => told.push(text),
    );
    expect(over).toBe(false);
    expect(await result).toBe(42);
    expect([over, told]).toEqual([true, []]);
    expect(began).toEqual([
      ['systemd-inhibit', '--what=shutdown', '--who=kpatch-pm', '--why=Testing', '--mode=block', 'cat'],
    ]);
  });

  test('a failure of the work is the failure of the whole, and the lock ends', async () => {
    const failing = whileInhibited(
      standIn([]),
      'Testing',
      () => Promise.reject(new Error('no')),
      () => undefined,
    );
    await expect(failing).rejects.toThrow('no');
  });

  test('without the program, or where it fails, the work is done all the same', async () => {
    const without: Run = { ...realRun, which: () => null };
    expect(
      await whileInhibited(
        without,
        'Testing',
        async () => 1,
        () => undefined,
      ),
    ).toBe(1);
    const told: string[] = [];
    const failing: Run = {
      ...realRun,
      which: () => '/bin/false',
      filter: (_program, _args, source) => realRun.filter('false', [], source),
    };
    expect(
      await whileInhibited(
        failing,
        'Testing',
        async () => 2,
        (text) => told.push(text),
      ),
    ).toBe(2);
    expect(told.join()).toContain('A shutdown is not held back meanwhile');
  });
});

needs('systemd-inhibit')('the real systemd-inhibit', () => {
  test('with or without a bus, the work is done', async () => {
    expect(
      await whileInhibited(
        realRun,
        'Testing kpatch-pm',
        async () => 3,
        () => undefined,
      ),
    ).toBe(3);
  });
});

// Every system call of a transaction fails once, or from there on, with ENOSPC, EROFS, EIO and EACCES. The run then says one
// sentence with a code, or goes on; the next run ends with the tree before or the tree after, byte for byte.
// KPATCH_PM_FAULTS=all tries every errno at every call; else every changing call meets one of them in turn, and so does every
// 97th of the many that only look (`few`: one in seven, one in 199).
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { openPartial } from '../../src/apply/partial.ts';
import { KpmError } from '../../src/errors.ts';
import { JOURNAL } from '../../src/state/journal.ts';
import { type Errno, type Fault, withFault } from '../support/faults.ts';
import { scratchRoot } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { changingRun, inCopy, type Kind, machineOver, prepare, WORK } from '../support/transactions.ts';
import { treeOf } from '../support/tree.ts';

const ALL = process.env.KPATCH_PM_FAULTS === 'all';
const FEW = process.env.KPATCH_PM_FAULTS === 'few';
const STEP: Readonly<Record<Fault['kind'], number>> = ALL
  ? { change: 1, look: 1 }
  : { change: FEW ? 7 : 1, look: FEW ? 199 : 97 };
const SEEN: Readonly<Record<Fault['kind'], readonly Errno[]>> = {
  change: ['ENOSPC', 'EIO', 'EROFS', 'EACCES'],
  look: ['EIO', 'EACCES'],
};
// rpm's own files are rpm's business; its calls are not ours.
const seen = (directory: string): string[] => treeOf(directory, ['var/lib/rpm']);

/** What is made of the same calls as others, only more of them, is for campaigns. */
const KINDS = (Object.keys(WORK) as Kind[]).filter((kind) => ALL || !kind.startsWith('three kernels'));

/** The faults to try at the n-th call. */
function faultsAt(at: number, kind: Fault['kind']): Fault[] {
  const errnos = SEEN[kind];
  if (ALL) return errnos.flatMap((errno) => [true, false].map((lasting) => ({ at, kind, errno, lasting })));
  const errno = errnos[at % errnos.length] as Errno;
  return [{ at, kind, errno, lasting: Math.floor(at / errnos.length) % 2 === 0 }];
}

/** One sentence, a code that is no fault of ours, and no trace. */
function expectSentence(error: unknown): void {
  expect(error).toBeInstanceOf(KpmError);
  const { code, message } = error as KpmError;
  expect(code).not.toBe('internal');
  expect(message).toMatch(/^[^\n]+\.$/);
  expect(message).not.toMatch(/\/proc\/self|\bat .*:\d+:\d+/);
}

let tried = 0;
afterAll(() => {
  if (ALL) process.stderr.write(`${tried} faults\n`);
});

/** Tries one fault; gives whether there was such a call. */
async function tryFault(root: string, kind: Kind, fault: Fault, ends: readonly string[][]): Promise<boolean> {
  return inCopy(root, async (copy) => {
    const work = await WORK[kind](machineOver(copy));
    const { failed, ended } = await withFault(copy, fault, () => changingRun(machineOver(copy), work));
    if (failed === null) return false;
    tried++;
    const where = { ...fault, failed };
    try {
      if ('error' in ended) expectSentence(ended.error);
      await changingRun(machineOver(copy), null);
      expect(existsSync(path.join(copy, JOURNAL))).toBe(false);
      expect(ends).toContainEqual(seen(copy));
    } catch (error) {
      throw new Error(`${JSON.stringify(where)}: ${(error as Error).message}`, { cause: error });
    }
    return true;
  });
}

needs('rpm')('every system call fails', () => {
  test.each(KINDS)(
    '%s',
    async (kind) => {
      const root = scratchRoot();
      try {
        await prepare(machineOver(root.path), kind);
        // The lock file and our directory are there from the start: a run that fails leaves them too.
        await changingRun(machineOver(root.path), null);
        const before = seen(root.path);
        const after = await inCopy(root.path, async (copy) => {
          await changingRun(machineOver(copy), await WORK[kind](machineOver(copy)));
          return seen(copy);
        });
        expect(after).not.toEqual(before);
        const wrong: string[] = [];
        for (const what of ['change', 'look'] as const) {
          let at = 1;
          for (let more = true; more; at += STEP[what]) {
            for (const fault of faultsAt(at, what)) {
              try {
                more = await tryFault(root.path, kind, fault, [before, after]);
              } catch (error) {
                wrong.push((error as Error).message);
              }
            }
          }
          expect(at).toBeGreaterThan(10);
        }
        expect(wrong).toEqual([]);
      } finally {
        root.remove();
      }
    },
    1_200_000,
  );
});

test('every system call of a download fails', async () => {
  const root = scratchRoot({ rpmdb: false });
  const place = { root: machineOver(root.path).root, base: 'var/cache/kpatch-pm', mode: 0o755 };
  const download = async (): Promise<string> => {
    const partial = openPartial(place, 'k/packages/p.rpm');
    try {
      partial.append(Buffer.from('wrong'));
      partial.reset();
      partial.append(Buffer.from('package'));
      const bytes = partial.bytes().toString();
      partial.commit();
      return bytes;
    } finally {
      partial.close();
    }
  };
  try {
    for (const kind of ['change', 'look'] as const) {
      for (let at = 1, more = true; more; at++) {
        for (const errno of SEEN[kind]) {
          const { failed, ended } = await withFault(root.path, { at, kind, errno, lasting: false }, download);
          more = failed !== null;
          if ('error' in ended) expectSentence(ended.error);
          else expect(ended.value).toBe('package');
          rmSync(root.at('var/cache'), { recursive: true, force: true });
        }
      }
    }
  } finally {
    root.remove();
  }
});

// A run is stopped before its n-th change of the file system, for every n. The next run finishes or forgets the work: the
// tree is then the one before or the one after, byte for byte, and no journal is left.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { realRun } from '../../src/host/run.ts';
import { JOURNAL } from '../../src/state/journal.ts';
import { scratchRoot } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { changingRun, inCopy, type Kind, machineOver, prepare, WORK } from '../support/transactions.ts';
import { treeOf } from '../support/tree.ts';

class Stopped extends Error {}

// rpm's own files change in ways that are rpm's business; what it answers is compared instead.
const RPM = 'var/lib/rpm';

async function seen(directory: string): Promise<string[]> {
  const { stdout } = await realRun.run('rpm', ['--dbpath', path.join(directory, RPM), '-qa']);
  return [...treeOf(directory, [RPM]), ...stdout.toString('utf8').trim().split('\n').sort()];
}

async function stopBefore(n: number, directory: string, kind: Kind): Promise<'stopped' | 'ended'> {
  let changes = 0;
  const machine = machineOver(directory, () => {
    // Whoever is dead changes nothing more.
    if (++changes >= n) throw new Stopped();
  });
  try {
    const plain = machineOver(directory);
    await changingRun(machine, await WORK[kind](plain));
    return 'ended';
  } catch (error) {
    if (error instanceof Stopped) return 'stopped';
    throw error;
  }
}

needs('rpm')('stopped before every change', () => {
  test.each(Object.keys(WORK) as Kind[])('%s', async (kind) => {
    const root = scratchRoot();
    try {
      await prepare(machineOver(root.path), kind);
      const before = await seen(root.path);
      const after = await inCopy(root.path, async (copy) => {
        await changingRun(machineOver(copy), await WORK[kind](machineOver(copy)));
        return seen(copy);
      });
      expect(after).not.toEqual(before);
      const ends = new Set<string>();
      let n = 1;
      for (let more = true; more; n++) {
        more = await inCopy(root.path, async (copy) => {
          const how = await stopBefore(n, copy, kind);
          await changingRun(machineOver(copy), null);
          const end = await seen(copy);
          expect(existsSync(path.join(copy, JOURNAL))).toBe(false);
          ends.add(JSON.stringify(end) === JSON.stringify(before) ? 'before' : 'after');
          if (JSON.stringify(end) !== JSON.stringify(before)) expect({ n, end }).toEqual({ n, end: after });
          return how === 'stopped';
        });
      }
      // Both happened, so the commit point lies between.
      expect([...ends].sort()).toEqual(['after', 'before']);
      expect(n).toBeGreaterThan(4);
    } finally {
      root.remove();
    }
  });
});

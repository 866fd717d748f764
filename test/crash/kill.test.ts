// The same with a real process and SIGKILL at random moments: no partial file below var/lib/kpatch ever, and the next run
// finishes or forgets the work. KPATCH_PM_KILLS says how many runs are killed (500 make a campaign).
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { scratchRoot } from '../support/fixtures.ts';
import { type RunOneProgram, runOneProgram } from '../support/run-one-program.ts';
import { changingRun, inCopy, type Kind, machineOver, prepare, WORK } from '../support/transactions.ts';
import { treeOf } from '../support/tree.ts';

const KILLS = Number(process.env.KPATCH_PM_KILLS ?? (process.env.CI === 'true' ? 52 : 16));
const KINDS: readonly Kind[] = ['install', 'upgrade', 'upgrade, keeping the old level', 'remove'];

let program: RunOneProgram;
beforeAll(async () => {
  program = await runOneProgram();
});
afterAll(() => program.remove());

/** Starts a run and kills it `delay` ms after its work began; 'done' when it was faster. */
function killed(root: string, kind: Kind, delay: number): Promise<'killed' | 'done'> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program.file, root, kind], {
      cwd: program.directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.on('error', reject);
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delay));
    child.on('close', (status, signal) => {
      if (signal === 'SIGKILL') resolve('killed');
      else if (status === 0) resolve('done');
      else reject(new Error(`run-one ended with ${status}`));
    });
  });
}

/** A sequence that is the same in every run. */
function* delays(): Generator<number> {
  let seed = 20240606;
  for (;;) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    yield (seed / 2147483648) * 60;
  }
}

describe('killed at random moments', () => {
  test.each(KINDS)('%s', async (kind) => {
    const root = scratchRoot({ rpmdb: false });
    const next = delays();
    try {
      await prepare(machineOver(root.path), kind);
      const before = treeOf(root.path);
      const after = await inCopy(root.path, async (copy) => {
        await changingRun(machineOver(copy), await WORK[kind](machineOver(copy)));
        return treeOf(copy);
      });
      const finished = [...before, ...after].filter((line) => line.startsWith('var/lib/kpatch/'));
      for (let n = 0; n < Math.ceil(KILLS / KINDS.length); n++) {
        await inCopy(root.path, async (copy) => {
          await killed(copy, kind, next.next().value as number);
          const there = treeOf(copy).filter((line) => line.startsWith('var/lib/kpatch/') && !line.includes('/ 755'));
          for (const line of there) expect(finished).toContain(line);
          await changingRun(machineOver(copy), null);
          const end = treeOf(copy);
          expect([before, after]).toContainEqual(end);
        });
      }
    } finally {
      root.remove();
    }
  });
});

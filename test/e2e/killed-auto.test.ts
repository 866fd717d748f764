// The built program over real HTTP, killed with SIGKILL at random moments of `auto`: never a partial file below
// var/lib/kpatch, and the next run ends where an undisturbed one does. KPATCH_PM_KILLS says how many runs are killed;
// where it is set, what the kills met is printed (the recorded campaign of docs/testing.md).
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BuiltProgram, builtProgram, ended } from '../support/built-program.ts';
import { KERNELS, scratchRoot } from '../support/fixtures.ts';
import { serverForAll } from '../support/hooks.ts';
import { treeOf } from '../support/tree.ts';

const KILLS = Number(process.env.KPATCH_PM_KILLS ?? (process.env.CI === 'true' ? 50 : 12));
let program: BuiltProgram;
const server = serverForAll();
beforeAll(() => {
  program = builtProgram();
});
afterAll(() => {
  program.remove();
});

const patches = (root: string): string[] =>
  treeOf(root).filter((line) => line.startsWith('var/lib/kpatch/') && !/\/ [0-7]+$/.test(line));
/** How far the run had come, by what lies in its root. */
function foundIn(root: string, finished: readonly string[]): string {
  const state = path.join(root, 'var/lib/kpatch-pm');
  if (existsSync(path.join(state, 'journal.json'))) return 'committed, not finished';
  if (patches(root).length === finished.length) return 'finished';
  if (existsSync(path.join(state, 'staging'))) return 'staged';
  const cache = path.join(root, 'var/cache/kpatch-pm');
  const cached = existsSync(cache) ? readdirSync(cache, { recursive: true }).map(String) : [];
  if (cached.some((name) => name.includes('/packages/'))) return 'fetching packages';
  if (cached.length > 0) return 'fetching metadata';
  return existsSync(state) ? 'locked' : 'nothing changed';
}
const auto = (root: string) => program.start(['--installroot', root, 'auto', '-y', '--json']);

describe('killed at random moments of auto', () => {
  test(
    `${KILLS} times`,
    async () => {
      // The kills are spread over what an undisturbed run takes here.
      let [finished, span]: [string[], number] = [[], Number.POSITIVE_INFINITY];
      for (let n = 0; n < 3; n++) {
        const whole = scratchRoot({ url: server.url });
        const begin = performance.now();
        expect((await ended(auto(whole.path))).status).toBe(0);
        span = Math.min(span, performance.now() - begin);
        finished = patches(whole.path);
        whole.remove();
      }
      expect(finished).toHaveLength(1);
      let killed = 0;
      const met = new Map<string, number>();
      for (let n = 0; n < KILLS; n++) {
        const root = scratchRoot({ url: server.url });
        const child = auto(root.path);
        const end = ended(child);
        const begin = performance.now();
        const timer = setTimeout(() => child.kill('SIGKILL'), ((n + 0.5) / KILLS) * span);
        if ((await end).signal === 'SIGKILL') killed++;
        // The machine has become faster than it was when the span was taken.
        else span = Math.min(span, performance.now() - begin);
        clearTimeout(timer);
        const found = foundIn(root.path, finished);
        met.set(found, (met.get(found) ?? 0) + 1);
        for (const line of patches(root.path)) expect(finished).toContain(line);
        const again = await ended(auto(root.path));
        expect([again.status, again.err]).toEqual([0, again.err]);
        expect(patches(root.path)).toEqual(finished);
        const plan = JSON.parse(again.out) as { actions: { outcome: string }[]; skipped: { kernel: string }[] };
        expect(plan.actions.map(({ outcome }) => outcome)).toEqual(plan.actions.map(() => 'done'));
        const third = JSON.parse((await ended(auto(root.path))).out) as typeof plan;
        expect([third.actions, third.skipped.map(({ kernel }) => kernel).sort()]).toEqual([
          [],
          Object.values(KERNELS).sort(),
        ]);
        root.remove();
      }
      if (process.env.KPATCH_PM_KILLS)
        process.stderr.write(`${killed} of ${KILLS} killed: ${JSON.stringify([...met])}\n`);
      // Otherwise the span is wrong and nothing was tested.
      expect(killed).toBeGreaterThan(KILLS / 4);
    },
    Math.max(600_000, KILLS * 20_000),
  );
});

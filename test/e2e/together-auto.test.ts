// Fifty built programs at once over one root: every one ends, one installs, the others wait for it or say who holds the lock,
// and the root is then what one run by itself would have made of it.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type BuiltProgram, builtProgram, type Ended, ended } from '../support/built-program.ts';
import { KERNELS, scratchRoot } from '../support/fixtures.ts';
import { serverForAll } from '../support/hooks.ts';
import { needs } from '../support/programs.ts';
import { treeOf } from '../support/tree.ts';

const MANY = 50;
let program: BuiltProgram;
const server = serverForAll();
beforeAll(() => {
  program = builtProgram();
});
afterAll(() => {
  program.remove();
});

interface Answer {
  readonly actions: readonly { readonly do: string; readonly outcome: string }[];
  readonly error: { readonly code: string; readonly text: string } | null;
}
const answerOf = ({ out, err }: Ended): Answer => {
  try {
    return JSON.parse(out) as Answer;
  } catch {
    throw new Error(`no JSON: ${out}\n${err}`);
  }
};
const auto = (root: string, wait: number): Promise<Ended> =>
  ended(program.start(['--installroot', root, 'auto', '-y', '--json', '--lock-timeout', String(wait)]));
/** Without what differs from run to run: times, pids, and the cache with its times of refresh. */
const tree = (root: string): string[] =>
  treeOf(root, ['var/cache'])
    .map((line) =>
      /^var\/lib\/kpatch-pm\/(receipts|history|lock|pins)/.test(line) ? (line.split(' ')[0] as string) : line,
    )
    .filter((line) => !line.startsWith('var/lib/rpm/'));

needs('flock')('at once', () => {
  test(`${MANY} times auto`, async () => {
    const [alone, shared] = [scratchRoot({ url: server.url }), scratchRoot({ url: server.url })];
    try {
      expect((await auto(alone.path, 0)).status).toBe(0);
      // Every second one waits for its turn.
      const all = await Promise.all(Array.from({ length: MANY }, (_, n) => auto(shared.path, n % 2 === 0 ? 600 : 0)));
      const answers = all.map(answerOf);
      const waited = all.filter((_, n) => n % 2 === 0).map(({ status, err }) => [status, status === 0 ? '' : err]);
      expect(waited).toEqual(waited.map(() => [0, '']));
      for (const [n, { status, err }] of all.entries()) {
        expect(err).not.toMatch(/^\s+at |should not/m);
        if (status === 0) continue;
        expect([status, answers[n]?.error?.code]).toEqual([200, 'locked']);
        expect(answers[n]?.error?.text).toMatch(
          /is held by (pid \d+ \(kpatch-pm auto.*\), since \d{4}-|another kpatch-pm)/,
        );
      }
      const changed = answers.filter(({ actions }) => actions.some(({ outcome }) => outcome === 'done'));
      expect(changed).toHaveLength(1);
      expect(changed[0]?.actions.map((action) => [action.do, action.outcome])).toEqual([
        ['install', 'done'],
        ['install', 'done'],
        ['setting', 'done'],
      ]);
      expect(tree(shared.path)).toEqual(tree(alone.path));
      expect(tree(shared.path).some((line) => line.includes(KERNELS.K1) && line.includes('-1-2.ko'))).toBe(true);
    } finally {
      alone.remove();
      shared.remove();
    }
  }, 600_000);
});

// The packages of a plan go into the root in one transaction; where that cannot be begun, or is broken off, each still gets
// what it would get alone.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { Root } from '../../../src/host/root.ts';
import { type Run, realRun } from '../../../src/host/run.ts';
import { readHistory } from '../../../src/state/history.ts';
import { JOURNAL } from '../../../src/state/journal.ts';
import { readReceipts } from '../../../src/state/receipts.ts';
import type { Step } from '../../../src/state/steps.ts';
import { KERNELS } from '../../support/fixtures.ts';
import { rootForEach, serverForAll } from '../../support/hooks.ts';
import { listener, machineOver } from '../../support/machine.ts';
import { verb } from '../../support/verb-runs.ts';

const { K1, K2 } = KERNELS;
const server = serverForAll();
const root = rootForEach(() => ({ url: server.url, rpmdb: false, kernels: [K1, K2] }));

/** The kernels of every journal that was written. */
const journals: string[][] = [];
beforeEach(() => void journals.splice(0));

interface Faults {
  /** Told what is to be changed; raises what the disk answers. */
  readonly before?: (what: string, file: string) => void;
}

/** Runs `install` over the root; gives what was warned of. */
async function install({ before }: Faults = {}): Promise<string[]> {
  let written = false;
  const note = (): void => {
    if (!written || !existsSync(root.at(JOURNAL))) return;
    written = false;
    const { steps } = JSON.parse(readFileSync(root.at(JOURNAL), 'utf8')) as { steps: Step[] };
    journals.push(steps.flatMap((step) => (step.do === 'receipt' ? [step.receipt.kernel] : [])));
  };
  const ui = listener();
  await verb('install')(
    machineOver(root.path, (what, file) => {
      before?.(what, file);
      note();
      if (what === 'write' && file === JOURNAL) written = true;
    }),
    ui,
  );
  return ui.warnings.filter((text) => !/Importing key|stream rhel|has no rpm database/.test(text));
}

const machine = () => machineOver(root.path);
const received = (): string[] =>
  readReceipts(machine().root, machine().uid)
    .map(({ kernel }) => kernel)
    .sort();
const recorded = () => {
  const [record] = readHistory(machine().root, machine().uid);
  return record?.actions.map(({ kernel, outcome }) => [kernel, outcome]);
};
const full = (): KpmError => new KpmError('no-space', { text: 'No space left for it.' });

test('one transaction brings both', async () => {
  expect(await install()).toEqual([]);
  expect(journals).toEqual([[K1, K2]]);
  expect(recorded()).toEqual([
    [K1, 'done'],
    [K2, 'done'],
  ]);
});

test('where they cannot be begun together, each is done by itself', async () => {
  let refused = false;
  const before = (what: string, file: string): void => {
    if (refused || what !== 'write' || file !== JOURNAL) return;
    refused = true;
    throw full();
  };
  expect(await install({ before })).toEqual([]);
  expect(refused).toBe(true);
  expect(journals).toEqual([[K1], [K2]]);
  expect(received()).toEqual([K1, K2]);
});

test('broken off after its commit, it is finished at once where that is possible', async () => {
  let broken = 0;
  const before = (what: string, file: string): void => {
    if (what === 'write' && file.includes(`/receipts/${K2}/`) && ++broken === 1) throw full();
  };
  expect(await install({ before })).toEqual([]);
  expect(broken).toBe(2);
  expect(existsSync(root.at(JOURNAL))).toBe(false);
  expect(recorded()).toEqual([
    [K1, 'done'],
    [K2, 'done'],
  ]);
});

test('broken off after its commit for good, both have failed until the next run has finished them', async () => {
  const before = (what: string, file: string): void => {
    if (what === 'write' && file.includes(`/receipts/${K2}/`)) throw full();
  };
  expect(await install({ before })).toEqual(['No space left for it.', 'No space left for it.']);
  expect(existsSync(root.at(JOURNAL))).toBe(true);
  expect(recorded()).toEqual([
    [K1, 'failed'],
    [K2, 'failed'],
  ]);
  await install();
  expect(existsSync(root.at(JOURNAL))).toBe(false);
  expect(received()).toEqual([K1, K2]);
  expect(recorded()).toEqual([
    [K1, 'done'],
    [K2, 'done'],
  ]);
});

test('one whose module finds something in its way fails alone', async () => {
  mkdirSync(root.at('var/lib/kpatch'), { recursive: true });
  writeFileSync(root.at(`var/lib/kpatch/${K1}`), 'in the way');
  const [warning, ...more] = await install();
  expect(more).toEqual([]);
  expect(warning).toContain(`/var/lib/kpatch/${K1} could not be written`);
  expect(journals).toEqual([[K1, K2]]);
  expect(recorded()).toEqual([
    [K1, 'failed'],
    [K2, 'done'],
  ]);
  expect(received()).toEqual([K2]);
  rmSync(root.at(`var/lib/kpatch/${K1}`));
  expect(await install()).toEqual([]);
  expect(received()).toEqual([K1, K2]);
});

test('the level before one that the kernel refuses returns, also after a transaction that was broken off', async () => {
  const name = 'kpatch-patch-5_14_0-427_13_1';
  await verb('install', [`${name}-1-1.el9_4`])(machine());
  const active = (): string[] => machine().root.list(`var/lib/kpatch/${K1}`);
  const before = active();
  let broken = 0;
  const loaded: string[][] = [];
  const run: Run = {
    ...realRun,
    which: (program) => (program === 'insmod' ? '/usr/sbin/insmod' : realRun.which(program)),
    run: async (program, args, options) => {
      if (program !== 'insmod') return realRun.run(program, args, options);
      loaded.push(active());
      const stderr = 'insmod: ERROR: could not insert module /proc/self/fd/3: Invalid module format';
      return { status: 1, signal: null, stdout: Buffer.alloc(0), stderr };
    },
  };
  const hook = (what: string, file: string): void => {
    if (what === 'write' && file.includes(`/receipts/${K2}/`) && ++broken === 1) throw full();
  };
  const ui = listener();
  const running = { run, host: new Root(root.path), live: true, uname: K1 };
  mkdirSync(root.at('sys/kernel/livepatch'), { recursive: true });
  await verb('install', [], { load: true })(machineOver(root.path, hook, running), ui);
  expect(broken).toBe(2);
  expect(loaded.map((files) => files.length)).toEqual([1]);
  expect(loaded[0]).not.toEqual(before);
  expect(active()).toEqual(before);
  expect(ui.warnings.join(' ')).toContain('the level before is installed again');
  expect(recorded()).toEqual([
    [K1, 'failed'],
    [K2, 'done'],
    [K1, 'failed'],
  ]);
});

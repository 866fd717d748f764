// Several kernels in one transaction: the order of the steps, rpm told once, and what goes wrong for one of them alone.
import fs, { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { recover, runTransaction } from '../../../src/apply/install.ts';
import { openRecord } from '../../../src/apply/record.ts';
import { mergedWork } from '../../../src/apply/transactions.ts';
import { NO_ACTION, type RecordedAction } from '../../../src/domain/history.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { type Run, realRun } from '../../../src/host/run.ts';
import { openState } from '../../../src/state/directory.ts';
import { readHistory } from '../../../src/state/history.ts';
import { lockState } from '../../../src/state/lock.ts';
import { readReceipts } from '../../../src/state/receipts.ts';
import type { TransactionResult } from '../../../src/state/steps.ts';
import { rootForEach } from '../../support/hooks.ts';
import { listener, machineOver } from '../../support/machine.ts';
import { K1, K2, KL } from '../../support/packages.ts';
import { needs } from '../../support/programs.ts';
import { changingRun, together } from '../../support/transactions.ts';

const root = rootForEach();

const MODULE = 'kpatch-5_14_0-427_13_1-1-2.ko';
const action = (kernel: string): RecordedAction => ({ ...NO_ACTION, do: 'install', kernel });

/** One run whose record has an action for each kernel. */
async function run(machine: Machine, levels: Parameters<typeof together>[1], kernels: string[]) {
  const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'kpatch-pm test' });
  try {
    await recover(machine, locked, listener());
    const { steps, blobs } = await together(machine, levels);
    const of = openRecord(machine, locked, 'test', kernels.map(action));
    return await runTransaction(machine, locked, steps, blobs, { record: { of, ends: kernels.map((_, n) => n) } });
  } finally {
    locked.release();
  }
}

/** What rpm is started for: asking by name, or changing. */
function counting(starts: string[]): Run {
  return {
    ...realRun,
    run: (program, args, options) => {
      const verb = args.find((word) => /^-[a-zA-Z]$/.test(word));
      if (program === 'rpm' && verb) starts.push(verb);
      return realRun.run(program, args, options);
    },
  };
}

async function known(): Promise<string[]> {
  const { stdout } = await realRun.run('rpm', ['--dbpath', root.at('var/lib/rpm'), '-qa', 'kpatch-patch-*']);
  return stdout.toString('utf8').split('\n').filter(Boolean).sort();
}

const refusals = ({ results }: TransactionResult): unknown[] =>
  results.flatMap(({ step, problem }) =>
    problem ? [[step.do, 'kernel' in step ? step.kernel : null, problem.code]] : [],
  );
const registered = (machine: Machine) =>
  Object.fromEntries(readReceipts(machine.root, machine.uid).map((one) => [one.kernel, one.registered]));

test('the steps of each kernel keep their order, and rpm is told of all side by side', async () => {
  const machine = machineOver(root.path);
  const { steps } = await together(machine, ['1-2', 'empty', 'linked']);
  const single = await Promise.all((['1-2', 'empty', 'linked'] as const).map((level) => together(machine, [level])));
  for (const one of single) {
    const kernel = one.steps.find((step) => step.do === 'register')?.kernel;
    const own = steps.filter(
      (step) => ('kernel' in step ? step.kernel : step.do === 'receipt' && step.receipt.kernel) === kernel,
    );
    expect(own).toEqual(one.steps);
  }
  expect(steps.map((step) => step.do).join(' ')).toBe(
    'put put register register register put receipt receipt put receipt',
  );
});

test('work for no kernel is no work', () => {
  expect(mergedWork([])).toEqual({ steps: [], blobs: new Map() });
});

needs('rpm')('rpm', () => {
  test('is started three times, however many packages there are', async () => {
    const starts: string[] = [];
    const machine = machineOver(root.path, null, { run: counting(starts) });
    expect(refusals(await run(machine, ['1-2', 'empty'], [K1, K2]))).toEqual([]);
    expect(starts).toEqual(['-q', '-U', '-q']);
    expect(await known()).toEqual([
      'kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64',
      'kpatch-patch-5_14_0-427_16_1-0-0.el9_4.x86_64',
    ]);
    expect(registered(machine)).toEqual({ [K1]: true, [K2]: true });
  });

  test('that refuses one package, and so all at first, is told of the others', async () => {
    const machine = machineOver(root.path);
    const result = await run(machine, ['linked', '1-2', 'empty'], [KL, K1, K2]);
    expect(refusals(result)).toEqual([['register', KL, 'not-registered']]);
    expect(result.results.find(({ problem }) => problem)?.problem?.text).toContain(`kernel-uname-r = ${KL}`);
    expect(await known()).toHaveLength(2);
    expect(registered(machine)).toEqual({ [KL]: false, [K1]: true, [K2]: true });
    expect(readdirSync(root.at(`var/lib/kpatch/${KL}`))).toHaveLength(1);
    // rpm does not know of it, so its own path stays empty.
    expect(fs.existsSync(root.at(`usr/lib/kpatch/${KL}`))).toBe(false);
    const [record] = readHistory(machine.root, machine.uid);
    expect(record?.actions.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
  });

  test('is not told again of what it knows, when a broken-off transaction is done again', async () => {
    let renames = 0;
    // Stopped where the first receipt is to be written: rpm has been told of both.
    const dying = machineOver(root.path, (what, file) => {
      if (what === 'write' && file.includes('/receipts/') && ++renames === 1) throw new Error('stopped');
    });
    await expect(run(dying, ['1-2', 'empty'], [K1, K2])).rejects.toThrow('stopped');
    const starts: string[] = [];
    const machine = machineOver(root.path, null, { run: counting(starts) });
    await changingRun(machine, null);
    expect(starts).toEqual(['-q']);
    expect(registered(machine)).toEqual({ [K1]: true, [K2]: true });
  });

  test('is not told of a kernel whose module could not be put in place, and the others are finished', async () => {
    mkdirSync(root.at('var/lib/kpatch'), { recursive: true });
    writeFileSync(root.at(`var/lib/kpatch/${K1}`), 'in the way');
    const machine = machineOver(root.path);
    const result = await run(machine, ['1-2', 'empty'], [K1, K2]);
    expect(refusals(result)[0]).toEqual(['put', K1, 'file-unwritable']);
    expect(await known()).toEqual(['kpatch-patch-5_14_0-427_16_1-0-0.el9_4.x86_64']);
    expect(registered(machine)).toEqual({ [K2]: true });
    const [record] = readHistory(machine.root, machine.uid);
    expect(record?.actions.map(({ kernel, outcome, error }) => [kernel, outcome, error?.code ?? null])).toEqual([
      [K1, 'failed', 'file-unwritable'],
      [K2, 'done', null],
    ]);
    rmSync(root.at(`var/lib/kpatch/${K1}`));
  });
});

test('what a power cut must not turn round is synced in between', async () => {
  const machine = machineOver(root.path);
  await changingRun(machine, await together(machine, ['1-1', 'below linked']));
  const work = await together(machine, ['1-2', 'linked']);
  const log: string[] = [];
  const name = (subject: unknown): string => {
    const text = typeof subject === 'number' ? `/proc/self/fd/${subject}` : String(subject);
    const through = /^\/proc\/self\/fd\/\d+/.exec(text)?.[0];
    const real = through ? fs.readlinkSync(through) + text.slice(through.length) : text;
    return path.relative(fs.realpathSync(root.path), real);
  };
  const spies = (['fsyncSync', 'fsync', 'renameSync', 'unlinkSync'] as const).map((call) => {
    const original = fs[call] as (...args: unknown[]) => unknown;
    return jest.spyOn(fs, call).mockImplementation(((...args: unknown[]) => {
      const told = args.at(-1);
      const note = (): void =>
        void log.push(`${call.replace('Sync', '')} ${name(args[call === 'renameSync' ? 1 : 0])}`);
      if (typeof told !== 'function') {
        note();
        return original.apply(fs, args);
      }
      // It counts when it has ended.
      return original.apply(fs, [
        ...args.slice(0, -1),
        (error: unknown) => {
          note();
          told(error);
        },
      ]);
    }) as never);
  });
  try {
    await changingRun(machine, work);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  const at = (what: RegExp): number[] => log.flatMap((line, n) => (what.test(line) ? [n] : []));
  const last = (what: RegExp): number => at(what).at(-1) ?? Number.NaN;
  const first = (what: RegExp): number => at(what)[0] ?? Number.NaN;
  const commit = first(/^rename .*\/journal\.json$/);
  // Every staged byte, and its name, before the commit; the commit before anything else.
  for (const hash of work.blobs.keys()) expect(first(new RegExp(`^fsync .*staging/${hash}$`))).toBeLessThan(commit);
  expect(at(/^fsync .*\/staging$/).some((n) => n < commit)).toBe(true);
  const put = new RegExp(`^rename var/lib/kpatch/${K1}/${MODULE}$`);
  expect(at(/^fsync var\/lib\/kpatch-pm$/).find((n) => n > commit)).toBeLessThan(first(put));
  // Both new levels before either old one goes.
  const gone = first(/^unlink var\/lib\/kpatch\//);
  for (const kernel of [K1, KL]) {
    const arrived = last(new RegExp(`^rename var/lib/kpatch/${kernel}/`));
    const synced = at(new RegExp(`^fsync var/lib/kpatch/${kernel}$`)).find((n) => n > arrived);
    expect(arrived).toBeLessThan(synced ?? -1);
    expect(synced).toBeLessThan(gone);
  }
  // All that was done before the journal goes; each directory of a kernel once for what came and once for what went.
  const cleared = first(/^unlink .*\/journal\.json$/);
  expect(last(/^fsync var\/lib\/kpatch\//)).toBeLessThan(cleared);
  expect(last(/^fsync .*\/receipts\//)).toBeLessThan(cleared);
  expect(at(new RegExp(`^fsync var/lib/kpatch/${K1}$`))).toHaveLength(2);
});

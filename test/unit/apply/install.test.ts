import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { keptFiles } from '../../../src/apply/retired.ts';
import { held } from '../../../src/apply/spool.ts';
import { installSteps, receiptOf, removeSteps, restoreSteps, settingStep } from '../../../src/apply/transactions.ts';
import type { KernelRelease } from '../../../src/domain/kernel.ts';
import { openState } from '../../../src/state/directory.ts';
import { readHolds } from '../../../src/state/holds.ts';
import { pendingJournal, writeJournal } from '../../../src/state/journal.ts';
import { readReceipts } from '../../../src/state/receipts.ts';
import type { Step } from '../../../src/state/steps.ts';
import { rootForEach } from '../../support/hooks.ts';
import { machineOver } from '../../support/machine.ts';
import { K1, levelRequest } from '../../support/packages.ts';
import { digestOf } from '../../support/repodata.ts';
import { changingRun, installed } from '../../support/transactions.ts';
import { treeOf } from '../../support/tree.ts';

const root = rootForEach(() => ({ rpmdb: false }));

const machine = () => machineOver(root.path);
/** Without the numbered records of the runs. */
const tree = () => treeOf(root.path, ['var/lib/kpatch-pm/history']);
const outcomes = (result: { results: readonly { outcome: string; step: { do: string } }[] } | null) =>
  result?.results.flatMap(({ outcome, step }) => (step.do === 'record' ? [] : [outcome]));
const ACTIVE = `var/lib/kpatch/${K1}`;

test('an install brings the module, its receipt, and nothing else', async () => {
  await changingRun(machine(), null);
  const before = tree();
  const request = await levelRequest('1-1');
  await changingRun(machine(), installSteps(request));
  const [module] = request.modules;
  expect(tree().filter((line) => !before.includes(line))).toEqual([
    `${ACTIVE}/ 755`,
    `${ACTIVE}/kpatch-5_14_0-427_13_1-1-1.ko 755 ${module?.mtime} ${module?.size} ${module?.sha256.slice(0, 16)}`,
    'var/lib/kpatch-pm/receipts/ 700',
    `var/lib/kpatch-pm/receipts/${K1}/ 700`,
    expect.stringMatching(/receipts\/.*\/kpatch-patch-5_14_0-427_13_1\.json 600 - /),
  ]);
  expect(readReceipts(machine().root, machine().uid)).toEqual([receiptOf(request)]);
});

test('done twice, it changes nothing the second time', async () => {
  const work = installSteps(await levelRequest('1-1'));
  expect(outcomes(await changingRun(machine(), work))).toEqual(['done', 'done']);
  const before = tree();
  expect(outcomes(await changingRun(machine(), work))).toEqual(['already', 'already']);
  expect(tree()).toEqual(before);
});

test('a file that was changed on disk is brought back', async () => {
  const work = installSteps(await levelRequest('1-1'));
  await changingRun(machine(), work);
  const before = tree();
  writeFileSync(root.at(`${ACTIVE}/kpatch-5_14_0-427_13_1-1-1.ko`), 'something else');
  expect((await installed(machine()))[0]).toMatchObject({ source: 'kpatch-pm', changed: true });
  await changingRun(machine(), work);
  expect(tree()).toEqual(before);
});

describe('an upgrade', () => {
  test('leaves the new level alone in the directory', async () => {
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const replaces = await installed(machine());
    await changingRun(machine(), installSteps({ ...(await levelRequest('1-2')), replaces }));
    expect(machine().root.list(ACTIVE)).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
    expect(await installed(machine())).toMatchObject([
      { module: 'kpatch_5_14_0_427_13_1_1_2', source: 'kpatch-pm', changed: false },
    ]);
  });

  test('brings the new module before the old one leaves', async () => {
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const replaces = await installed(machine());
    const seen: string[][] = [];
    const watched = machineOver(root.path, () => seen.push(machine().root.list(ACTIVE)));
    await changingRun(watched, installSteps({ ...(await levelRequest('1-2')), replaces }));
    for (const files of seen) expect(files.length).toBeGreaterThan(0);
  });

  test('that the kernel refuses is taken back, byte for byte', async () => {
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const before = tree();
    const [receipt] = readReceipts(machine().root, machine().uid);
    const request = { ...(await levelRequest('1-2')), replaces: await installed(machine()), keep: true };
    await changingRun(machine(), installSteps(request));
    const kept = keptFiles(machine().root, K1);
    expect(kept.map(({ file }) => file)).toEqual(['kpatch-5_14_0-427_13_1-1-1.ko']);
    await changingRun(machine(), restoreSteps(receiptOf({ ...request, before: receipt ?? null }), kept));
    expect(tree()).toEqual(before);
  });
});

describe('a removal', () => {
  const remove = async () => {
    const [patch] = await installed(machine());
    if (!patch?.package) throw new Error('nothing is installed');
    const hold = { kernel: K1, name: patch.package.name, since: '2026-01-01T00:00:00.000Z', why: 'remove' };
    return removeSteps({ kernel: K1, package: patch.package, patches: [patch], hold });
  };

  test('leaves var/lib/kpatch, and a hold', async () => {
    await changingRun(machine(), null);
    const before = tree();
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    await changingRun(machine(), await remove());
    expect(machine().root.exists('var/lib/kpatch')).toBe(true);
    const held = readHolds(machine().root, machine().uid);
    expect(held).toMatchObject([{ kernel: K1, name: 'kpatch-patch-5_14_0-427_13_1' }]);
    await changingRun(machine(), {
      steps: [{ do: 'unhold', kernel: K1, name: held[0]?.name ?? '' }],
      blobs: new Map(),
    });
    expect(tree()).toEqual(before);
  });

  test('never touches a foreign module beside it', async () => {
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const foreign = readFileSync(root.at(`${ACTIVE}/kpatch-5_14_0-427_13_1-1-1.ko`));
    writeFileSync(root.at(`${ACTIVE}/my-own.ko`), foreign);
    const patches = (await installed(machine())).filter(({ source }) => source === 'kpatch-pm');
    const pkg = patches[0]?.package;
    if (!pkg) throw new Error('nothing is installed');
    await changingRun(machine(), removeSteps({ kernel: K1, package: pkg, patches, hold: null }));
    expect(machine().root.list(ACTIVE)).toEqual(['my-own.ko']);
  });
});

describe('a transaction that was committed and not finished', () => {
  const commit = (steps: readonly Step[]) => {
    openState(machine());
    writeJournal(machine().root, { command: 'kpatch-pm auto', since: '2026-01-01T00:00:00.000Z', by: '1', steps });
  };

  test('whose staged bytes are gone keeps the old level, and ends', async () => {
    await changingRun(machine(), installSteps(await levelRequest('1-1')));
    const before = tree();
    const replaces = await installed(machine());
    commit(installSteps({ ...(await levelRequest('1-2')), replaces }).steps);
    const result = await changingRun(machine(), null);
    const own = result?.results.filter(({ step }) => step.do !== 'record');
    expect(own?.map(({ step, outcome, problem }) => [step.do, outcome, problem?.code])).toEqual([
      ['put', 'refused', 'blob-missing'],
      ['receipt', 'refused', 'blob-missing'],
      ['drop', 'refused', 'blob-missing'],
    ]);
    expect(tree()).toEqual(before);
  });

  test('is only reported to readers', () => {
    commit([{ do: 'forget', kernel: K1 }]);
    expect(pendingJournal(machine().root, machine().uid)?.command).toBe('kpatch-pm auto');
  });

  test.each<[string, object]>([
    ['outside the directories of modules', { do: 'put', place: 'active', kernel: K1, file: '../../x.ko' }],
    ['for a kernel that is a path', { do: 'forget', kernel: '../..' }],
    ['in a place of its own', { do: 'drop', place: 'etc', kernel: K1, file: 'a.ko' }],
    ['on a file that is no configuration', { do: 'setting', path: 'usr/bin/x', text: '' }],
    ['of a kind nobody knows', { do: 'format-disk' }],
  ])('is refused with a step %s', async (_, step) => {
    commit([step as Step]);
    await expect(changingRun(machine(), null)).rejects.toMatchObject({ code: 'state-damaged' });
    rmSync(root.at('var/lib/kpatch-pm/journal.json'));
    await expect(changingRun(machine(), { steps: [step as Step], blobs: new Map() })).rejects.toMatchObject({
      code: 'internal',
    });
  });
});

describe('a setting', () => {
  const CONF = 'etc/dnf/plugins/kpatch.conf';
  const work = (text: string | null, next: string) => ({ steps: [settingStep(CONF, text, next)], blobs: new Map() });

  test('is written when the file is as it was read, with its mode', async () => {
    const text = readFileSync(root.at(CONF), 'utf8');
    await changingRun(machine(), work(text, '[main]\nautoupdate = True\n'));
    expect(readFileSync(root.at(CONF), 'utf8')).toBe('[main]\nautoupdate = True\n');
    expect(tree().find((line) => line.startsWith(CONF))).toContain(' 644 ');
  });

  test("never overwrites somebody else's edit", async () => {
    const text = readFileSync(root.at(CONF), 'utf8');
    writeFileSync(root.at(CONF), 'edited meanwhile\n');
    const result = await changingRun(machine(), work(text, 'ours\n'));
    expect(result?.results[0]).toMatchObject({ outcome: 'refused', problem: { code: 'setting-changed' } });
    expect(readFileSync(root.at(CONF), 'utf8')).toBe('edited meanwhile\n');
  });

  test('goes through a link to the file behind it', async () => {
    mkdirSync(root.at('etc/shared'));
    writeFileSync(root.at('etc/shared/kpatch.conf'), 'old\n', { mode: 0o640 });
    rmSync(root.at(CONF));
    symlinkSync('/etc/shared/kpatch.conf', root.at(CONF));
    await changingRun(machine(), work('old\n', 'new\n'));
    expect(tree().filter((line) => line.includes('kpatch.conf'))).toEqual([
      `${CONF} -> /etc/shared/kpatch.conf`,
      expect.stringMatching(/^etc\/shared\/kpatch\.conf 640 /),
    ]);
    expect(readFileSync(root.at('etc/shared/kpatch.conf'), 'utf8')).toBe('new\n');
  });

  test('waits for what comes before it', async () => {
    const text = readFileSync(root.at(CONF), 'utf8');
    const { steps } = installSteps(await levelRequest('1-1'));
    openState(machine());
    const both = [...steps, settingStep(CONF, text, 'new\n')];
    writeJournal(machine().root, { command: 'x', since: 's', by: '1', steps: both });
    await changingRun(machine(), null);
    expect(readFileSync(root.at(CONF), 'utf8')).toBe(text);
  });
});

describe('a module of 70 MB', () => {
  const FILE = 'large.ko';
  const bytes = Buffer.alloc(70 * 1024 * 1024, 'a large module ');
  const sha256 = digestOf(bytes);
  const put: Step = {
    do: 'put',
    place: 'active',
    kernel: K1,
    file: FILE,
    sha256,
    size: bytes.length,
    mode: 0o644,
    mtime: 1700000000,
  };
  const isPlaced = () => digestOf(readFileSync(root.at(`${ACTIVE}/${FILE}`))) === sha256;

  test('that is superseded can come back', async () => {
    await changingRun(machine(), { steps: [put], blobs: new Map([[sha256, held(bytes)]]) });
    const drop: Step = { do: 'drop', place: 'active', kernel: K1, file: FILE, keep: true };
    await changingRun(machine(), { steps: [drop], blobs: new Map() });
    const kept = keptFiles(machine().root, K1);
    expect(kept).toMatchObject([{ file: FILE, sha256 }]);
    await changingRun(machine(), { steps: [put], blobs: new Map() });
    expect(isPlaced()).toBe(true);
  });

  test('is put in place by the next run where this one was killed', async () => {
    openState(machine());
    mkdirSync(root.at('var/lib/kpatch-pm/staging'));
    writeFileSync(root.at(`var/lib/kpatch-pm/staging/${sha256}`), bytes);
    writeJournal(machine().root, { command: 'x', since: '2026-01-01T00:00:00.000Z', by: '1', steps: [put] });
    expect(outcomes(await changingRun(machine(), null))).toEqual(['done']);
    expect(isPlaced()).toBe(true);
  });
});

test('var/lib/kpatch is made where it is missing', async () => {
  rmSync(root.at('var/lib/kpatch'), { recursive: true });
  await changingRun(machine(), installSteps(await levelRequest('1-1')));
  expect(machine().root.list(ACTIVE)).toEqual(['kpatch-5_14_0-427_13_1-1-1.ko']);
});

test('a directory in the place of the module is told, and the rest of the kernel left alone', async () => {
  mkdirSync(root.at(`${ACTIVE}/kpatch-5_14_0-427_13_1-1-1.ko/x`), { recursive: true });
  const result = await changingRun(machine(), installSteps(await levelRequest('1-1')));
  expect(outcomes(result)).toEqual(['refused', 'refused']);
  expect(readReceipts(machine().root, machine().uid)).toEqual([]);
  expect(pendingJournal(machine().root, machine().uid)).toBeNull();
});

test('a kernel of any shape', async () => {
  const kernel = '6.1.0-1.el9_0.custom1.x86_64+rt' as KernelRelease;
  const steps: Step[] = [{ do: 'unreceipt', kernel, name: 'kpatch-patch-x' }];
  expect(outcomes(await changingRun(machine(), { steps, blobs: new Map() }))).toEqual(['already']);
});

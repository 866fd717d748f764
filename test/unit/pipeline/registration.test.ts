// A run that was killed between installing and loading, or between loading and telling rpm: the next run that changes
// something tells the rpm database, so that rpm, scanners and dnf see the level that runs.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { type Run, realRun } from '../../../src/host/run.ts';
import { readHistory } from '../../../src/state/history.ts';
import { readReceipts } from '../../../src/state/receipts.ts';
import { rootForEach, serverForAll } from '../../support/hooks.ts';
import { K1 } from '../../support/packages.ts';
import { needs } from '../../support/programs.ts';
import { machineOver } from '../../support/transactions.ts';
import { killedBeforeLoad, liveWith } from '../../support/unproven.ts';
import { seen, verb } from '../../support/verb-runs.ts';

const NAME = 'kpatch-patch-5_14_0-427_13_1';
const MODULE = 'kpatch_5_14_0_427_13_1_1_2';
const LOADERS = ['insmod', 'modprobe', 'kpatch'];

const server = serverForAll();
const root = rootForEach(() => ({ url: server.url }));

async function known(): Promise<string[]> {
  const { stdout } = await realRun.run('rpm', ['--dbpath', root.at('var/lib/rpm'), '-qa', NAME]);
  return stdout.toString('utf8').trim().split('\n').sort();
}

async function killed(): Promise<void> {
  await killedBeforeLoad(root);
  expect(await known()).toEqual([`${NAME}-1-1.el9_4.x86_64`]);
}

const live = (...modules: string[]): Partial<Machine> => liveWith(root, ...modules);

function expectFinished(): void {
  const machine = machineOver(root.path);
  const [receipt] = readReceipts(machine.root, machine.uid);
  expect(receipt).toMatchObject({ registered: true, package: { release: '2.el9_4' } });
  expect(receipt).not.toHaveProperty('registration');
  expect(receipt).not.toHaveProperty('before');
  const files = (place: string): string[] => readdirSync(root.at(place));
  expect(files(`usr/lib/kpatch/${K1}`)).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
  expect(files(`var/lib/kpatch/${K1}`)).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
  expect(existsSync(root.at('var/lib/kpatch-pm/retired'))).toBe(false);
  expect(readHistory(machine.root, machine.uid)[0]).toMatchObject({
    exit: 0,
    actions: [{ do: 'register', outcome: 'done', package: { release: '2.el9_4' } }],
  });
}

needs('rpm')('registration that a killed run left undone', () => {
  test.each<[string, () => Partial<Machine>]>([
    ['of a system that is not running', () => ({})],
    ['of a running one whose kernel has the level', () => live(MODULE)],
  ])('is made up for: %s', async (_, more) => {
    await killed();
    await verb('install', [], { load: true })(machineOver(root.path, null, more()));
    expect(await known()).toEqual([`${NAME}-1-2.el9_4.x86_64`]);
    expectFinished();
    const { status, stdout } = await realRun.run('rpm', [
      '--root',
      root.path,
      '--dbpath',
      '/var/lib/rpm',
      '-V',
      '--nodeps',
      NAME,
    ]);
    expect({ status, text: stdout.toString('utf8') }).toEqual({ status: 0, text: '' });
  });

  test('waits where the running kernel has not taken the level yet', async () => {
    await killed();
    // Nothing loads modules here: the load of this run fails, and the level stays unproven.
    await verb('install', [], { load: true })(
      machineOver(root.path, null, { ...live('kpatch_5_14_0_427_13_1_1_1'), run: withoutLoading }),
    );
    expect(await known()).toEqual([`${NAME}-1-1.el9_4.x86_64`]);
    const machine = machineOver(root.path);
    expect(readReceipts(machine.root, machine.uid)[0]).toMatchObject({ registration: 'pending', registered: false });
  });

  test('is not tried by verbs that ask no repository', async () => {
    await killed();
    await verb('auto-filter')(machineOver(root.path));
    expect(await known()).toEqual([`${NAME}-1-1.el9_4.x86_64`]);
  });

  test('is told where the package is not to be had any more, with what to do', async () => {
    await killed();
    writeFileSync(root.at('etc/dnf/dnf.conf'), `[main]\nexcludepkgs=nothing\n`);
    writeFileSync(root.at('etc/yum.repos.d/fixtures.repo'), '');
    const said = await seen(machineOver(root.path), verb('install'));
    expect(said).toContainEqual(
      expect.stringMatching(/does not know .*1-2.* was interrupted: .* To make up for it: kpatch-pm reinstall/),
    );
    expect(await known()).toEqual([`${NAME}-1-1.el9_4.x86_64`]);
  });

  test('is told by verbs that only look', async () => {
    await killed();
    const notices = await seen(machineOver(root.path), verb('install', [], { dryRun: true }));
    expect(notices).toContainEqual(
      `An earlier run was interrupted before it told the rpm database of ${NAME}-1-2.el9_4.x86_64; the next run that changes something does it.`,
    );
  });
});

/** The real programs, but for those that load modules: they are not there, and that is no word of the kernel's. */
const withoutLoading: Run = {
  ...realRun,
  which: (program) => (LOADERS.includes(program) ? null : realRun.which(program)),
  run: (program, args, options) =>
    LOADERS.includes(program)
      ? Promise.reject(new KpmError('program-missing', { text: `${program} is not installed.`, subject: program }))
      : realRun.run(program, args, options),
};

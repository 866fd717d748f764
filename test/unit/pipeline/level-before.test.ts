// A level that the running kernel refuses, or that takes the machine down, gives way to the level before: in the run that
// installed it, in a later one where that was killed, and at the next boot. A level installed again is its own level before.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type InstallRequest, installSteps, receiptOf } from '../../../src/apply/transactions.ts';
import { main } from '../../../src/cli/main.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { Root } from '../../../src/host/root.ts';
import { type Run, realRun } from '../../../src/host/run.ts';
import { writeAttempts } from '../../../src/state/attempts.ts';
import { openState } from '../../../src/state/directory.ts';
import { readReceipts } from '../../../src/state/receipts.ts';
import { rootForEach, serverForAll } from '../../support/hooks.ts';
import { listener, machineOver } from '../../support/machine.ts';
import { K1, levelRequest } from '../../support/packages.ts';
import { surroundings } from '../../support/surroundings.ts';
import { changingRun } from '../../support/transactions.ts';
import { killedBeforeLoad, liveWith, showActive } from '../../support/unproven.ts';
import { verb } from '../../support/verb-runs.ts';

const NAME = 'kpatch-patch-5_14_0-427_13_1';
const [OLD, NEW] = ['kpatch-5_14_0-427_13_1-1-1.ko', 'kpatch-5_14_0-427_13_1-1-2.ko'];

const server = serverForAll();
const root = rootForEach(() => ({ url: server.url }));
beforeEach(() => {
  mkdirSync(root.at('sys/kernel/livepatch'), { recursive: true });
});

const list = (place: string): string[] => (existsSync(root.at(place)) ? readdirSync(root.at(place)) : []);
const active = (): string[] => list(`var/lib/kpatch/${K1}`);
const retired = (): string[] => list(`var/lib/kpatch-pm/retired/${K1}`);
const receipts = () => readReceipts(new Root(root.path), 0).filter(({ kernel }) => kernel === K1);

const answer = (status: number, stderr = ''): ReturnType<Run['run']> =>
  Promise.resolve({ status, signal: null, stdout: Buffer.alloc(0), stderr });

/** Programs as they are, but for those that have to do with the kernel: it refuses every module. */
const refusing: Run = {
  ...realRun,
  run: (program, args, options) => {
    if (program === 'insmod') return answer(1, 'insmod: ERROR: could not insert module: Unknown symbol in module');
    return ['dmesg', 'journalctl'].includes(program) ? answer(0) : realRun.run(program, args, options);
  },
};

/** The running system, its kernel with these modules in it. */
const live = (...modules: string[]): Partial<Machine> => ({ ...liveWith(root, ...modules), run: refusing });

async function run(name: 'install' | 'reinstall', words: string[], on: Partial<Machine>): Promise<string[]> {
  const ui = listener();
  await verb(name, words, { load: true })(machineOver(root.path, null, on), ui);
  return ui.warnings;
}

async function killed(): Promise<InstallRequest> {
  const request = await killedBeforeLoad(root);
  expect([active(), retired()]).toEqual([[NEW], [OLD]]);
  return request;
}

function expectOld(): void {
  expect([active(), retired()]).toEqual([[OLD], []]);
  expect(receipts().map(({ package: { release } }) => release)).toEqual(['1.el9_4']);
  expect(receipts()[0]).not.toHaveProperty('registration');
}

describe('refused by the running kernel', () => {
  test('in the run that installs it', async () => {
    await changingRun(machineOver(root.path), installSteps({ ...(await levelRequest('1-1')), register: true }));
    const said = await run('install', [], live('kpatch_5_14_0_427_13_1_1_1'));
    expect(said).toContain(`The kernel refused ${NAME}; the level before is installed again.`);
    expectOld();
  });

  test('in a run after one that was killed', async () => {
    await killed();
    const said = await run('install', [], live('kpatch_5_14_0_427_13_1_1_1'));
    expect(said).toContain(
      `The kernel refused ${NAME}, which an interrupted run had installed; the level before is installed again.`,
    );
    expectOld();
  });

  test('where dnf had installed the level before', async () => {
    await changingRun(machineOver(root.path), installSteps({ ...(await levelRequest('1-1')), register: true }));
    rmSync(root.at(`var/lib/kpatch-pm/receipts/${K1}`), { recursive: true });
    const said = await run('install', [], live('kpatch_5_14_0_427_13_1_1_1'));
    expect(said).toContain(`The kernel refused ${NAME}; the level before is installed again.`);
    expect([active(), retired(), receipts()]).toEqual([[OLD], [], []]);
  });

  test('where there was none before', async () => {
    const said = await run('install', [], live());
    expect(said).toContain(`The kernel refused ${NAME}; it was taken away again.`);
    expect([active(), retired(), receipts()]).toEqual([[], [], []]);
  });

  test('installed again, it stays', async () => {
    await verb('install', [NAME])(machineOver(root.path));
    const [receipt] = receipts();
    const said = await run('reinstall', [NAME], live());
    expect(said.filter((text) => /taken away|level before/.test(text))).toEqual([]);
    expect([active(), retired()]).toEqual([[NEW], []]);
    expect(receipts()[0]).toMatchObject({ files: receipt?.files, registered: receipt?.registered });
    expect(receipts()[0]).not.toHaveProperty('before');
  });
});

describe('a crash while it was being loaded', () => {
  test('brings the level before back at the next boot', async () => {
    const { modules } = await killed();
    const [{ module, file, sha256 }] = modules as [(typeof modules)[number]];
    const put = (name: string, text: string): void => {
      mkdirSync(path.dirname(root.at(name)), { recursive: true });
      writeFileSync(root.at(name), text);
    };
    put('proc/cmdline', 'root=/dev/vda kpatch.enable=0\n');
    put('proc/sys/kernel/random/boot_id', 'this-boot\n');
    put('sys/fs/pstore/dmesg-efi-170000001', 'Panic#2 Part1\n');
    const since = '2026-01-01T12:00:00Z';
    const attempt = { kernel: K1, module, file, sha256, since, bootId: 'last-boot', strikes: 0 };
    writeAttempts(openState(machineOver(root.path)), { attempts: [attempt], proven: [] });
    const around = () => surroundings({ hostPath: root.path, uname: K1, now: '2026-01-02T00:00:00Z' });
    const boot = around();
    await main(['boot'], boot);
    expect(boot.stdout.text + boot.stderr.text).toContain(
      `The level before ${NAME}-1-2.el9_4.x86_64 is installed again.`,
    );
    expectOld();
    expect(list(`var/lib/kpatch-pm/quarantine/${K1}`)).toEqual([NEW]);
    const status = around();
    await main(['status'], status);
    expect(status.stdout.text).toContain(`kpatch-pm quarantine clear ${module}`);
    expect(status.stdout.text).not.toMatch(/kpatch-pm install\b/);
  });
});

test('a proven level gives up what was kept', async () => {
  const request = await killed();
  expect(receiptOf(request).before).toMatchObject({ package: { release: '1.el9_4' } });
  await verb('install', [], { load: true })(
    machineOver(root.path, null, { ...live('kpatch_5_14_0_427_13_1_1_2'), run: realRun }),
  );
  expect([active(), retired()]).toEqual([[NEW], []]);
  expect(receipts()[0]).not.toHaveProperty('before');
});

test('the same where there is no rpm database to be told, once it has loaded', async () => {
  await killed();
  rmSync(root.at('var/lib/rpm'), { recursive: true });
  const file = `var/lib/kpatch-pm/receipts/${K1}/${NAME}.json`;
  const { registration: _, ...receipt } = JSON.parse(readFileSync(root.at(file), 'utf8'));
  writeFileSync(root.at(file), JSON.stringify(receipt));
  const loading: Run = {
    ...refusing,
    run: (program, args, options) => {
      if (program !== 'insmod') return refusing.run(program, args, options);
      showActive(root, 'kpatch_5_14_0_427_13_1_1_2');
      return answer(0);
    },
  };
  await run('install', [], { ...live(), run: loading });
  expect([active(), retired()]).toEqual([[NEW], []]);
  expect(receipts()[0]).not.toHaveProperty('before');
});

// The boot verb over a directory that plays the running system: everything but the loading itself, which real kernels show
// (test/vm). kpatch.enable=0 keeps it from asking this machine's kernel.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadGuarded, markHealthy } from '../../../src/apply/guard.ts';
import { installSteps } from '../../../src/apply/transactions.ts';
import { main } from '../../../src/cli/main.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { Root } from '../../../src/host/root.ts';
import { crashEvidence } from '../../../src/observe/system/crashes.ts';
import { readAttempts, withAttempt, withProven, writeAttempts } from '../../../src/state/attempts.ts';
import { openState } from '../../../src/state/directory.ts';
import { writeJournal } from '../../../src/state/journal.ts';
import { readQuarantine } from '../../../src/state/quarantine.ts';
import { machineOver } from '../../support/machine.ts';
import { K1, levelRequest } from '../../support/packages.ts';
import { surroundings } from '../../support/surroundings.ts';
import { changingRun } from '../../support/transactions.ts';

let dir: string;
let machine: Machine;
const DIRECTORY = `var/lib/kpatch/${K1}`;
const ONE = 'kpatch-5_14_0-427_13_1-1-1.ko';
const TWO = 'kpatch-5_14_0-427_13_1-1-2.ko';
const put = (name: string, text: string | Buffer, time?: Date): void => {
  mkdirSync(path.join(dir, path.dirname(name)), { recursive: true });
  writeFileSync(path.join(dir, name), text);
  if (time) utimesSync(path.join(dir, name), time, time);
};
const files = (): string[] => new Root(dir).list(DIRECTORY);

beforeEach(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-boot-'));
  put('proc/cmdline', 'root=/dev/vda kpatch.enable=0\n');
  put('proc/sys/kernel/random/boot_id', 'this-boot\n');
  mkdirSync(path.join(dir, 'sys/kernel/livepatch'), { recursive: true });
  machine = machineOver(dir, null, { host: new Root(dir), live: true, uname: K1 });
  await changingRun(machine, installSteps(await levelRequest('1-2')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function run(...args: string[]) {
  const around = surroundings({ hostPath: dir, uname: K1, now: '2026-01-02T00:00:00Z' });
  const status = await main(args, around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}

/** The marker a boot leaves that ended while the installed level was being loaded. */
async function marked(since = '2026-01-01T12:00:00Z', strikes = 0): Promise<string> {
  const [module] = (await levelRequest('1-2')).modules;
  if (!module) throw new Error('the level has no module');
  const attempt = { kernel: K1, module: module.module, file: module.file, sha256: module.sha256, since };
  writeAttempts(openState(machine), { attempts: [{ ...attempt, bootId: 'last-boot', strikes }], proven: [] });
  return module.module;
}

describe('crash guard at boot', () => {
  test('no marker: whatever crashed, nothing is quarantined', async () => {
    put('sys/fs/pstore/dmesg-efi-1', 'Panic#1 Part1\n');
    expect(await run('boot')).toMatchObject({ status: 0 });
    expect(files()).toEqual([TWO]);
  });

  test('a power cut: the marker, and no trace: the module stays and is tried again', async () => {
    await marked();
    const { status, err } = await run('boot');
    expect(status).toBe(0);
    expect(err).toContain('without a trace of a crash; it is tried again');
    expect(files()).toEqual([TWO]);
    expect(readAttempts(machine.root, machine.uid).attempts).toMatchObject([{ bootId: null, strikes: 1 }]);
    // Judged once: the next boots without an attempt of their own change nothing.
    expect(await run('boot')).toMatchObject({ status: 0 });
    expect(readAttempts(machine.root, machine.uid).attempts).toMatchObject([{ bootId: null, strikes: 1 }]);
  });

  const traces: [string, () => void][] = [
    ['a crash log of the firmware', () => put('sys/fs/pstore/dmesg-efi-170000001', 'Panic#2 Part1\n')],
    ['one that systemd moved', () => put('var/lib/systemd/pstore/1700/001/dmesg.txt', 'Oops#1 Part1\n')],
    ['a crash dump', () => put('var/crash/127.0.0.1-2026-01-01-12:00:09/vmcore', 'dump')],
    [
      'a crash dump where kdump.conf says',
      () => {
        put('etc/kdump.conf', '# comment\npath /srv/dumps\n');
        put('srv/dumps/here/vmcore-incomplete', 'dump');
      },
    ],
  ];
  test.each(traces)('the marker and %s: that module is quarantined', async (_name, trace) => {
    const module = await marked();
    trace();
    const { status, err } = await run('boot');
    expect(status).toBe(1);
    expect(err).toContain(`${module} is quarantined`);
    expect(files()).toEqual([]);
    expect(existsSync(path.join(dir, 'var/lib/kpatch-pm/quarantine', K1, TWO))).toBe(true);
    expect(readQuarantine(machine.root, machine.uid)).toMatchObject([
      { kernel: K1, module, file: TWO, package: 'kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64' },
    ]);
    expect(readAttempts(machine.root, machine.uid).attempts).toEqual([]);
    // It stays so, and says so, boot after boot, until it is cleared.
    expect(await run('boot')).toMatchObject({ status: 1, err: expect.stringContaining('kpatch-pm quarantine clear') });
  });

  test('a trace from before the marker, or of an orderly restart, is none', async () => {
    await marked();
    put('sys/fs/pstore/dmesg-efi-1', 'Panic#1 Part1\n', new Date('2026-01-01T11:59:59Z'));
    put('sys/fs/pstore/dmesg-efi-2', 'Restart#1 Part1\n');
    put('sys/fs/pstore/console-ramoops-0', 'whatever the console said\n');
    expect(crashEvidence(machine.root, machine.host).map((one) => path.basename(one.path))).toEqual(['dmesg-efi-1']);
    expect(await run('boot')).toMatchObject({ status: 0 });
    expect(files()).toEqual([TWO]);
  });

  test('the same end twice without a trace', async () => {
    await marked('2026-01-01T12:00:00Z', 1);
    expect(await run('boot')).toMatchObject({ status: 1 });
    expect(files()).toEqual([]);
  });

  test('status tells, clear brings the very file back, another module of that name is left alone', async () => {
    const module = await marked();
    const before = readFileSync(path.join(dir, DIRECTORY, TWO));
    put('sys/fs/pstore/dmesg-efi-1', 'Panic#1 Part1\n');
    await run('boot');
    const status = await run('status', '--json');
    const [kernel] = JSON.parse(status.out).kernels;
    expect(kernel).toMatchObject({ verdict: 'quarantined', next: [`kpatch-pm quarantine clear ${module}`] });
    expect((await run('quarantine')).out).toContain(`${module} (${K1})\n`);
    expect(await run('quarantine', 'clear', 'nosuch')).toMatchObject({ status: 1 });
    expect(await run('quarantine', 'clear', module)).toMatchObject({ status: 0 });
    expect(readFileSync(path.join(dir, DIRECTORY, TWO))).toEqual(before);
    expect((await run('quarantine', 'list')).out).toBe('Nothing is in quarantine.\n');
    // Once: what was refused changed nothing.
    const { transactions } = JSON.parse((await run('history', '--json')).out);
    expect(transactions.filter(({ command }: { command: string }) => command !== 'test')).toMatchObject([
      {
        command: `quarantine clear ${module}`,
        exit: 0,
        actions: [{ do: 'clear-quarantine', kernel: K1, module, outcome: 'done' }],
      },
    ]);
    expect((await run('history', 'info', 'last')).out).toContain(`\n    Out of quarantine ${module} for\n`);
    expect((await run('history', 'undo', '-y', 'last')).err).toContain('was given another chance');
    expect(await run('boot')).toMatchObject({ status: 0 });
  });

  test('cleared when another level is installed: it does not return', async () => {
    const module = await marked();
    put('sys/fs/pstore/dmesg-efi-1', 'Panic#1 Part1\n');
    await run('boot');
    await changingRun(machine, installSteps(await levelRequest('1-1')));
    expect(await run('quarantine', 'clear', module)).toMatchObject({ status: 0 });
    expect(files()).toEqual([ONE]);
    expect(existsSync(path.join(dir, 'var/lib/kpatch-pm/quarantine'))).toBe(false);
  });

  test('who may not read the list is not told that it is empty', async () => {
    await marked();
    put('sys/fs/pstore/dmesg-efi-1', 'Panic#1 Part1\n');
    await run('boot');
    const around = { ...surroundings({ hostPath: dir, uname: K1 }), uid: machine.uid + 4711 };
    expect(await main(['quarantine'], around)).toBe(1);
    expect(around.stdout.text).toBe('');
    expect(around.stderr.text).toContain('can be read by root only.\n  Run: sudo kpatch-pm quarantine');
  });

  test('a quarantined file that came back is taken out again; another file of that name is not', async () => {
    await marked();
    put('sys/fs/pstore/dmesg-efi-1', 'Panic#1 Part1\n');
    await run('boot');
    put(`${DIRECTORY}/${TWO}`, readFileSync(path.join(dir, 'var/lib/kpatch-pm/quarantine', K1, TWO)));
    await run('boot');
    expect(files()).toEqual([]);
    put(`${DIRECTORY}/${TWO}`, 'a new build\n');
    await run('boot');
    expect(files()).toEqual([TWO]);
  });
});

describe('the marker', () => {
  const load = (proof: 'now' | 'later') =>
    loadGuarded(openState(machine), {
      machine,
      kernel: K1,
      file: `${DIRECTORY}/${TWO}`,
      module: 'kpatch_5_14_0_427_13_1_1_2',
      sha256: null,
      loader: 'builtin',
      utility: { path: null, version: null },
      proof,
    });

  test('a load that is refused leaves none: the machine lives', async () => {
    await expect(load('now')).rejects.toMatchObject({ code: 'loading-forbidden' });
    expect(existsSync(path.join(dir, 'var/lib/kpatch-pm/attempts.json'))).toBe(false);
  });

  test('nor does one in a container or another root, where no kernel is known; a typed load does not even make our directory', async () => {
    const elsewhere = machineOver(dir, null, { host: new Root(dir), live: false, uname: null });
    const request = {
      machine: elsewhere,
      kernel: '' as typeof K1,
      file: `${DIRECTORY}/${TWO}`,
      module: 'm',
      sha256: null,
    };
    const utility = { path: null, version: null };
    await expect(
      loadGuarded(openState(elsewhere), { ...request, loader: 'builtin', utility, proof: 'now' }),
    ).rejects.toMatchObject({ code: 'loading-forbidden' });
    expect(existsSync(path.join(dir, 'var/lib/kpatch-pm/attempts.json'))).toBe(false);
    put('image/root/x.ko', readFileSync(path.join(dir, DIRECTORY, TWO)));
    const image = path.join(dir, 'image');
    mkdirSync(path.join(image, 'var/lib'), { recursive: true });
    const { status, err } = await run('--installroot', image, 'module', 'load', '/image/root/x.ko');
    expect(status).toBe(1);
    expect(err).toContain('is not the running system');
    expect(existsSync(path.join(image, 'var/lib/kpatch-pm'))).toBe(false);
  });

  test('what proved healthy gets none again; what this boot began is healthy some time later', async () => {
    const state = openState(machine);
    const one = { kernel: K1, module: 'm', file: TWO, sha256: 'f'.repeat(64), since: '2026-01-01T12:00:00Z' };
    const tried = withAttempt({ format: 1, attempts: [], proven: [] }, { ...one, bootId: 'this-boot' });
    writeAttempts(state, tried);
    expect(markHealthy(state, machine.host)).toEqual(['m']);
    const after = readAttempts(machine.root, machine.uid);
    expect(after).toMatchObject({ attempts: [], proven: [{ kernel: K1, sha256: one.sha256 }] });
    expect(withAttempt(after, { ...one, bootId: 'next-boot' })).toEqual(after);
    expect(withProven(after, one)).toEqual(after);
    // A marker of another boot is not this boot's to clear.
    writeAttempts(state, {
      attempts: [{ ...one, sha256: 'e'.repeat(64), bootId: 'last-boot', strikes: 0 }],
      proven: [],
    });
    expect(markHealthy(state, machine.host)).toEqual([]);
  });

  test('a quarantined module is not loaded by hand either', async () => {
    await marked();
    put('sys/fs/pstore/dmesg-efi-1', 'Panic#1 Part1\n');
    await run('boot');
    put(`${DIRECTORY}/${TWO}`, readFileSync(path.join(dir, 'var/lib/kpatch-pm/quarantine', K1, TWO)));
    await expect(load('now')).rejects.toMatchObject({ code: 'quarantined' });
  });
});

describe('what else a boot does', () => {
  test('finishes an open journal before anything is loaded', async () => {
    const { steps } = installSteps(await levelRequest('1-1'));
    const bytes = (await levelRequest('1-1')).modules[0]?.source.read() as Buffer;
    put(`var/lib/kpatch-pm/staging/${(await levelRequest('1-1')).modules[0]?.sha256}`, bytes);
    writeJournal(machine.root, { command: 'kpatch-pm auto', since: '2026-01-01T00:00:00Z', by: '0', steps });
    const { status, err } = await run('boot');
    expect(status).toBe(0);
    expect(err).toContain('Finishing what was begun at 2026-01-01 00:00:00 UTC');
    expect(existsSync(path.join(dir, 'var/lib/kpatch-pm/journal.json'))).toBe(false);
  });

  test('leaves one level, and nobody’s modules', async () => {
    const [lower] = (await levelRequest('1-1')).modules;
    put(`${DIRECTORY}/${ONE}`, lower?.source.read() ?? '');
    put(`${DIRECTORY}/own-fix.ko`, 'somebody made this\n');
    const { status, err } = await run('boot');
    expect(status).toBe(0);
    expect(err).toContain('is a lower level beside a higher one');
    expect(files()).toEqual([TWO, 'own-fix.ko']);
    expect(existsSync(path.join(dir, 'var/lib/kpatch-pm/superseded', K1, ONE))).toBe(true);
  });

  test('says why nothing is loaded: the kernel command line, or kpatch.service', async () => {
    expect((await run('boot')).err).toContain('kpatch.enable=0');
    put('proc/cmdline', 'quiet\n');
    put('usr/lib/systemd/system/kpatch.service', '[Unit]\n');
    expect((await run('boot')).err).toContain('Nothing is loaded: kpatch.service is disabled.');
  });

  test('a damaged state file is told, and the rest still happens', async () => {
    put('var/lib/kpatch-pm/journal.json', '{');
    const [lower] = (await levelRequest('1-1')).modules;
    put(`${DIRECTORY}/${ONE}`, lower?.source.read() ?? '');
    const { status, err } = await run('boot');
    expect(status).toBe(1);
    expect(err).toContain('journal.json');
    expect(files()).toEqual([TWO]);
  });
});

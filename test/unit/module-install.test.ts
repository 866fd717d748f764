// `module install` and `uninstall` with real modules: what they put, take, hold and refuse.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { installSteps } from '../../src/apply/transactions.ts';
import { main } from '../../src/cli/main.ts';
import { Root } from '../../src/host/root.ts';
import { HOLDS, readHolds } from '../../src/state/holds.ts';
import { writeJournal } from '../../src/state/journal.ts';
import { readReceipts } from '../../src/state/receipts.ts';
import { machineOver } from '../support/machine.ts';
import { K1, levelRequest } from '../support/packages.ts';
import { needs } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';
import { changingRun } from '../support/transactions.ts';

const uid = process.getuid?.() ?? 0;
const FILE = 'kpatch-5_14_0-427_13_1-1-2.ko';
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-module-'));
  mkdirSync(path.join(dir, 'root'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function module(...words: string[]) {
  const around = surroundings({ hostPath: dir, directory: '/root', uname: K1 });
  const status = await main(['module', ...words], around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}
const there = (kernel: string = K1): string[] => new Root(dir).list(`var/lib/kpatch/${kernel}`);

test('install puts the very bytes, for its kernel only, once, and leaves nothing else behind', async () => {
  const [made] = (await levelRequest('1-2')).modules;
  writeFileSync(path.join(dir, 'root', FILE), made?.source.read() ?? '');
  const other = '5.14.0-1.el9.x86_64';
  expect(await module('install', '-k', other, FILE)).toEqual({
    status: 1,
    out: '',
    err: `kpatch: invalid module version ${K1} for kernel ${other}\n`,
  });
  expect(await module('install', FILE)).toEqual({ status: 0, out: `installing ${FILE} (${K1})\n`, err: '' });
  expect(readFileSync(path.join(dir, 'var/lib/kpatch', K1, FILE))).toEqual(made?.source.read());
  expect(await module('install', `--kernel-version=${K1}`, `/root/${FILE}`)).toEqual({
    status: 1,
    out: '',
    err: `kpatch: /root/${FILE} is already installed\n`,
  });
  expect(there()).toEqual([FILE]);
  expect(there(other)).toEqual([]);
  expect(readdirSync(path.join(dir, 'var/lib/kpatch-pm/staging'))).toEqual([]);
  // Nobody's package: taken away without a hold.
  expect(await module('uninstall', made?.module ?? '')).toMatchObject({ status: 0, err: '' });
  expect(there()).toEqual([]);
  expect(readHolds(new Root(dir), uid)).toEqual([]);
});

test('uninstall of what a package brought is a hold, so that automatic runs leave it away', async () => {
  const machine = machineOver(dir);
  await changingRun(machine, installSteps(await levelRequest('1-2')));
  expect(await module('uninstall', FILE)).toEqual({ status: 0, out: `uninstalling ${FILE} (${K1})\n`, err: '' });
  expect(there()).toEqual([]);
  expect(readReceipts(machine.root, uid)).toEqual([]);
  expect(readHolds(machine.root, uid)).toMatchObject([{ kernel: K1, name: 'kpatch-patch-5_14_0-427_13_1' }]);
});

test('without a running kernel of its own a root wants -k; load --all says why it loads nothing', async () => {
  const image = path.join(dir, 'image');
  mkdirSync(image);
  const [made] = (await levelRequest('1-2')).modules;
  writeFileSync(path.join(dir, 'root', FILE), made?.source.read() ?? '');
  const around = async (...words: string[]) => {
    const seen = surroundings({ hostPath: dir, directory: '/root', uname: K1 });
    const status = await main(['--installroot', image, 'module', ...words], seen);
    return { status, err: seen.stderr.text };
  };
  const missing = { status: 1, err: 'kpatch: no kernel runs in this root; name the one that is meant: -k KVER\n' };
  expect(await around('install', FILE)).toEqual(missing);
  expect(await around('uninstall', FILE)).toEqual(missing);
  expect(await around('load', '--all')).toEqual({ status: 0, err: '' });
  expect(await around('install', '-k', K1, FILE)).toMatchObject({ status: 0 });
  const { status, err } = await around('load', '--all');
  expect(status).toBe(1);
  expect(err).toMatch(/^kpatch: nothing was loaded: .* is not the running system/);
});

test('what an earlier run left is finished first; where holds cannot be read nothing is taken away', async () => {
  const machine = machineOver(dir);
  await changingRun(machine, installSteps(await levelRequest('1-2')));
  const hold = { kernel: K1, name: 'kpatch-patch-other', since: '2026-01-01T00:00:00Z', why: 'removed' };
  const journal = { command: 'kpatch-pm remove', since: '2026-01-01T00:00:00Z', by: '0' };
  writeJournal(machine.root, { ...journal, steps: [{ do: 'hold', hold }] });
  writeFileSync(path.join(dir, 'root', 'own.ko'), readFileSync(path.join(dir, 'var/lib/kpatch', K1, FILE)));
  const { status, err } = await module('install', 'own.ko');
  expect(status).toBe(0);
  expect(err).toContain('Finishing what was begun at 2026-01-01 00:00:00 UTC (kpatch-pm remove).');
  expect(readHolds(machine.root, uid)).toEqual([hold]);
  machine.root.write(HOLDS, '{');
  expect(await module('uninstall', FILE)).toMatchObject({ status: 1, err: expect.stringContaining('holds.json') });
  expect(there()).toEqual([FILE, 'own.ko']);
});

needs('modinfo')('info', () => {
  test('info shows what the module says of itself', async () => {
    const [made] = (await levelRequest('1-2')).modules;
    writeFileSync(path.join(dir, 'root', FILE), made?.source.read() ?? '');
    const { status, out } = await module('info', FILE);
    expect(status).toBe(0);
    expect(out).toMatch(new RegExp(`^Patch information for ${FILE}:\n`));
    expect(out).toContain(`${K1} `);
  });
});

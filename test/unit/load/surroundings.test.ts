// What is asked before anything is inserted: the place, the file, the kernel, the level, the loader.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadingForbidden } from '../../../src/apply/load/forbidden.ts';
import { logSince, markLog } from '../../../src/apply/load/klog.ts';
import { compareLevels } from '../../../src/apply/load/level.ts';
import { type LoadRequest, loadModule, unloadModule } from '../../../src/apply/load/load.ts';
import { chooseLoader } from '../../../src/apply/load/loader.ts';
import type { KernelRelease } from '../../../src/domain/kernel.ts';
import { KpmError } from '../../../src/errors.ts';
import { canSignal, isResident, livepatches, refcount, stalledTasks } from '../../../src/host/livepatch.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { Root } from '../../../src/host/root.ts';
import { realRun } from '../../../src/host/run.ts';
import { loadedPatches } from '../../../src/observe/system/loaded.ts';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'kpm-load-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function put(files: Record<string, string>): Root {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(directory, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  return new Root(directory);
}

const RELEASE = '5.14.0-362.8.1.el9_3.x86_64' as KernelRelease;

function machine(root: Root, more: Partial<Machine> = {}): Machine {
  return {
    root,
    host: root,
    run: realRun,
    now: () => new Date(),
    env: {},
    live: true,
    uname: RELEASE,
    arch: 'x86_64',
    uid: 0,
    user: 'root',
    version: '0',
    ...more,
  };
}

const L = 'sys/kernel/livepatch';

describe('what sysfs says', () => {
  test('nothing where there is nothing', () => {
    const root = put({});
    expect(loadedPatches(root)).toEqual([]);
    expect(stalledTasks(root, 1)).toEqual([]);
    expect([isResident(root, 'm'), refcount(root, 'm'), canSignal(root, 'm')]).toEqual([false, null, false]);
  });
  test('every attribute may be missing', () => {
    const root = put({
      [`${L}/a/enabled`]: '1\n',
      [`${L}/a/transition`]: '0\n',
      [`${L}/b/enabled`]: '0\n',
      [`${L}/b/transition`]: '1\n',
      [`${L}/b/signal`]: '',
      [`${L}/old/enabled`]: '1\n',
      [`${L}/odd/vmlinux/patched`]: '1\n',
      'sys/module/a/refcnt': '1\n',
      'sys/module/odd/refcnt': 'many\n',
    });
    expect(livepatches(root)).toEqual([
      { module: 'a', enabled: true, transition: false },
      { module: 'b', enabled: false, transition: true },
      { module: 'odd', enabled: false, transition: false },
      { module: 'old', enabled: true, transition: false },
    ]);
    expect([refcount(root, 'a'), refcount(root, 'odd'), refcount(root, 'b')]).toEqual([1, null, null]);
    expect([canSignal(root, 'a'), canSignal(root, 'b')]).toEqual([false, true]);
  });
  test('tasks in the way are those on the other side, thread by thread', () => {
    const root = put({
      'proc/7/task/7/patch_state': '1\n',
      'proc/7/task/7/comm': 'done\n',
      'proc/8/task/8/patch_state': '-1\n',
      'proc/9/task/9/patch_state': '1\n',
      'proc/9/task/10/patch_state': '0\n',
      'proc/9/task/10/comm': 'worker\n',
      'proc/9/task/10/stack': '[<0>] linger_wait+0x3e/0x90 [linger]\n[<0>] kthread+0xd7/0x100\n',
      'proc/11/task/11/patch_state': '0\n',
      'proc/uptime': '1 1\n',
    });
    expect(stalledTasks(root, 1)).toEqual([
      { tid: 11, comm: '?', stack: [] },
      { tid: 10, comm: 'worker', stack: ['linger_wait+0x3e/0x90 [linger]', 'kthread+0xd7/0x100'] },
    ]);
    expect(stalledTasks(root, 0).map((task) => task.tid)).toEqual([7, 9]);
  });
});

describe('places where nothing is loaded', () => {
  test.each([
    ['another root', { live: false, uname: null }, '', /is not the running system/],
    ['a container', { live: false, uname: null, root: new Root('/') }, '', /container or a chroot.*--host/],
    ['an unknown kernel', { uname: null }, '', /not known/],
    ['a leapp upgrade', { env: { LEAPP_IPU_IN_PROGRESS: '8to9' } }, '', /upgrade is in progress/],
    ['switched off as for the utility', {}, 'quiet kpatch.enable=0 ro', /kpatch\.enable=0/],
    ['switched off for us', {}, 'kpatch-pm.enable=0', /kpatch-pm\.enable=0/],
    ['the crash kernel', {}, 'elfcorehdr=0x7d000000', /kdump/],
  ] as const)('%s', async (_what, more, parameters, text) => {
    const here = machine(put({ 'proc/cmdline': `${parameters}\n` }), more);
    expect(loadingForbidden(here)?.code).toBe('loading-forbidden');
    expect(loadingForbidden(here)?.text).toMatch(text);
    await expect(loadModule(request(here))).rejects.toMatchObject({ code: 'loading-forbidden' });
    await expect(unloadModule({ machine: here, module: 'm' })).rejects.toMatchObject({ code: 'loading-forbidden' });
  });
  test('the crash kernel is also known by its dump', () => {
    expect(loadingForbidden(machine(put({ 'proc/vmcore': '' })))?.text).toMatch(/kdump/);
  });
  test('loading is fine elsewhere, whatever else stands on the command line', () => {
    const root = put({ 'proc/cmdline': 'quiet kpatch.enable=1 crashkernel=1G notkpatch.enable=0\n' });
    expect(loadingForbidden(machine(root, { env: { LEAPP_IPU_IN_PROGRESS: '' } }))).toBeNull();
  });
});

function request(here: Machine, more: Partial<LoadRequest> = {}): LoadRequest {
  return {
    machine: here,
    kernel: RELEASE,
    file: 'var/lib/kpatch/m.ko',
    module: 'kpatch_5_14_0_362_8_1_1_2',
    sha256: null,
    loader: 'builtin',
    utility: { path: null, version: null },
    ...more,
  };
}

async function codeOf(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KpmError)) throw error ?? new Error('nothing was raised');
  expect(error.hint).toMatch(/\S/);
  return error.code;
}

describe('before an insert', () => {
  const file = 'var/lib/kpatch/m.ko';
  test('another kernel is running', async () => {
    const here = machine(put({ [`${L}/x/enabled`]: '0' }), { uname: '5.14.0-400.el9.x86_64' });
    expect(await codeOf(loadModule(request(here)))).toBe('kernel-mismatch');
  });
  test('the user is not root', async () => {
    expect(await codeOf(loadModule(request(machine(put({}), { uid: 1000 }))))).toBe('needs-root');
    expect(await codeOf(unloadModule({ machine: machine(put({}), { uid: 1000 }), module: 'm' }))).toBe('needs-root');
  });
  test('the kernel cannot be live-patched', async () => {
    expect(await codeOf(loadModule(request(machine(put({ [file]: 'x' })))))).toBe('no-livepatch-support');
  });
  test('the file is gone, or other bytes, or no module', async () => {
    const here = machine(put({ [`${L}/x/enabled`]: '0' }));
    expect(await codeOf(loadModule(request(here)))).toBe('module-changed');
    put({ [file]: 'other bytes' });
    expect(await codeOf(loadModule(request(here, { sha256: 'f'.repeat(64) })))).toBe('module-changed');
    const sha256 = createHash('sha256').update('other bytes').digest('hex');
    expect(await codeOf(loadModule(request(here, { sha256 })))).toBe('not-a-module');
  });
  test('a newer level is active', async () => {
    const here = machine(put({ [`${L}/kpatch_5_14_0_362_8_1_1_10/enabled`]: '1\n', [file]: 'x' }));
    expect(await codeOf(loadModule(request(here)))).toBe('newer-active');
  });
  test('a newer level that is disabled is no obstacle', async () => {
    const here = machine(put({ [`${L}/kpatch_5_14_0_362_8_1_1_10/enabled`]: '0\n' }));
    expect(await codeOf(loadModule(request(here)))).toBe('module-changed');
  });
});

test.each([
  ['kpatch_5_14_0_362_8_1_1_9', 'kpatch_5_14_0_362_8_1_1_10', -1],
  ['kpatch_5_14_0_362_8_1_2_1', 'kpatch_5_14_0_362_8_1_1_10', 1],
  ['kpatch_5_14_0_362_8_1_1_2', 'kpatch_5_14_0_362_8_1_1_2', 0],
  ['kpatch_5_14_0_362_8_1_1_2', 'kpatch_5_14_0_370_1_1_1_1', null],
  ['kpatch_5_14_0_362_8_1_1_2', 'somebodys_own_fix', null],
] as const)('%s against %s: %s', (a, b, order) => {
  expect(compareLevels(a, b, [])).toBe(order);
});

test('where the packages are known, they decide', () => {
  const evr = (epoch: number, release: string) => ({ epoch, version: '1', release });
  const known = [
    { module: 'kpatch_a_1_9', evr: evr(1, '9') },
    { module: 'kpatch_a_1_10', evr: evr(0, '10') },
  ];
  expect(compareLevels('kpatch_a_1_9', 'kpatch_a_1_10', known)).toBe(1);
});

describe('which loader', () => {
  const there = { path: '/usr/sbin/kpatch', version: '0.9.7' };
  const absent = { path: null, version: null };
  test.each([
    ['auto', there, null, 'kpatch'],
    ['auto', absent, null, 'builtin'],
    ['auto', there, '0.9.10', 'builtin'],
    ['auto', there, '0.6.1-1', 'kpatch'],
    ['auto', { ...there, version: null }, '0.6.1-1', 'builtin'],
    ['builtin', there, null, 'builtin'],
    ['kpatch', there, '0.9.10', 'kpatch'],
  ] as const)('%s, utility %j, needed %s: %s', (loader, utility, needs, name) => {
    expect(chooseLoader({ loader, utility, needs })).toBe(name);
  });
  test('the utility asked for and absent', () => {
    const choose = (): unknown => chooseLoader({ loader: 'kpatch', utility: absent, needs: null });
    expect(choose).toThrow(expect.objectContaining({ code: 'program-missing' }));
  });
});

describe('the kernel log', () => {
  const saying = (...logs: (string | null)[]) => ({
    ...realRun,
    which: () => (logs[0] === null ? null : '/usr/bin/dmesg'),
    run: () => {
      const text = logs.shift();
      return Promise.resolve({
        status: text === 'denied' ? 1 : 0,
        signal: null,
        stdout: Buffer.from(text ?? ''),
        stderr: '',
      });
    },
  });
  test('only what came after the mark, without stamps', async () => {
    const run = saying('[    1.0] a\n[    2.0] b\n', '[    2.0] b\n[  300.5] livepatch: c\n[  300.6] d\n');
    expect(await logSince(run, await markLog(run, new Date()))).toEqual(['livepatch: c', 'd']);
  });
  test('everything, where the mark has been overwritten', async () => {
    const run = saying('[    1.0] a\n', '[    8.0] y\n[    9.0] z\n');
    expect(await logSince(run, await markLog(run, new Date()))).toEqual(['y', 'z']);
  });
  test('nothing, where it may not be read or there is no dmesg', async () => {
    const denied = saying('denied', 'denied');
    expect(await logSince(denied, await markLog(denied, new Date()))).toEqual([]);
    expect(await logSince(saying(null), { last: null, at: new Date() })).toEqual([]);
  });
});

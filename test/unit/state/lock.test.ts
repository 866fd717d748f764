// The lock against real processes; both ways: with flock(1), and where it is missing.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KpmError } from '../../../src/errors.ts';
import { realRun } from '../../../src/host/run.ts';
import { openState } from '../../../src/state/directory.ts';
import type { Holder } from '../../../src/state/holder.ts';
import { LOCK, lockState } from '../../../src/state/lock.ts';
import { machineOver } from '../../support/machine.ts';
import { needs } from '../../support/programs.ts';

const withoutFlock = { ...realRun, which: (program: string) => (program === 'flock' ? null : realRun.which(program)) };

let top = '';
beforeEach(() => {
  top = mkdtempSync(path.join(os.tmpdir(), 'kpm-lock-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

needs('flock').each([
  ['flock', realRun],
  ['owner files', withoutFlock],
] as const)('by %s', (_, run) => {
  const take = (timeout = 0, onWait?: (holder: Holder | null) => void) => {
    const machine = machineOver(top, null, { run });
    return lockState(machine, openState(machine), {
      timeout,
      command: 'kpatch-pm auto',
      ...(onWait ? { onWait } : {}),
    });
  };
  const refusal = async (): Promise<KpmError> => {
    try {
      (await take()).release();
    } catch (error) {
      return error as KpmError;
    }
    throw new Error('the lock was given twice');
  };

  test('one at a time; released, the next has it', async () => {
    const first = await take();
    const error = await refusal();
    expect({ code: error.code, exit: error.exit }).toEqual({ code: 'locked', exit: 200 });
    expect(error.message).toContain(`pid ${process.pid} (kpatch-pm auto), since 2026-01-01 00:00:00 UTC`);
    first.release();
    first.release();
    for (let n = 0; n < 3; n++) (await take()).release();
  });

  test('who waits is told for whom, and gets it', async () => {
    const first = await take();
    const waited: (Holder | null)[] = [];
    const second = take(30, (holder) => {
      waited.push(holder);
      first.release();
    });
    (await second).release();
    expect(waited).toEqual([expect.objectContaining({ pid: process.pid, command: 'kpatch-pm auto' })]);
  });

  test('a wait that is in vain ends', async () => {
    const first = await take();
    await expect(take(1)).rejects.toMatchObject({ code: 'locked' });
    first.release();
  });
});

needs('flock')('by flock', () => {
  test('the lock file is 0600, and another program sees the lock', async () => {
    const machine = machineOver(top);
    const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'x' });
    const file = path.join(top, LOCK);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await realRun.run('flock', ['-n', file, 'true'])).status).toBe(1);
    locked.release();
    expect((await realRun.run('flock', ['-n', file, 'true'])).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  test('children of the holder do not keep it', async () => {
    const machine = machineOver(top);
    const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'x' });
    const child = spawn('sleep', ['30'], { stdio: 'ignore' });
    locked.release();
    (await lockState(machine, openState(machine), { timeout: 0, command: 'x' })).release();
    child.kill('SIGKILL');
  });
});

describe('owner files', () => {
  test('an owner whose process is gone is followed', async () => {
    const machine = machineOver(top, null, { run: withoutFlock });
    const state = openState(machine);
    state.root.mkdirs('var/lib/kpatch-pm/lock.owners', 0o700);
    const dead = { pid: 1, command: 'x', since: 's', started: '1', boot: 'another boot' };
    state.root.write('var/lib/kpatch-pm/lock.owners/7', JSON.stringify(dead));
    const locked = await lockState(machine, state, { timeout: 0, command: 'x' });
    expect(state.root.list('var/lib/kpatch-pm/lock.owners')).toEqual(['8']);
    locked.release();
  });

  test('an owner that was killed, and that its parent never waits for, is followed', async () => {
    const machine = machineOver(top, null, { run: withoutFlock });
    const state = openState(machine);
    // The shell becomes a program that knows nothing of the child.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
      const stat = (): string[] => (machine.host.readText(`proc/${pid}/stat`) ?? '').replace(/^.*\) /s, '').split(' ');
      const boot = machine.host.readText('proc/sys/kernel/random/boot_id')?.trim();
      const owner = { pid, command: 'x', since: 's', started: stat()[19], boot };
      state.root.mkdirs('var/lib/kpatch-pm/lock.owners', 0o700);
      state.root.write('var/lib/kpatch-pm/lock.owners/7', JSON.stringify(owner));
      const take = () => lockState(machine, state, { timeout: 0, command: 'x' });
      await expect(take()).rejects.toMatchObject({ code: 'locked' });
      process.kill(pid, 'SIGKILL');
      while (stat()[0] !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
      (await take()).release();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test('twenty at once: one gets it', async () => {
    const tries = Array.from({ length: 20 }, () => {
      const machine = machineOver(top, null, { run: withoutFlock });
      return lockState(machine, openState(machine), { timeout: 0, command: 'x' });
    });
    const answers = await Promise.allSettled(tries);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

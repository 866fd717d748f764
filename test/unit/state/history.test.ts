// Records on disk, and the record of a run while it grows.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runTransaction } from '../../../src/apply/install.ts';
import { openRecord } from '../../../src/apply/record.ts';
import { settingStep } from '../../../src/apply/transactions.ts';
import { NO_ACTION, type RecordedAction } from '../../../src/domain/history.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { openState } from '../../../src/state/directory.ts';
import { HISTORY, nextNumber, numbersOf, pruneHistory, readHistory, recordPath } from '../../../src/state/history.ts';
import { type LockedState, lockState } from '../../../src/state/lock.ts';
import { codeOf } from '../../support/code-of.ts';
import { machineOver } from '../../support/machine.ts';

const ACTION: RecordedAction = {
  ...NO_ACTION,
  do: 'setting',
  setting: { name: 'autoupdate', before: false, value: true },
};

let dir: string;
let machine: Machine;
let locked: LockedState;
beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'kpm-history-'));
  machine = machineOver(dir);
  locked = await lockState(machine, openState(machine), { timeout: 0, command: 'test' });
});
afterEach(() => {
  locked.release();
  rmSync(dir, { recursive: true, force: true });
});

const read = () => readHistory(machine.root, machine.uid);
const CONF = 'etc/dnf/plugins/kpatch.conf';

/** A run that writes a setting; `before`: what it thinks the file holds. */
async function run(typed: string, before: string | null = machine.root.readText(CONF)): Promise<void> {
  const record = openRecord(machine, locked, typed, [ACTION]);
  await runTransaction(machine, locked, [settingStep(CONF, before, `# ${typed}\n`)], new Map(), {
    record: { of: record, ends: [0] },
  });
  record.close(0);
}

describe('records', () => {
  test('no history is an empty one', () => {
    expect(read()).toEqual([]);
    expect(nextNumber(machine.root)).toBe(1);
  });

  test('are numbered from 1, the newest is told first', async () => {
    await run('one');
    await run('two');
    expect(read().map(({ id, command, user, exit }) => ({ id, command, user, exit }))).toEqual([
      { id: 2, command: 'two', user: 'admin', exit: 0 },
      { id: 1, command: 'one', user: 'admin', exit: 0 },
    ]);
    expect(statSync(path.join(dir, recordPath(1))).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(dir, HISTORY)).mode & 0o777).toBe(0o700);
  });

  test('a run that changed nothing leaves none', () => {
    openRecord(machine, locked, 'nothing', [ACTION]).close(0);
    expect(read()).toEqual([]);
  });

  test('a transaction that could not be staged leaves none', async () => {
    const record = openRecord(machine, locked, 'install', [ACTION]);
    const register = {
      do: 'register',
      kernel: '5.14.0-1.el9.x86_64',
      nevra: { name: 'x', epoch: 0, version: '1', release: '1', arch: 'x86_64' },
      sha256: 'a'.repeat(64),
      size: 1,
      downgrade: false,
    } as never;
    const failed = await runTransaction(machine, locked, [register], new Map(), { record: { of: record, ends: [0] } })
      .then(() => null)
      .catch((error: { code: string }) => error.code);
    record.close(1);
    expect(failed).toBe('blob-missing');
    expect(read()).toEqual([]);
  });

  test('a refused step makes its action a failed one', async () => {
    await run('setting', 'what nobody ever wrote\n');
    expect(read()[0]?.actions[0]).toMatchObject({ outcome: 'failed', error: { code: 'setting-changed' } });
  });

  test('until its end a run counts as not ended', async () => {
    const record = openRecord(machine, locked, 'auto', [ACTION]);
    record.write();
    expect(read()[0]).toMatchObject({ id: 1, ended: null, exit: null });
    record.set(0, { outcome: 'done', error: null });
    record.remark('two\n  lines');
    record.close(1);
    expect(read()[0]).toMatchObject({ exit: 1, remarks: ['two lines'], actions: [{ outcome: 'done' }] });
  });

  test('the oldest go, and no number comes back', async () => {
    for (const typed of ['one', 'two', 'three']) await run(typed);
    pruneHistory(locked.state, 1);
    expect(read().map(({ id }) => id)).toEqual([3]);
    await run('four');
    expect(read().map(({ id }) => id)).toEqual([4, 3]);
  });

  test('one that is damaged is told and left out, a newer one too', async () => {
    await run('one');
    await run('two');
    await run('three');
    writeFileSync(path.join(dir, recordPath(1)), '{"format":1,"id":1}');
    writeFileSync(path.join(dir, recordPath(2)), '{"format":9}');
    const said: string[] = [];
    expect(readHistory(machine.root, machine.uid, ({ code }) => said.push(code)).map(({ id }) => id)).toEqual([3]);
    expect(said).toEqual(['state-newer', 'state-damaged']);
    expect(codeOf(read)).toBe('state-newer');
    // Its number is taken all the same.
    expect(nextNumber(machine.root)).toBe(4);
  });

  test('names that are no number are left alone', async () => {
    await run('one');
    writeFileSync(path.join(dir, HISTORY, '01.json'), 'not ours');
    writeFileSync(path.join(dir, HISTORY, 'notes.txt'), 'not ours');
    expect(read().map(({ id }) => id)).toEqual([1]);
    expect(readdirSync(path.join(dir, HISTORY))).toHaveLength(3);
  });
});

describe('numbers', () => {
  const there = [3, 4, 7];
  test.each<[string, number[] | null]>([
    ['4', [4]],
    ['5', []],
    ['last', [7]],
    ['last-1', [4]],
    ['last-3', []],
    ['3..4', [3, 4]],
    ['4..last', [4, 7]],
    ['7..3', [3, 4, 7]],
    ['1..99', [3, 4, 7]],
    ['', null],
    ['first', null],
    ['-1', null],
    ['1..2..3', null],
    ['last-x', null],
    ['4;', null],
  ])('%s', (word, numbers) => expect(numbersOf(word, there)).toEqual(numbers));

  test('of an empty history', () => expect(numbersOf('last', [])).toEqual([]));
});

// The record of what needs no transaction: there before anything is done, and complete however it ends.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { HistoryRecord } from '../../../src/domain/history.ts';
import { KpmError } from '../../../src/errors.ts';
import { aloneAction } from '../../../src/pipeline/record.ts';
import { recordAlone } from '../../../src/pipeline/record-alone.ts';
import { openState } from '../../../src/state/directory.ts';
import { readHistory } from '../../../src/state/history.ts';
import { type LockedState, lockState } from '../../../src/state/lock.ts';
import { machineOver } from '../../support/machine.ts';

const K = '5.14.0-427.13.1.el9_4.x86_64';
const ACTIONS = ['one', 'two', 'three'].map((module) => aloneAction('load', K, module));
let dir: string;
let locked: LockedState;
let at: Parameters<typeof recordAlone>[0];
const warnings: string[] = [];
beforeEach(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-alone-'));
  const machine = machineOver(dir);
  locked = await lockState(machine, openState(machine), { timeout: 0, command: 'test' });
  at = { machine, locked, warn: (text) => void warnings.push(text) };
});
afterEach(() => {
  locked.release();
  rmSync(dir, { recursive: true });
  expect(warnings.splice(0)).toEqual([]);
});

const records = (): HistoryRecord[] => readHistory(at.machine.root, at.machine.uid);
const told = ({ exit, ended, actions }: HistoryRecord) => ({
  exit,
  ended: ended !== null,
  outcomes: actions.map(({ outcome, error }) => error?.code ?? outcome),
});

test('is on disk before anything is done, and ends with what was said of each', async () => {
  const refused = new KpmError('load-refused-init', { text: 'The kernel says no.' });
  const status = await recordAlone(
    at,
    'module load --all',
    ACTIONS,
    async (record) => {
      expect(records().map(told)).toEqual([{ exit: null, ended: false, outcomes: ['not-run', 'not-run', 'not-run'] }]);
      record.done(0);
      record.failed(1, refused);
      return 1;
    },
    (given) => given,
  );
  expect(status).toBe(1);
  expect(records().map(told)).toEqual([{ exit: 1, ended: true, outcomes: ['done', 'load-refused-init', 'not-run'] }]);
  expect(records()[0]).toMatchObject({ command: 'module load --all', id: 1 });
});

test('what is raised ends the record too, and is raised again', async () => {
  const aborted = new KpmError('locked', { text: 'Another run.' });
  const act = async (record: { done(n: number): void }) => {
    record.done(0);
    throw aborted;
  };
  await expect(recordAlone(at, 'keys import', ACTIONS, act)).rejects.toBe(aborted);
  expect(records().map(told)).toEqual([{ exit: 200, ended: true, outcomes: ['done', 'not-run', 'not-run'] }]);
});

test('a run without actions leaves none', async () => {
  expect(await recordAlone(at, 'keys import', [], async () => 'nothing')).toBe('nothing');
  expect(records()).toEqual([]);
});

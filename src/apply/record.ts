// The record of a run while it grows. Each transaction carries the record as one of its steps, so that whatever is committed
// is recorded with it; what needs no transaction (loading, the end of the run) is written on its own.
import { HISTORY_FORMAT, type HistoryRecord, MAX_REMARKS, type RecordedAction } from '../domain/history.ts';
import type { Outcome } from '../domain/plan.ts';
import { KpmError } from '../errors.ts';
import type { Machine } from '../host/machine.ts';
import type { State } from '../state/directory.ts';
import { nextNumber, pruneHistory, writeRecord } from '../state/history.ts';
import type { LockedState } from '../state/lock.ts';
import type { RecordStep } from '../state/steps.ts';

/** What a run tells its record. */
export interface RunRecord {
  /** The step that records the run together with a transaction; the actions of `ends` are done when it is. */
  step(ends?: readonly number[]): RecordStep;
  /** What became of an action: on disk with the next write. */
  set(n: number, outcome: Outcome): void;
  /** Another level than the planned one was taken. */
  correct(n: number, fields: Partial<RecordedAction>): void;
  /** A warning of the run. */
  remark(text: string): void;
  /** Writes the record now: before something that cannot be journaled is begun. */
  write(): void;
  /** Writes the end of a run, unless nothing was changed; the oldest records go. Gives what kept it from being written. */
  close(exit: number): KpmError | null;
}

/** A new record; it gets its number with its first step or write. Earlier work must be recovered by then. */
export function openRecord(
  machine: Pick<Machine, 'now' | 'user' | 'uid' | 'version'>,
  locked: LockedState,
  command: string,
  planned: readonly RecordedAction[],
): RunRecord {
  const { state } = locked;
  const actions = [...planned];
  const remarks: string[] = [];
  const begun = machine.now().toISOString();
  let id: number | null = null;
  const record = ({ ended, exit }: Pick<HistoryRecord, 'ended' | 'exit'>): HistoryRecord => {
    id ??= nextNumber(state.root);
    const { user, uid, version } = machine;
    const told = { actions: [...actions], exit, remarks: [...remarks] };
    return { format: HISTORY_FORMAT, id, command, user, uid, begun, ended, version, ...told };
  };
  const change = (n: number, fields: Partial<RecordedAction>): void => {
    const action = actions[n];
    if (action) actions[n] = { ...action, ...fields };
  };
  return {
    step: (ends = []) => ({ do: 'record', record: record({ ended: null, exit: null }), ends: [...ends] }),
    set: (n, { outcome, error }) => change(n, { outcome, error }),
    correct: change,
    remark: (text) => void (remarks.length < MAX_REMARKS && remarks.push(text.replace(/\s+/g, ' '))),
    write: () => writeRecord(state, record({ ended: null, exit: null })),
    close: (exit) => {
      if (id === null) return null;
      return end(state, record({ ended: machine.now().toISOString(), exit }));
    },
  };
}

/** What was done is recorded already, with its transactions: only that the run came to its own end would be missing. */
function end(state: State, record: HistoryRecord): KpmError | null {
  try {
    writeRecord(state, record);
    pruneHistory(state);
    return null;
  } catch (error) {
    if (error instanceof KpmError) return error;
    throw error;
  }
}

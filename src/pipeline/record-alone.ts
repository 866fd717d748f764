// Changes that need no transaction, in the history: what is trusted, what comes out of quarantine, what is loaded by hand.
import { openRecord } from '../apply/record.ts';
import type { RecordedAction } from '../domain/history.ts';
import type { Outcome } from '../domain/plan.ts';
import { EXIT, KpmError } from '../errors.ts';
import type { Machine } from '../host/machine.ts';
import type { LockedState } from '../state/lock.ts';

/** What a run tells of its changes, each known by its place among them. */
export interface AloneRecord {
  done(n: number): void;
  failed(n: number, error: KpmError): void;
}

/**
 * Runs `act` with a record that is on disk before it begins: a run that is killed leaves what it meant to do. What neither
 * `done` nor `failed` was said of is in the record as not done. No actions: no record. `exit` gives the status from what `act`
 * gave. What keeps the end from being written is warned of; what `act` raises is raised again.
 */
export async function recordAlone<T>(
  at: { readonly machine: Machine; readonly locked: LockedState; readonly warn: (text: string) => void },
  command: string,
  actions: readonly RecordedAction[],
  act: (record: AloneRecord) => Promise<T>,
  exit: (result: T) => number = () => EXIT.done,
): Promise<T> {
  const record = openRecord(at.machine, at.locked, command, actions);
  const set = (n: number, outcome: Outcome): void => record.set(n, outcome);
  const close = (status: number): void => {
    const error = record.close(status);
    if (error) at.warn(error.message);
  };
  if (actions.length > 0) record.write();
  try {
    const result = await act({
      done: (n) => set(n, { outcome: 'done', error: null }),
      failed: (n, { code, message }) => set(n, { outcome: 'failed', error: { code, text: message } }),
    });
    close(exit(result));
    return result;
  } catch (error) {
    close(error instanceof KpmError ? error.exit : EXIT.failed);
    throw error;
  }
}

// What an expected failure is in a run: the outcome of its action, told at once.
import type { Outcome } from '../domain/plan.ts';
import { KpmError } from '../errors.ts';
import type { Ui } from '../host/machine.ts';

const DONE: Outcome = { outcome: 'done', error: null };

/** Whether an error is one of an action; what nobody expects, and a lost answer of the person (aborted), ends the run. */
export const isExpected = (error: unknown): error is KpmError =>
  error instanceof KpmError && error.code !== 'internal' && error.code !== 'aborted';

/** An expected failure becomes an outcome, told at once; others are raised. */
export async function attempt(ui: Ui, act: () => Promise<void>): Promise<Outcome> {
  try {
    await act();
    return DONE;
  } catch (error) {
    if (!isExpected(error)) throw error;
    ui.failure(error.message, error.hint);
    return { outcome: 'failed', error: { code: error.code, text: error.message } };
  }
}

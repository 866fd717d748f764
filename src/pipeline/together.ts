// Several staged packages into the root in one transaction: rpm is started once for all of them, a directory synced once.
// What happens to one of them still happens to it alone.
import { finishPending, runTransaction } from '../apply/install.ts';
import { kernelOf } from '../apply/transaction.ts';
import { mergedWork } from '../apply/transactions.ts';
import { isTake, type Outcome } from '../domain/plan.ts';
import type { TransactionResult } from '../state/steps.ts';
import type { Application } from './application.ts';
import { attempt, isExpected } from './attempt.ts';
import { forgetOthers, judge, type Prepared, prepare, prepared } from './install.ts';
import type { StagedPatch } from './stage.ts';

const NOT_RUN: Outcome = { outcome: 'not-run', error: null };
/** A run interrupted in a transaction ends with it: it is not to take minutes. */
const MOST = 64;
/** Bytes that lie in staging at once. */
const MOST_BYTES = 256 * 1024 * 1024;
/** Characters of steps: a journal of more than 16 MiB is not read. */
const MOST_TEXT = 3 * 1024 * 1024;

interface Member extends Prepared {
  /** Which action of the plan it is. */
  readonly n: number;
}

/**
 * Installs the packages of the actions from `from` on, as far as they follow one another, concern a kernel each and are not
 * too many. Gives what became of each: `not-run` where they could not be begun together, which changed nothing, and each
 * may still be possible alone; nothing where there is only one.
 */
export async function installTogether(
  application: Application,
  from: number,
  staged: ReadonlyMap<number, StagedPatch>,
): Promise<ReadonlyMap<number, Outcome>> {
  const outcomes = new Map<number, Outcome>();
  const members = membersFrom(application, from, staged);
  if (members.length < 2) return outcomes;
  const { ui } = application;
  application.current = null;
  const result = await run(application, members);
  if (result === null) return new Map(members.map(({ n }) => [n, NOT_RUN]));
  if (!('error' in result)) for (const { text } of result.notices) ui.warn(text);
  for (const member of members) {
    const { kernel } = member.staged.action;
    const act = async (): Promise<void> => {
      if ('error' in result) throw result.error;
      judge(
        ui,
        result.results.filter(({ step }) => kernelOf(step) === kernel),
      );
      prepared(application, member);
    };
    outcomes.set(member.n, await attempt(ui, act));
  }
  return outcomes;
}

function membersFrom(application: Application, from: number, staged: ReadonlyMap<number, StagedPatch>): Member[] {
  const { plan } = application;
  const members: Member[] = [];
  const kernels = new Set<string>();
  let [bytes, text] = [0, 0];
  for (const [n, action] of plan.actions.entries()) {
    if (n < from) continue;
    if (!isTake(action) || kernels.has(action.kernel) || members.length >= MOST) break;
    const patch = staged.get(n);
    // Failed already: the others go on.
    if (!patch) continue;
    const one = preparedOrNot(application, patch);
    if (one === null) break;
    const member = { n, ...one };
    for (const blob of member.work.blobs.values()) bytes += blob.size;
    text += JSON.stringify(member.work.steps).length;
    if (members.length > 0 && (bytes > MOST_BYTES || text > MOST_TEXT)) break;
    kernels.add(action.kernel);
    members.push(member);
  }
  return members;
}

/** Null where its kernel's state forbids it: alone, it says why. */
function preparedOrNot(application: Application, patch: StagedPatch): Prepared | null {
  try {
    return prepare(application, patch);
  } catch (error) {
    if (isExpected(error)) return null;
    throw error;
  }
}

/** Runs the transaction. Null: it was not committed. An error: it was, and could not be ended. */
async function run(application: Application, members: readonly Member[]): Promise<TransactionResult | Failed | null> {
  const { observed, locked, ui, record } = application;
  let committed = false;
  try {
    for (const { staged } of members) await forgetOthers(application, staged.action.kernel);
    const { steps, blobs } = mergedWork(members.map(({ work }) => work));
    return await runTransaction(observed.machine, locked, steps, blobs, {
      record: { of: record, ends: members.map(({ n }) => n) },
      onCommit: () => {
        committed = true;
      },
    });
  } catch (error) {
    if (!isExpected(error)) throw error;
    ui.detail(`Not all in one transaction: ${error.reason}`);
    return committed ? finishedAfter(application, error) : null;
  }
}

/** A transaction that was broken off after its commit is tried once more, as the next run would. */
async function finishedAfter({ observed, locked }: Application, first: Error): Promise<TransactionResult | Failed> {
  try {
    return (await finishPending(observed.machine, locked)) ?? { error: first };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { error };
  }
}

interface Failed {
  readonly error: Error;
}

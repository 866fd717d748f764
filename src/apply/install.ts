// Transactions on the module files, receipts, settings and the rpm database: all of it or, after the next run, all of it.
//
//   const state = openState(machine);                            src/state/directory.ts   creates and checks var/lib/kpatch-pm
//   const locked = await lockState(machine, state, options);     src/state/lock.ts        one writer per root; locked.release()
//   await recover(machine, locked, ui);                          here                     finishes what an earlier run left
//   const work = installSteps({...}) | removeSteps({...});       src/apply/transactions.ts   Step[] and the bytes they need
//   await runTransaction(machine, locked, work.steps, work.blobs);  here
//
// Readers: readReceipts(root, uid, notice), readHolds(root, uid, notice), pendingJournal(root, uid).
//
// stage -> sync -> journal (the commit point) -> steps -> clear. A crash before the journal leaves things as they were;
// after it, `recover` does the steps again.
import type { Problem } from '../domain/because.ts';
import { momentText } from '../domain/time.ts';
import { hasErrno, KpmError } from '../errors.ts';
import { whole } from '../host/interruption.ts';
import type { Machine, Ui } from '../host/machine.ts';
import type { Root } from '../host/root.ts';
import { KEY_STORE, STATE } from '../state/directory.ts';
import { HISTORY, recordPath } from '../state/history.ts';
import { checkSteps, clearJournal, type Journal, pendingJournal, writeJournal } from '../state/journal.ts';
import type { LockedState } from '../state/lock.ts';
import { receiptPath } from '../state/receipts.ts';
import type { Blobs, Step, StepResult, TransactionResult } from '../state/steps.ts';
import { perform } from './perform.ts';
import { halfwayPath, modulePath } from './places.ts';
import { checkOpen } from './preflight.ts';
import type { RunRecord } from './record.ts';
import { clearSpool, leftText } from './spool.ts';
import { blobsOf, clearStaging, stage } from './stage.ts';
import { kernelOf, outcomeFor, type Refusal, type Transaction } from './transaction.ts';

export interface TransactionOptions {
  /** Called at the commit point: from here on the transaction will be finished, if not by this run then by the next. */
  readonly onCommit?: () => void;
  /** The record of the run that this transaction is part of, and which of its actions it completes. */
  readonly record?: { readonly of: RunRecord; readonly ends: readonly number[] };
}

/**
 * Runs the steps of a transaction in their order. A step that cannot be done for a reason of its own (not for want of
 * space or rights) is `refused`, and with it every later step of that kernel, so that nothing leaves before its successor
 * is there. Raises `no-space`, `read-only`, `needs-root`, `blob-missing` before the commit point with nothing changed;
 * raised after it, the journal stays and the next transaction or run goes on.
 */
export async function runTransaction(
  machine: Machine,
  locked: LockedState,
  work: readonly Step[],
  blobs: Blobs = new Map(),
  options: TransactionOptions = {},
): Promise<TransactionResult> {
  const { root, uid } = locked.state;
  checkSteps(work);
  if (work.length === 0) return { results: [], notices: [] };
  // One of this run that the disk stopped after its commit point: it comes first, or nothing does.
  const left = pendingJournal(root, uid);
  if (left !== null) await finishLeft(machine, root, left);
  const { record } = options;
  return begun(machine, async () => {
    checkOpen(root, work);
    stage(root, work, blobs);
    await root.syncs.settle();
    // Numbered only now: what was not committed leaves no record.
    const steps = record ? [...work, record.of.step(record.ends)] : work;
    writeJournal(root, {
      command: locked.command,
      since: machine.now().toISOString(),
      by: machine.version,
      steps,
    });
    await root.syncs.settle();
    options.onCommit?.();
    const { refused, ...result } = await finish(machine, root, steps, blobs);
    const carried = steps.at(-1);
    if (record && carried?.do === 'record') {
      for (const n of record.ends) record.of.set(n, outcomeFor(carried.record.actions[n]?.kernel ?? null, refused));
    }
    return result;
  });
}

/** Work on a transaction: nothing but a second signal breaks it off, and a directory is synced once for all its changes. */
function begun<T>(machine: Machine, work: () => Promise<T>): Promise<T> {
  return whole(machine, UNFINISHED, () => machine.root.syncs.together(work));
}

/**
 * What every run that changes something does first: removes leftovers of a run that was killed, and finishes its
 * transaction. Gives what was finished; null when there was nothing.
 */
export async function recover(machine: Machine, locked: LockedState, ui: Ui): Promise<TransactionResult | null> {
  const { root, uid } = locked.state;
  const journal = pendingJournal(root, uid);
  clearStaging(root, blobsOf(journal?.steps ?? []));
  const left = clearSpool(root);
  if (left) ui.warn(leftText('What an earlier run kept until it would be installed', left));
  for (const place of [STATE, HISTORY, KEY_STORE]) {
    for (const name of root.list(place)) if (isTemporary(name)) root.remove(`${place}/${name}`);
  }
  if (journal === null) return null;
  ui.note(`Finishing what was begun at ${momentText(journal.since)} (${journal.command}).`);
  const result = await finishLeft(machine, root, journal);
  for (const { problem } of result.results) if (problem) ui.warn(problem.text);
  for (const notice of result.notices) ui.warn(notice.text);
  return result;
}

/** Tries once more to end a transaction of this run; null: none is open. Raises what stands in its way, as runTransaction does. */
export async function finishPending(machine: Machine, locked: LockedState): Promise<TransactionResult | null> {
  const { root, uid } = locked.state;
  const left = pendingJournal(root, uid);
  return left === null ? null : finishLeft(machine, root, left);
}

function finishLeft(machine: Machine, root: Root, { steps }: Journal): Promise<TransactionResult> {
  for (const step of steps) sweep(root, step);
  return begun(machine, () => finish(machine, root, steps));
}

/** What is left to do when a transaction is broken off after its commit point. */
const UNFINISHED =
  'What was begun is written down: the next run that changes something finishes it first, for instance kpatch-pm install.';

/** Errors after which trying again later makes sense: the journal stays. Others end in a refusal of the step. */
const TRANSIENT: readonly string[] = ['no-space', 'read-only', 'needs-root', 'state-newer', 'state-unsafe'];
/** What the disk, or the moment, answered in place of doing its work; it says nothing about the step. */
const OF_THE_DISK = ['EIO', 'EACCES', 'EPERM', 'ENOMEM', 'EMFILE', 'ENFILE', 'EBUSY', 'ESTALE', 'ETIMEDOUT'];

const isTransient = (error: KpmError): boolean =>
  TRANSIENT.includes(error.code) || hasErrno(error.cause, ...OF_THE_DISK);

interface Finished extends TransactionResult {
  readonly refused: readonly Refusal[];
}

async function finish(
  machine: Machine,
  root: Root,
  steps: readonly Step[],
  blobs: Blobs = new Map(),
): Promise<Finished> {
  const transaction: Transaction = {
    machine,
    steps,
    blobs,
    registered: new Map(),
    stopped: new Map(),
    clinging: new Set(),
    notices: [],
    refused: [],
  };
  const { stopped, refused, notices } = transaction;
  const results: StepResult[] = [];
  let barrier: Barrier = 'brings';
  for (const step of steps) {
    // After a power cut nothing may be gone, and rpm not name what is not there, while its successor is.
    if (barrierOf(step) !== barrier) await root.syncs.settle();
    barrier = barrierOf(step);
    const kernel = kernelOf(step);
    // A setting follows only where everything before it went well.
    const before = kernel !== null ? stopped.get(kernel) : step.do === 'setting' ? [...stopped.values()][0] : undefined;
    const done = before ?? (await attempt(step, transaction));
    const problem = typeof done === 'string' ? null : done;
    // The rpm database and settings are nobody's predecessor; a module that did not arrive is.
    if (problem && kernel !== null && step.do === 'put' && problem.code !== 'not-registered')
      stopped.set(kernel, problem);
    if (problem && problem.code !== 'not-registered') refused.push({ kernel, problem });
    results.push({ step, outcome: typeof done === 'string' ? done : 'refused', problem });
  }
  await root.syncs.settle();
  clearJournal(root);
  await root.syncs.settle();
  clearStaging(root);
  return { results, notices, refused };
}

type Barrier = 'brings' | 'takes' | 'tells';

/** What was done so far is synced before a step of another kind. */
function barrierOf({ do: kind }: Step): Barrier {
  if (kind === 'register' || kind === 'unregister') return 'tells';
  return kind === 'drop' || kind === 'unreceipt' || kind === 'forget' || kind === 'reset' ? 'takes' : 'brings';
}

async function attempt(step: Step, transaction: Transaction): Promise<'done' | 'already' | Problem> {
  try {
    return await perform(step, transaction);
  } catch (error) {
    if (!(error instanceof KpmError) || isTransient(error)) throw error;
    return { code: error.code, text: error.message };
  }
}

const isTemporary = (name: string): boolean => /^\..+\.[0-9a-f]{12}\.tmp$/.test(name);

/** Removes the half-written files a killed run may have left where a step writes. */
function sweep(root: Root, step: Step): void {
  const path = writtenBy(step);
  if (path === null) return;
  const cut = path.lastIndexOf('/');
  const [directory, name] = [path.slice(0, cut), path.slice(cut + 1)];
  for (const other of root.list(directory)) {
    if (isTemporary(other) && other.includes(`.${name}.`)) root.remove(`${directory}/${other}`);
  }
  if (step.do === 'put') root.remove(halfwayPath(step.place, step.kernel, step.file));
}

function writtenBy(step: Step): string | null {
  switch (step.do) {
    case 'put':
      return modulePath(step.place, step.kernel, step.file);
    case 'receipt':
      return receiptPath(step.receipt.kernel, step.receipt.package.name);
    case 'setting':
      return step.path;
    case 'record':
      return recordPath(step.record.id);
    default:
      return null;
  }
}

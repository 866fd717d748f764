// Carrying out a plan: everything is fetched and verified before anything is changed; then the packages, together where that
// is possible, so that one that fails leaves the others alone; then the setting; then the running kernel.
import { leftText, Spool } from '../apply/spool.ts';
import { COMMAND_LINE } from '../domain/package.ts';
import { isTake, type Outcome, type Plan } from '../domain/plan.ts';
import { EXIT, KpmError } from '../errors.ts';
import { clearing, whole } from '../host/interruption.ts';
import type { Ui } from '../host/machine.ts';
import type { LockedState } from '../state/lock.ts';
import type { Application } from './application.ts';
import { attempt } from './attempt.ts';
import { dropDownloads } from './download.ts';
import { installOne } from './install.ts';
import { loadOne } from './load.ts';
import type { Observed } from './observed.ts';
import { installOwn } from './own.ts';
import { proposePins, streamOf } from './pins.ts';
import { recordFor, remarking, takenFields } from './record.ts';
import { hold, removeOne, unhold } from './remove.ts';
import type { Request } from './request.ts';
import { writeSetting } from './setting.ts';
import { checkPlanSpace, planBytes } from './space.ts';
import type { StagedPatch } from './stage.ts';
import { stageAll } from './stage-all.ts';
import { installTogether } from './together.ts';

export interface Report {
  /** One per action of the plan, in its order. */
  readonly outcomes: readonly Outcome[];
  /** What was really taken, where the planned level was stepped over. */
  readonly staged: ReadonlyMap<number, StagedPatch>;
  /** The signal that asked for an end; actions that were not begun then were left out. Null: none. */
  readonly stopped: string | null;
}

const NOT_RUN: Outcome = { outcome: 'not-run', error: null };

/**
 * Carries out a plan. Expected failures end in the outcome of their action; what nobody expects is raised.
 * A setting is written only when every package action succeeded (contract section 2).
 * Raises `no-space` with nothing fetched or changed.
 */
export async function applyPlan(
  observed: Observed,
  request: Request,
  plan: Plan,
  locked: LockedState,
  warned: Ui,
): Promise<Report> {
  const record = recordFor(observed, request, plan, locked);
  const ui = remarking(warned, record);
  checkPlanSpace(observed, plan);
  const application: Application = {
    observed,
    request,
    ui,
    locked,
    plan,
    record,
    spool: new Spool(observed.machine.root, { reserve: planBytes(observed, plan) }),
    current: null,
    stagedFor: new Map(),
    installations: new Map(),
    reverted: new Set(),
  };
  const outcomes: Outcome[] = plan.actions.map(() => NOT_RUN);
  const work = () => performAll(application, outcomes);
  try {
    return await clearing(observed.machine, () => void application.spool.close(), work);
  } catch (error) {
    record.close(error instanceof KpmError ? error.exit : EXIT.failed);
    throw error;
  } finally {
    const left = application.spool.close();
    if (left) warned.warn(leftText('What was kept until it was installed', left));
  }
}

async function performAll(application: Application, outcomes: Outcome[]): Promise<Report> {
  const { observed, request, ui, record } = application;
  const staged = await stageAll(application, outcomes);
  for (const [n, patch] of staged) record.correct(n, takenFields(patch));
  const stopped = await whole(observed.machine, GO_ON, () => performEach(application, staged, outcomes));
  for (const [n, outcome] of outcomes.entries()) record.set(n, outcome);
  const taken = [...staged].flatMap(([n, patch]) => (outcomes[n]?.outcome === 'done' ? [patch.package] : []));
  // The work is done; room that is not given back now is by `clean`.
  for (const { message } of await dropDownloads(observed, taken)) ui.detail(message);
  await proposePins(
    observed,
    request,
    outcomes.map((outcome, n) => ({ ...outcome, stream: streamIn(staged.get(n)) })),
    ui,
  );
  const failed = stopped !== null || outcomes.some(({ outcome }) => outcome === 'failed');
  const unwritten = record.close(failed ? EXIT.failed : EXIT.done);
  if (unwritten) ui.warn(`The history could not be completed: ${unwritten.reason}`);
  return { outcomes, staged, stopped };
}

/** What a second signal says between two actions. */
const GO_ON = 'Run the same command again: it goes on where this run ended.';

/** Performs the actions in order; gives the signal that asked for an end, if there was one: what was not begun is left out. */
async function performEach(
  application: Application,
  staged: Map<number, StagedPatch>,
  outcomes: Outcome[],
): Promise<string | null> {
  const { observed, plan, ui, record } = application;
  /** Packages that could not be installed together with others. */
  const alone = new Set<number>();
  let stopped: string | null = null;
  for (const [n, action] of plan.actions.entries()) {
    if (outcomes[n]?.outcome !== 'not-run') continue;
    // What was installed in this run is still loaded, for only then it is settled.
    const begun = action.do === 'load' && application.installations.has(action.kernel);
    const signal = begun ? null : (observed.machine.interruption?.asked() ?? null);
    if (signal !== null) {
      stopped = signal;
      continue;
    }
    if (action.do === 'setting' && packagesFailed(plan, outcomes)) {
      ui.warn(`${action.setting.name} stays as it was, because not every package could be installed.`);
      continue;
    }
    // What could not be installed cannot be loaded either, and stays held.
    if ((action.do === 'load' || action.do === 'unhold') && installFailed(plan, outcomes, action.kernel)) continue;
    if (isTake(action) && !alone.has(n)) {
      for (const [m, outcome] of await installTogether(application, n, staged)) {
        if (outcome.outcome === 'not-run') alone.add(m);
        outcomes[m] = outcome;
        record.set(m, outcome);
      }
      if (outcomes[n]?.outcome !== 'not-run') continue;
    }
    application.current = n;
    outcomes[n] = await attempt(ui, () => {
      // What only the kernel keeps goes with no transaction.
      if (action.do === 'load') record.write();
      return perform(application, n, staged);
    });
    if (action.do === 'load' && application.reverted.has(action.kernel)) takeBack(plan, outcomes, action.kernel, n);
    // The next transaction's record tells of this one.
    record.set(n, outcomes[n] as Outcome);
  }
  // Asked for in the last action: everything is done, and the report says so, but it was asked for.
  return stopped ?? observed.machine.interruption?.asked() ?? null;
}

/** The stream a pin may come of. A file that somebody named, to try it perhaps, says nothing about who may in future. */
function streamIn(patch: StagedPatch | undefined): string | null {
  return patch && patch.package.repo !== COMMAND_LINE ? streamOf(patch.package.name) : null;
}

async function perform(application: Application, n: number, staged: Map<number, StagedPatch>): Promise<void> {
  const action = application.plan.actions[n];
  switch (action?.do) {
    case 'install':
    case 'upgrade':
    case 'downgrade':
    case 'reinstall':
      return installOne(application, staged.get(n) as StagedPatch);
    case 'own':
      return installOwn(application, action);
    case 'remove':
      return removeOne(application, action);
    case 'hold':
      return hold(application, action);
    case 'unhold':
      return unhold(application, action);
    case 'setting':
      return writeSetting(application, action.setting);
    case 'load':
      return loadOne(application, action);
    default:
      throw new KpmError('internal', { text: `No way to carry out the action ${action?.do}.` });
  }
}

const isPackageAction = (action: Plan['actions'][number]): boolean =>
  isTake(action) || action.do === 'own' || action.do === 'remove';

function packagesFailed(plan: Plan, outcomes: readonly Outcome[]): boolean {
  return plan.actions.some((action, n) => isPackageAction(action) && outcomes[n]?.outcome !== 'done');
}

function installFailed(plan: Plan, outcomes: readonly Outcome[], kernel: string): boolean {
  return plan.actions.some(
    (action, n) =>
      isPackageAction(action) && 'kernel' in action && action.kernel === kernel && outcomes[n]?.outcome !== 'done',
  );
}

/** What the kernel refused is not installed any more: its package action shares the fate of the load. */
function takeBack(plan: Plan, outcomes: Outcome[], kernel: string, load: number): void {
  for (const [n, action] of plan.actions.entries()) {
    if ((isTake(action) || action.do === 'own') && action.kernel === kernel) outcomes[n] = outcomes[load] as Outcome;
  }
}

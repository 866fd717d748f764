// The main job on one page: observe -> decide -> apply.

import { recover } from './apply/install.ts';
import { goneKernels, isRemovable } from './decide/gone.ts';
import { type Goal, planFor } from './decide/plan.ts';
import type { HistoryRecord } from './domain/history.ts';
import type { Plan } from './domain/plan.ts';
import type { World } from './domain/world.ts';
import { KpmError } from './errors.ts';
import type { Machine, Ui } from './host/machine.ts';
import { applyPlan, type Report } from './pipeline/apply.ts';
import { checkDecisions } from './pipeline/holds.ts';
import { checkMatches, checkUsable, specsOf, withNamedFiles } from './pipeline/named.ts';
import { look, SETTING_ONLY } from './pipeline/observe.ts';
import type { Observed } from './pipeline/observed.ts';
import { finishRegistrations } from './pipeline/registration.ts';
import type { Request } from './pipeline/request.ts';
import { recordToUndo, withKeptLevels } from './pipeline/undo.ts';
import { checkKernels, withUnfinished } from './pipeline/world.ts';
import { openState } from './state/directory.ts';
import { type LockedState, lockState } from './state/lock.ts';
import { readReceipts } from './state/receipts.ts';

export type { Report } from './pipeline/apply.ts';
export type { Request } from './pipeline/request.ts';
export { checkKernels, observe } from './pipeline/world.ts';

/** What a run that may change something came to. */
export interface Result {
  readonly world: World;
  readonly plan: Plan;
  /** Null when nothing was carried out: a dry run, or nothing to do. */
  readonly report: Report | null;
}

/**
 * Carries out a verb that may change something. `approve` is shown the plan and answers whether to go on; it is not asked
 * when there is nothing to do. A dry run stops there: it takes no lock and needs no root.
 * Raises `aborted` when the answer is no, `locked`, `needs-root`, `kernel-not-installed`, `state-damaged` and
 * `state-newer` where holds cannot be read, and the errors of observing.
 */
export async function carryOut(
  machine: Machine,
  request: Request,
  ui: Ui,
  approve: (world: World, plan: Plan) => Promise<boolean>,
): Promise<Result> {
  if (request.dryRun) {
    if (!SETTING_ONLY.includes(request.verb)) checkDecisions(machine);
    const observed = await look(machine, request, ui);
    try {
      const undo = recordToUndo(machine, request, ui);
      const { world } = withKeptLevels(await withNamedFiles(observed, request), undo);
      return { world: withUnfinished(machine, world), plan: decide(world, request, ui, undo), report: null };
    } finally {
      await observed.net.close();
    }
  }
  const locked = await lock(machine, request, ui);
  let observed: Observed | null = null;
  try {
    await recover(machine, locked, ui);
    if (!SETTING_ONLY.includes(request.verb)) checkDecisions(machine);
    observed = await look(machine, request, ui);
    const undo = recordToUndo(machine, request, ui);
    observed = withKeptLevels(await withNamedFiles(observed, request), undo);
    const { world } = observed;
    const plan = decide(world, request, ui, undo);
    checkUsable(plan, specsOf(request, world));
    // What cannot be read may be just what was named.
    if (request.verb === 'remove' && plan.actions.length === 0) readReceipts(machine.root, machine.uid);
    if (plan.actions.length === 0) {
      await finishRegistrations(observed, request, locked, ui);
      return { world, plan, report: null };
    }
    if (!(await approve(world, plan))) throw new KpmError('aborted', { text: 'Operation aborted.' });
    const report = await applyPlan(observed, request, plan, locked, ui);
    await finishRegistrations(observed, request, locked, ui);
    return { world, plan, report };
  } finally {
    await observed?.net.close();
    locked.release();
  }
}

/** World and request -> Plan. Raises `kernel-not-installed` for a --kernel that is not there, and `no-match`. */
export function decide(world: World, request: Request, ui: Ui, undo?: HistoryRecord): Plan {
  const { verb, kernels, load } = request;
  const taking = verb === 'remove' || verb === 'autoremove';
  checkKernels(kernels, world, taking ? goneKernels(world).filter(isRemovable) : []);
  const specs = specsOf(request, world);
  const plan = planFor(world, { verb: verb as Goal['verb'], kernels, load, specs, ...(undo ? { undo } : {}) });
  checkMatches(plan, request, specs, ui, world);
  return plan;
}

/** Verbs whose dry run, too, reads what only root may read. */
const DRY_RUN_OF_ROOT: readonly Request['verb'][] = ['history', 'keys', 'machine'];

/** The lock of the root, for a verb that changes something. Raises `needs-root`, `locked`. */
export async function lock(machine: Machine, request: Request, ui: Ui): Promise<LockedState> {
  if (machine.root.isHost && machine.uid !== 0) {
    const verb = request.undo === undefined ? request.verb : `history undo ${request.undo}`;
    const typed = `kpatch-pm ${request.commandLine ?? verb}`;
    const look = DRY_RUN_OF_ROOT.includes(request.verb) ? '' : `   Or look first: ${typed} --dry-run`;
    throw new KpmError('needs-root', {
      text: `kpatch-pm ${verb} changes this system, which only root may do.`,
      hint: `Run: sudo ${typed}${look}`,
    });
  }
  return lockState(machine, openState(machine), {
    timeout: request.lockTimeout ?? 0,
    command: `kpatch-pm ${request.verb}`,
    onWait: (holder) =>
      ui.note(`Waiting for the lock${holder ? `, held by pid ${holder.pid} (${holder.command})` : ''}.`),
  });
}

// A staged package into the root: what its transaction does, and what must follow it.
import { runTransaction } from '../apply/install.ts';
import { hasLevelBefore, keptFiles } from '../apply/retired.ts';
import {
  earlierOf,
  type InstallRequest,
  installSteps,
  proven,
  receiptOf,
  registerSteps,
  restoreSteps,
  type Work,
} from '../apply/transactions.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import { formatNevra, sameNevra } from '../domain/nevra.ts';
import type { Receipt } from '../domain/receipt.ts';
import { type ErrorCode, KpmError } from '../errors.ts';
import type { Ui } from '../host/machine.ts';
import { kernelReceipts } from '../state/receipts.ts';
import type { Step, StepResult } from '../state/steps.ts';
import type { Application, Installation } from './application.ts';
import { newHold } from './holds.ts';
import type { StagedPatch } from './stage.ts';

/** A staged package with all that its transaction needs. */
export interface Prepared {
  readonly staged: StagedPatch;
  readonly work: Work;
  /** What loading it will need; null where it is not loaded in this run. */
  readonly installation: Installation | null;
}

/**
 * Installs one staged package. Where it is to be loaded next, the rpm database is told only after the kernel took it
 * (settle), so that a refused level leaves no trace there. Raises the errors of a transaction.
 */
export async function installOne(application: Application, staged: StagedPatch): Promise<void> {
  const one = prepare(application, staged);
  await forgetOthers(application, staged.action.kernel);
  await transact(application, one.work);
  prepared(application, one);
}

/** What installing a staged package takes. Raises `state-damaged` or `state-newer` where a receipt of its kernel cannot be read. */
export function prepare(application: Application, staged: StagedPatch): Prepared {
  const { plan, observed } = application;
  const { root, uid } = observed.machine;
  const { kernel, package: pkg } = staged.action;
  const loads = plan.actions.some((action) => action.do === 'load' && action.kernel === kernel);
  const later = loads && staged.modules.length > 0;
  const before = kernelReceipts(root, uid, kernel).find((receipt) => receipt.package.name === pkg.name) ?? null;
  const instructed = instruction(application, staged);
  // Installed again: its own files are in place, and there is no level before.
  const again = instructed.replaces.some((patch) => patch.package !== null && sameNevra(patch.package, pkg));
  const request: InstallRequest = {
    ...instructed,
    ...(later && !again ? { before } : {}),
    register: registers(application) && !later,
    pending: registers(application) && later,
    keep: later,
    earlier: earlierOf(before).filter((level) => !sameNevra(level.package, pkg)),
  };
  const { steps, blobs } = installSteps(request);
  return {
    staged,
    work: { steps: [...steps, ...holdAfter(application, staged)], blobs },
    installation: later ? { staged, request } : null,
  };
}

/** Notes what was installed, for the load that follows. */
export function prepared({ installations }: Application, { staged, installation }: Prepared): void {
  if (installation) installations.set(staged.action.kernel, installation);
}

/** What a killed run kept of an earlier level must not come back with the one that is superseded now. */
export async function forgetOthers(application: Application, kernel: KernelRelease): Promise<void> {
  if (keptFiles(application.observed.machine.root, kernel).length === 0) return;
  await transact(application, { steps: [{ do: 'forget', kernel }], blobs: new Map() });
}

/** Who goes back to a lower level wants to stay there: the next automatic run must not undo it. */
function holdAfter({ observed }: Application, { action, package: pkg }: StagedPatch): Step[] {
  if (action.do !== 'downgrade') return [];
  const why = `went back to ${formatNevra(pkg)}`;
  return [{ do: 'hold', hold: newHold(observed.machine, action.kernel, pkg.name, why) }];
}

/** The new level was taken by the kernel (or only stalled): it stays, and the rpm database is told. */
export async function settle(application: Application, { request }: Installation): Promise<void> {
  const receipt = proven(receiptOf({ ...request, pending: false }));
  if (registers(application)) await transact(application, registerSteps({ ...request, receipt }));
  else await keep(application, receipt);
}

/** A level stays, and what was kept of the one before is given up. */
export async function keep(application: Application, receipt: Receipt): Promise<void> {
  const steps: Step[] = [
    { do: 'receipt', receipt: proven(receipt) },
    { do: 'forget', kernel: receipt.kernel },
  ];
  await transact(application, { steps, blobs: new Map() });
}

/** The kernel refused a level that was to be proven: the one before returns on disk. Gives what became of it, as a sentence. */
export async function revert(application: Application, failed: Receipt): Promise<string> {
  const { root } = application.observed.machine;
  const back = hasLevelBefore(root, failed);
  await transact(application, restoreSteps(failed, keptFiles(root, failed.kernel)));
  return back ? 'the level before is installed again' : 'it was taken away again';
}

/** Whether the rpm database is to be told: there is one, and rpm to tell it. */
const registers = ({ observed }: Application): boolean => observed.rpmdb.how === 'rpm';

/** Runs a transaction. Raises as judge does. */
export async function transact(application: Application, { steps, blobs }: Work): Promise<void> {
  const { observed, locked, ui, record, current } = application;
  const { results, notices } = await runTransaction(observed.machine, locked, steps, blobs, {
    record: { of: record, ends: current === null ? [] : [current] },
  });
  for (const { text } of notices) ui.warn(text);
  judge(ui, results);
}

/** Raises the first step that was refused as the error of its action; the rpm database's no is only a warning. */
export function judge(ui: Ui, results: readonly StepResult[]): void {
  for (const { step, problem } of results) {
    if (problem === null) continue;
    if (step.do !== 'register' && step.do !== 'unregister' && step.do !== 'record') {
      throw new KpmError(problem.code as ErrorCode, { text: problem.text });
    }
    ui.warn(problem.text);
  }
}

function instruction(
  { observed, request }: Application,
  staged: StagedPatch,
): Omit<InstallRequest, 'register' | 'keep'> {
  const { machine, world } = observed;
  const { kernel, package: pkg } = staged.action;
  return {
    kernel,
    verified: staged.verified,
    modules: staged.modules,
    repo: staged.package.repo,
    url: staged.url,
    replaces: world.installed.filter((patch) => patch.kernel === kernel && patch.package?.name === pkg.name),
    now: machine.now(),
    by: machine.version,
    askedBy: `kpatch-pm ${request.verb} (${machine.user})`,
    downgrade: staged.action.do === 'downgrade',
  };
}

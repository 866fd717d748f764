// A plan as the history keeps it.
import { openRecord, type RunRecord } from '../apply/record.ts';
import { NO_ACTION, type RecordedAction, type RecordedKey, type RecordedPackage } from '../domain/history.ts';
import { type Nevra, sameNevra } from '../domain/nevra.ts';
import { type Action, isTake, type Outcome, type Plan } from '../domain/plan.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { World } from '../domain/world.ts';
import { KpmError } from '../errors.ts';
import type { Ui } from '../host/machine.ts';
import type { LockedState } from '../state/lock.ts';
import { readReceipts } from '../state/receipts.ts';
import type { Application } from './application.ts';
import type { Observed } from './observed.ts';
import type { Request } from './request.ts';
import type { StagedPatch } from './stage.ts';

/** The actions of a plan, none of them done yet. `receipts` name the files of the levels that are left. */
export function recordedActions(plan: Plan, world: World, receipts: readonly Receipt[]): RecordedAction[] {
  return plan.actions.map((action) => recorded(action, world, receipts));
}

function recorded(action: Action, world: World, receipts: readonly Receipt[]): RecordedAction {
  if (isTake(action)) {
    const { kernel, package: pkg, empty, replaces } = action;
    const sha256 = pkg.checksum?.type === 'sha256' ? pkg.checksum.value : null;
    return {
      ...NO_ACTION,
      do: action.do,
      kernel,
      package: named(pkg, sha256),
      repo: pkg.repo,
      empty,
      replaces: replaces && known(replaces, kernel, receipts),
      adopts: world.installed.some((patch) => patch.kernel === kernel && patch.source === 'rpm'),
      hold: action.do === 'downgrade' ? { kernel, name: pkg.name } : null,
    };
  }
  switch (action.do) {
    case 'remove': {
      const { kernel, package: pkg, hold } = action;
      const repo = receipts.find((one) => one.kernel === kernel && sameNevra(one.package, pkg))?.repo ?? null;
      const held = hold ? { kernel, name: pkg.name } : null;
      return { ...NO_ACTION, do: 'remove', kernel, package: known(pkg, kernel, receipts), repo, hold: held };
    }
    case 'own':
      return { ...NO_ACTION, do: 'module-install', kernel: action.kernel, module: action.own.module };
    case 'hold':
    case 'unhold':
      return { ...NO_ACTION, do: action.do, kernel: action.hold.kernel, hold: action.hold };
    case 'load':
    case 'unload': {
      const { kernel, module, nevra } = action;
      return { ...NO_ACTION, do: action.do, kernel, module, package: nevra && known(nevra, kernel, receipts) };
    }
    case 'setting': {
      const { name, value } = action.setting;
      return { ...NO_ACTION, do: 'setting', setting: { name, before: world.settings[name], value } };
    }
  }
}

function named({ name, epoch, version, release, arch }: Nevra, sha256: string | null): RecordedPackage {
  return { name, epoch, version, release, arch, sha256 };
}

/** An installed package, with the digest its receipt has. */
function known(nevra: Nevra, kernel: string, receipts: readonly Receipt[]): RecordedPackage {
  const receipt = receipts.find((one) => one.kernel === kernel && sameNevra(one.package, nevra));
  return named(nevra, receipt?.packageSha256 ?? null);
}

/** `module install` and `module uninstall`; a package where one brought the module. */
export function moduleAction(
  verb: 'module-install' | 'module-remove',
  kernel: string,
  module: string,
  pkg: Nevra | null = null,
): RecordedAction {
  if (verb === 'module-install' || pkg === null) return { ...NO_ACTION, do: verb, kernel, module };
  return { ...removedAction(kernel, pkg), module, hold: { kernel, name: pkg.name } };
}

/** A change of what is trusted. */
export function keyAction(verb: 'import' | 'remove' | 'pin' | 'unpin', key: RecordedKey): RecordedAction {
  return { ...NO_ACTION, do: verb === 'import' ? 'key-import' : verb === 'remove' ? 'key-remove' : verb, key };
}

/** A module that the running kernel takes or leaves outside of a plan, or that comes out of quarantine. */
export function aloneAction(
  verb: 'load' | 'unload' | 'clear-quarantine',
  kernel: string | null,
  module: string,
): RecordedAction {
  return { ...NO_ACTION, do: verb, kernel, module };
}

/** A package that is taken away outside of a plan. */
export function removedAction(kernel: string, pkg: Nevra, receipts: readonly Receipt[] = []): RecordedAction {
  return { ...NO_ACTION, do: 'remove', kernel, package: known(pkg, kernel, receipts) };
}

/** `machine reset`. */
export const resetAction: RecordedAction = { ...NO_ACTION, do: 'reset' };

/** Telling the rpm database what an interrupted run did not. */
export function registeringAction({ kernel, package: pkg, packageSha256, repo }: Receipt): RecordedAction {
  return { ...NO_ACTION, do: 'register', kernel, package: named(pkg, packageSha256), repo };
}

/** The record of a run that carries out a plan. */
export function recordFor({ machine, world }: Observed, request: Request, plan: Plan, locked: LockedState): RunRecord {
  // What could not be read was told when the machine was looked at; it stops its own kernel alone.
  const receipts = readReceipts(machine.root, machine.uid, () => undefined);
  return openRecord(machine, locked, request.commandLine ?? request.verb, recordedActions(plan, world, receipts));
}

/** A load that failed; where the kernel refused the level, what brought it is taken back and has failed too. */
export function recordFailure(application: Application, kernel: string, error: unknown, refused: boolean): void {
  const { record, plan, current } = application;
  if (!(error instanceof KpmError)) return;
  const outcome: Outcome = { outcome: 'failed', error: { code: error.code, text: error.message } };
  for (const [n, action] of plan.actions.entries()) {
    const brought = refused && (isTake(action) || action.do === 'own') && action.kernel === kernel;
    if (n === current || brought) record.set(n, outcome);
  }
  application.current = null;
}

/** What was really taken for an action. */
export function takenFields({ package: pkg, verified, modules }: StagedPatch): Partial<RecordedAction> {
  return { package: named(verified.nevra, verified.sha256), repo: pkg.repo, empty: modules.length === 0 };
}

/** A Ui that keeps the warnings of a run in its record. */
export function remarking(ui: Ui, record: RunRecord): Ui {
  return {
    ...ui,
    warn: (text) => {
      record.remark(text);
      ui.warn(text);
    },
    failure: (text, hint) => {
      record.remark(text);
      ui.failure(text, hint);
    },
  };
}

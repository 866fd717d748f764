// Plan: what will be done, in order, and for every other kernel why nothing is.
import type { Because } from './because.ts';
import type { KernelRelease } from './kernel.ts';
import type { OwnModule } from './livepatch.ts';
import type { Nevra } from './nevra.ts';
import type { OfferedPackage } from './package.ts';
import type { Hold, RepositoryState } from './world.ts';

export interface Rejection {
  readonly nevra: string;
  readonly repo: string;
  readonly because: Because;
}

interface Common {
  readonly because: Because;
  readonly rejected: readonly Rejection[];
}

/**
 * Take a package (or, where `empty`, a subscription) for one kernel; `replaces` is the level it takes the place of.
 * A downgrade is held afterwards, or the next automatic run would undo it.
 */
export interface InstallAction extends Common {
  readonly do: 'install' | 'upgrade' | 'downgrade' | 'reinstall';
  readonly kernel: KernelRelease;
  readonly package: OfferedPackage;
  readonly empty: boolean;
  readonly replaces: Nevra | null;
  /** The next usable levels below, best first: taken when the files of a package prove unusable. */
  readonly fallbacks: readonly OfferedPackage[];
  /** Why it is taken although its turn in the rollout has not come, as a sentence; absent: it has. */
  readonly early?: string;
}

/** Put a module that no package brings, a file that a person named, where modules of its kernel are loaded from. */
export interface OwnModuleAction extends Common {
  readonly do: 'own';
  readonly kernel: KernelRelease;
  readonly own: OwnModule;
}

/** Take a package away from one kernel. */
export interface RemoveAction extends Common {
  readonly do: 'remove';
  readonly kernel: KernelRelease;
  readonly package: Nevra;
  /** Record that it was taken away on purpose, so that automatic runs do not bring it back. */
  readonly hold?: boolean;
}

/** Give up a recorded hold: what it held was asked for by name. */
export interface UnholdAction extends Common {
  readonly do: 'unhold';
  readonly kernel: KernelRelease;
  readonly hold: Hold;
}

/** Record a hold again that an earlier run had given up. */
export interface HoldAction extends Common {
  readonly do: 'hold';
  readonly kernel: KernelRelease;
  readonly hold: Hold;
}

/** Load into the running kernel. `module` is null while the package that brings it is not fetched yet. */
export interface LoadAction extends Common {
  readonly do: 'load' | 'unload';
  readonly kernel: KernelRelease;
  readonly module: string | null;
  readonly nevra: Nevra | null;
}

export interface SettingAction extends Common {
  readonly do: 'setting';
  readonly setting: { readonly name: 'autoupdate' | 'autofilter'; readonly value: boolean };
}

export type Action =
  | InstallAction
  | OwnModuleAction
  | RemoveAction
  | HoldAction
  | UnholdAction
  | LoadAction
  | SettingAction;

/** Whether an action brings a package file. */
export function isTake(action: Action): action is InstallAction {
  return ['install', 'upgrade', 'downgrade', 'reinstall'].includes(action.do);
}

export interface Skipped {
  readonly kernel: KernelRelease;
  readonly because: Because;
  readonly rejected: readonly Rejection[];
}

/** Something typed that names nothing that could be done; `text` is the whole sentence. */
export interface Unmatched {
  readonly spec: string;
  readonly text: string;
}

export interface Plan {
  readonly actions: readonly Action[];
  readonly skipped: readonly Skipped[];
  readonly repositories: readonly RepositoryState[];
  /** In the order typed; absent where nothing was typed. */
  readonly unmatched?: readonly Unmatched[];
}

/** What became of one action of a plan. */
export interface Outcome {
  readonly outcome: 'done' | 'failed' | 'not-run';
  readonly error: { readonly code: string; readonly text: string } | null;
}

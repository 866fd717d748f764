// Plan: what will be done, in order, and for every other kernel why nothing is.
import type { Because } from './because.ts';
import type { KernelRelease } from './kernel.ts';
import type { Nevra } from './nevra.ts';
import type { OfferedPackage } from './package.ts';
import type { RepositoryState } from './world.ts';

export interface Rejection {
  readonly nevra: string;
  readonly repo: string;
  readonly because: Because;
}

interface Common {
  readonly because: Because;
  readonly rejected: readonly Rejection[];
}

/** Take a package (or, where `empty`, a subscription) for one kernel; `replaces` is the level it supersedes. */
export interface InstallAction extends Common {
  readonly do: 'install' | 'upgrade';
  readonly kernel: KernelRelease;
  readonly package: OfferedPackage;
  readonly empty: boolean;
  readonly replaces: Nevra | null;
  /** The next usable levels below, best first: taken when the files of a package prove unusable. */
  readonly fallbacks: readonly OfferedPackage[];
}

/** Take a package away from one kernel. */
export interface RemoveAction extends Common {
  readonly do: 'remove';
  readonly kernel: KernelRelease;
  readonly package: Nevra;
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

export type Action = InstallAction | RemoveAction | LoadAction | SettingAction;

export interface Skipped {
  readonly kernel: KernelRelease;
  readonly because: Because;
  readonly rejected: readonly Rejection[];
}

export interface Plan {
  readonly actions: readonly Action[];
  readonly skipped: readonly Skipped[];
  readonly repositories: readonly RepositoryState[];
}

/** What became of one action of a plan. */
export interface Outcome {
  readonly outcome: 'done' | 'failed' | 'not-run';
  readonly error: { readonly code: string; readonly text: string } | null;
}

// World: everything observed, as plain data. Deciding needs nothing else.
import type { Advisory, AdvisoryState } from './advisory.ts';
import type { Problem } from './because.ts';
import type { QuarantinedModule } from './crashguard.ts';
import type { InstalledKernel } from './kernel.ts';
import type { InstalledPatch, LoadedPatch, OwnModule } from './livepatch.ts';
import type { OfferedKernel, OfferedPackage } from './package.ts';
import type { Rollout } from './rollout.ts';

export interface RepositoryState {
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  readonly cost: number;
  /** False when its metadata could not be had at all. */
  readonly used: boolean;
  /** When the metadata in use was last confirmed by the server, ISO time; null when never. */
  readonly fetched: string | null;
  readonly ageSeconds: number | null;
  readonly stale: boolean;
  readonly problem: Problem | null;
}

export interface Settings {
  readonly autoupdate: boolean;
  readonly autofilter: boolean;
}

export interface Utility {
  /** Version of the installed kpatch utility (`0.9.7`), null when there is none. */
  readonly version: string | null;
  /** Absolute path below the root; null when there is none. */
  readonly path: string | null;
}

/** A recorded wish to leave a kernel (or one package) alone. */
export interface Hold {
  readonly kernel: string | null;
  readonly name: string | null;
  readonly since: string;
  readonly why: string;
}

/** A unit of systemd, as its files say it. */
export type UnitState = 'absent' | 'masked' | 'enabled' | 'disabled';

/** How far the units that load modules at boot are switched on. */
export interface BootUnits {
  /** kpatch.service, which the kpatch utility brings. */
  readonly utility: UnitState;
  /** kpatch-pm-boot.service, our own. */
  readonly own: UnitState;
  /** kpatch-pm.timer: unattended runs. */
  readonly timer: UnitState;
}

export interface World {
  readonly time: string;
  readonly machine: string | null;
  readonly root: string;
  /** True when the root is the running system: only then are `loaded` and `running` meaningful. */
  readonly live: boolean;
  readonly settings: Settings;
  readonly kernels: readonly InstalledKernel[];
  readonly repositories: readonly RepositoryState[];
  readonly offered: readonly OfferedPackage[];
  readonly offeredKernels: readonly OfferedKernel[];
  /** Advisories about kernels and live patches; empty unless the verb asks for them. */
  readonly advisories: readonly Advisory[];
  /** How far each repository's advisories are known; empty unless the verb asks for them. */
  readonly advisoryStates: readonly AdvisoryState[];
  readonly installed: readonly InstalledPatch[];
  readonly loaded: readonly LoadedPatch[];
  readonly utility: Utility;
  readonly holds: readonly Hold[];
  /** Module files that were named on the command line, in the order typed; absent means none. */
  readonly ownModules?: readonly OwnModule[];
  /** What holds new levels back for a while; absent: nothing does. */
  readonly rollout?: Rollout;
  /** Modules the crash guard took out of use; absent means none. */
  readonly quarantined?: readonly QuarantinedModule[];
  /** What the units that load at boot are set to; absent where nobody looked. */
  readonly boot?: BootUnits;
  /** Settings whose line in kpatch.conf does not plainly say the value in force; a setting verb writes them anew. */
  readonly settingsToMend?: readonly (keyof Settings)[];
  /** True when this user may not read our receipts and something on disk may be theirs: what is installed is then not known. */
  readonly receiptsHidden?: boolean;
  /** What was noticed while looking: warnings for people, none of them fatal. */
  readonly notices: readonly Problem[];
}

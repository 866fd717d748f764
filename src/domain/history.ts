// What we keep about one run that changed something: numbered, so that it can be read, and undone, later.
import type { Nevra } from './nevra.ts';
import type { Outcome } from './plan.ts';
import type { Hold } from './world.ts';

/** Format number of records on disk; an older one is migrated, a newer one refused. */
export const HISTORY_FORMAT = 1;
/** Records kept; the oldest go first. */
export const MAX_RECORDS = 1000;

/** A package as a record names it; `sha256` of the package file, null where nobody knows it (a level that dnf installed). */
export interface RecordedPackage extends Nevra {
  readonly sha256: string | null;
}

export type RecordedVerb =
  | 'install'
  | 'upgrade'
  | 'downgrade'
  | 'reinstall'
  | 'remove'
  | 'register'
  | 'hold'
  | 'unhold'
  | 'load'
  | 'unload'
  | 'setting'
  | 'module-install'
  | 'module-remove'
  | 'reset'
  | 'key-import'
  | 'key-remove'
  | 'pin'
  | 'unpin'
  | 'clear-quarantine';

/** A key whose trust was changed. */
export interface RecordedKey {
  readonly fingerprint: string;
  /** As the key says; empty where only the fingerprint was known. */
  readonly owner: string;
  /** The stream it is pinned to, or was. */
  readonly stream: string | null;
  /** The repository whose metadata it signs; null: it signs packages. */
  readonly repo: string | null;
}

/** One action of a run, and what became of it. */
export interface RecordedAction {
  readonly do: RecordedVerb;
  /** Null for a setting. */
  readonly kernel: string | null;
  readonly package: RecordedPackage | null;
  readonly repo: string | null;
  /** An empty package: the kernel is only subscribed. */
  readonly empty: boolean;
  /** The level before. */
  readonly replaces: RecordedPackage | null;
  /** The level before had been installed by somebody else (dnf, rpm) and is looked after by us from here on. */
  readonly adopts: boolean;
  readonly module: string | null;
  /** What is held back from here on, or was until here. */
  readonly hold: Pick<Hold, 'kernel' | 'name'> | Hold | null;
  readonly setting: {
    readonly name: 'autoupdate' | 'autofilter';
    readonly before: boolean;
    readonly value: boolean;
  } | null;
  /** Records of older versions lack it. */
  readonly key?: RecordedKey | null;
  readonly outcome: Outcome['outcome'];
  readonly error: Outcome['error'];
}

/** An action that was about nothing and not begun: what it was about is filled in. */
export const NO_ACTION: Omit<RecordedAction, 'do'> = {
  kernel: null,
  package: null,
  repo: null,
  empty: false,
  replaces: null,
  adopts: false,
  module: null,
  hold: null,
  setting: null,
  outcome: 'not-run',
  error: null,
};

export interface HistoryRecord {
  readonly format: typeof HISTORY_FORMAT;
  /** Counts from 1; never used twice on a machine. */
  readonly id: number;
  /** As typed, without the program's name and without credentials. */
  readonly command: string;
  /** Who logged in, whatever sudo made of him since. */
  readonly user: string;
  /** The user the process ran as. */
  readonly uid: number;
  readonly begun: string;
  /** Null: the run did not come to its own end (killed, power cut), or is still at it. */
  readonly ended: string | null;
  /** Version of kpatch-pm. */
  readonly version: string;
  readonly actions: readonly RecordedAction[];
  /** Exit status; null as `ended`. */
  readonly exit: number | null;
  /** What the run warned of, at most MAX_REMARKS. */
  readonly remarks: readonly string[];
}

export const MAX_REMARKS = 50;

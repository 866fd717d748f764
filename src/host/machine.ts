// Machine: everything about the surroundings that the pipeline may use, gathered once at the start and passed on.
import type { Interruption } from './interruption.ts';
import type { Root } from './root.ts';
import type { Run } from './run.ts';

export interface Machine {
  /** The root that is worked on (`--installroot`, else '/'). */
  readonly root: Root;
  /** The running system's root: paths given by people (baseurl=file:, gpgkey=, -c) count from here. */
  readonly host: Root;
  readonly run: Run;
  readonly now: () => Date;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True when `root` is the running system and not a container: sysfs and `uname -r` belong to it. */
  readonly live: boolean;
  /** `uname -r` where live, else null. */
  readonly uname: string | null;
  /** rpm architecture of the host's processor. */
  readonly arch: string;
  readonly uid: number;
  /** Login name for receipts and history. */
  readonly user: string;
  /** Version of kpatch-pm. */
  readonly version: string;
  /** What keeps signals from breaking off the wrong thing; absent where none can come. */
  readonly interruption?: Pick<Interruption, 'whole' | 'asked' | 'clearing'>;
}

/** A running display of one long work; `total` null while unknown. */
export interface Progress {
  advance(bytes: number): void;
  done(): void;
}

/** How the pipeline talks: progress and remarks go to stderr, questions to the terminal. */
export interface Ui {
  /** A remark; hidden by -q. */
  note(text: string): void;
  /** A warning; shown even with -q. */
  warn(text: string): void;
  /** A failure that does not end the run, with what to do next; always shown. */
  failure(text: string, hint: string | null): void;
  /** Only with -v. */
  detail(text: string): void;
  /** The answer of the person; raises `aborted` when nobody can answer. */
  confirm(question: string): Promise<boolean>;
  progress(label: string, total: number | null): Progress;
}

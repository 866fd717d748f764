// What the parts of one application share: what was seen, what is wanted, and what became of it so far.
import type { RunRecord } from '../apply/record.ts';
import type { Spool } from '../apply/spool.ts';
import type { InstallRequest } from '../apply/transactions.ts';
import type { Plan } from '../domain/plan.ts';
import type { Ui } from '../host/machine.ts';
import type { LockedState } from '../state/lock.ts';
import type { Observed } from './observed.ts';
import type { Request } from './request.ts';
import type { StagedPatch } from './stage.ts';

/** Shared by the parts of one run. */
export interface Application {
  readonly observed: Observed;
  readonly request: Request;
  readonly ui: Ui;
  readonly locked: LockedState;
  readonly plan: Plan;
  /** The record of this run, which goes with every transaction. */
  readonly record: RunRecord;
  /** What was verified and is not installed yet. */
  readonly spool: Spool;
  /** The action that is being carried out: its transaction completes it. Null where one takes back what failed. */
  current: number | null;
  /** Staged packages by kernel. */
  readonly stagedFor: Map<string, StagedPatch>;
  /** What was installed in this run, by kernel: to be settled or taken back after loading. */
  readonly installations: Map<string, Installation>;
  /** Kernels whose new level was taken back, because the running kernel refused it. */
  readonly reverted: Set<string>;
}

/** What is needed to settle an installation, or to take it back. */
export interface Installation {
  readonly staged: StagedPatch;
  readonly request: InstallRequest;
}

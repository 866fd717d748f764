// What the steps of one transaction share while they are done, and what became of them.
import type { Problem } from '../domain/because.ts';
import type { Outcome } from '../domain/plan.ts';
import type { Machine } from '../host/machine.ts';
import type { Blobs, Step } from '../state/steps.ts';
import type { Registration } from './register.ts';

/** A step that was refused; `kernel` null: it concerns no kernel in particular. */
export interface Refusal {
  readonly kernel: string | null;
  readonly problem: Problem;
}

/** What the steps of one transaction share. */
export interface Transaction {
  readonly machine: Machine;
  readonly steps: readonly Step[];
  /** Bytes this very run staged, checked then; empty when an earlier run's transaction is finished. */
  readonly blobs: Blobs;
  /** Answers of the rpm database so far, by NEVRA. */
  readonly registered: Map<string, Registration>;
  /** Kernels whose module was refused, with the reason: their later steps are not done. */
  readonly stopped: Map<string, Problem>;
  /** Kernels of which a package would not leave the rpm database: its payload stays too. */
  readonly clinging: Set<string>;
  readonly notices: Problem[];
  /** What was refused so far; what rpm refuses is no failure and not among them. */
  readonly refused: Refusal[];
}

export type Done = 'done' | 'already' | Problem;

export const tell = (transaction: Transaction, problem: Problem | null): void => {
  if (problem) transaction.notices.push(problem);
};

/** The kernel a step is about; null: none. */
export function kernelOf(step: Step): string | null {
  if (step.do === 'receipt') return step.receipt.kernel;
  return 'kernel' in step ? step.kernel : null;
}

/** What became of an action for a kernel: one of another kernel may have failed beside it. */
export function outcomeFor(kernel: string | null, refused: readonly Refusal[]): Outcome {
  const own = refused.find((one) => one.kernel === kernel || one.kernel === null || kernel === null);
  return own ? { outcome: 'failed', error: own.problem } : { outcome: 'done', error: null };
}

// What the crash guard remembers and what it can see after a crash.
import type { KernelRelease } from './kernel.ts';

/** A module that was being loaded for the first time on its kernel and has not proved healthy yet. */
export interface Attempt {
  readonly kernel: KernelRelease;
  readonly module: string;
  /** File name below var/lib/kpatch/<kernel>/. */
  readonly file: string;
  readonly sha256: string;
  /** ISO time at which it was begun. */
  readonly since: string;
  /** Boot in which it was begun and not resolved; null once that boot has been judged. */
  readonly bootId: string | null;
  /** Boots that ended during an attempt without a trace. */
  readonly strikes: number;
}

/** Something only a crash leaves behind. */
export interface CrashEvidence {
  readonly kind: 'pstore' | 'vmcore';
  /** As shown to people. */
  readonly path: string;
  /** ISO time. */
  readonly time: string;
}

/** A module that was taken out of its kernel's directory after a crash. */
export interface QuarantinedModule {
  readonly kernel: KernelRelease;
  readonly module: string;
  readonly file: string;
  readonly sha256: string;
  /** NEVRA it came from; null when nobody accounts for it. */
  readonly package: string | null;
  readonly since: string;
  readonly why: string;
}

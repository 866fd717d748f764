// What the commands of the `module` family share.
import type { KpmError } from '../../errors.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import type { State } from '../../state/directory.ts';

export interface Session {
  readonly machine: Machine;
  /** The working directory: names of files count from there. */
  readonly directory: string;
  readonly ui: Ui;
  /** What was typed, for the history. */
  readonly commandLine: string;
  /** The question of unload was answered on the command line. */
  readonly yes: boolean;
  out(text: string): void;
  err(text: string): void;
  /** Prints `kpatch: TEXT` on standard error, as the utility does, and gives the exit status 1. */
  fail(text: string): number;
  /** What the utility does not say: why, and what to do next. */
  explain(error: KpmError): void;
  /** Our directory with the lock taken, which is kept to the end, and earlier work finished. Raises `locked`, `state-unsafe`, `needs-root`. */
  locked(): Promise<State>;
  /** The same, for a transaction. */
  transaction(): Promise<import('../../state/lock.ts').LockedState>;
}

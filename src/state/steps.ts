// A transaction as data: a list of steps, each of which may be run twice without harm, so that a journal can replay them.
import type { Problem } from '../domain/because.ts';
import type { HistoryRecord } from '../domain/history.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import type { Nevra } from '../domain/nevra.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { Hold } from '../domain/world.ts';

/**
 * Where a module lies. `active` is var/lib/kpatch/KERNEL/, from which it is loaded (at boot too);
 * `payload` is usr/lib/kpatch/KERNEL/, the path the package itself names (only packages that are registered have it).
 */
export type Place = 'active' | 'payload';

/** Brings a module file into a place; the bytes are a blob of this transaction, or were kept by an earlier `drop`. */
export interface PutStep {
  readonly do: 'put';
  readonly place: Place;
  readonly kernel: KernelRelease;
  /** File name, one component, ends in `.ko`. */
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  /** Permission bits and modification time (seconds) as the package's header says. */
  readonly mode: number;
  readonly mtime: number;
  /** A link that goes with the file (build id). Path below the root. */
  readonly link?: { readonly path: string; readonly target: string } | null;
  /** Put only where a `register` step of this transaction for this package (formatNevra) succeeded; without it: always. */
  readonly ifRegistered?: string | null;
}

/** Takes a module file away. With `keep` its bytes stay in our own directory until `forget`, so that `put` can bring them back. */
export interface DropStep {
  readonly do: 'drop';
  readonly place: Place;
  readonly kernel: KernelRelease;
  readonly file: string;
  readonly keep: boolean;
  /** As in PutStep. */
  readonly ifRegistered?: string | null;
}

/** Writes the receipt of one package of one kernel; its `registered` is what an earlier `register` step found, if there is one. */
export interface ReceiptStep {
  readonly do: 'receipt';
  readonly receipt: Receipt;
}

export interface UnreceiptStep {
  readonly do: 'unreceipt';
  readonly kernel: KernelRelease;
  /** Package name. */
  readonly name: string;
}

/** Tells the rpm database (--justdb, no scriptlets); `sha256` is the blob that holds the package file. A refusal is no failure. */
export interface RegisterStep {
  readonly do: 'register';
  readonly kernel: KernelRelease;
  readonly nevra: Nevra;
  readonly sha256: string;
  readonly size: number;
  /** Allow rpm to go to an older version (undo). */
  readonly downgrade: boolean;
}

export interface UnregisterStep {
  readonly do: 'unregister';
  readonly kernel: KernelRelease;
  readonly nevra: Nevra;
}

/** Replaces a configuration file by `text`, provided that it still is what was read (`before`), so that nobody's edit is lost. */
export interface SettingStep {
  readonly do: 'setting';
  /** Path below the root, as read. */
  readonly path: string;
  /** SHA-256 of the file when it was read; null when there was none. */
  readonly before: string | null;
  /** One character a byte (latin1): comments in any encoding survive. */
  readonly text: string;
  /** Permission bits of a new file; an existing one keeps its own. */
  readonly mode: number;
}

export interface HoldStep {
  readonly do: 'hold';
  readonly hold: Hold;
}

export interface UnholdStep {
  readonly do: 'unhold';
  readonly kernel: string | null;
  readonly name: string | null;
}

/** Gives up what `drop` kept for a kernel (after the new level was proven). */
export interface ForgetStep {
  readonly do: 'forget';
  readonly kernel: KernelRelease;
}

/** Writes the record of the run to the history; the last step of its transaction. */
export interface RecordStep {
  readonly do: 'record';
  readonly record: HistoryRecord;
  /** Actions of the record that are done when the transaction is, and failed where it refuses a step. */
  readonly ends: readonly number[];
}

/** Removes what belongs to this machine alone (state/machine-bound.ts). */
export interface ResetStep {
  readonly do: 'reset';
}

export type Step =
  | PutStep
  | DropStep
  | ReceiptStep
  | UnreceiptStep
  | RegisterStep
  | UnregisterStep
  | SettingStep
  | HoldStep
  | UnholdStep
  | ForgetStep
  | RecordStep
  | ResetStep;

/** What became of one step: done now, was so already, or refused with a reason that does not end the transaction. */
export interface StepResult {
  readonly step: Step;
  readonly outcome: 'done' | 'already' | 'refused';
  readonly problem: Problem | null;
}

/** Where the bytes of a blob are to be had. */
export interface BlobSource {
  readonly size: number;
  /** A file below the root that is ours alone and has these very bytes, mode and time; null: they are in memory. */
  readonly file: string | null;
  /** The bytes. Raises `blob-missing` where the file is not what it was. */
  read(): Buffer;
}

/** What a transaction brings along, by the SHA-256 of its bytes in hexadecimal. */
export type Blobs = ReadonlyMap<string, BlobSource>;

export interface TransactionResult {
  readonly results: readonly StepResult[];
  /** Warnings for people: no label could be set, not registered ... */
  readonly notices: readonly Problem[];
}

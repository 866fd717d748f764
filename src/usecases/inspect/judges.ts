// What files are judged by, and how a fault of theirs is told.
import type { Problem } from '../../domain/because.ts';
import { KpmError } from '../../errors.ts';
import type { PublicKey } from '../../formats/openpgp/index.ts';
import type { KernelKeys } from '../../host/keyring.ts';
import type { Run } from '../../host/run.ts';

export interface Judges {
  readonly keys: readonly PublicKey[];
  /** Keys of the running kernel; null where they are not to be known. */
  readonly kernelKeys: KernelKeys | null;
  readonly now: Date;
  readonly run: Run;
  /** The fingerprints that a stream is pinned to, null where it is not; raises where that cannot be known. Absent: nobody asks. */
  readonly pinsOf?: (stream: string) => readonly string[] | null;
}

/** A fault of the file in code and words; anything else is a fault of ours and raised. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof KpmError) || error.code === 'internal') throw error;
  return { code: error.code, text: error.message };
}

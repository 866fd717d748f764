// One reader under test.
import { KpmError } from '../../src/errors.ts';
import type { Random } from './random.ts';

export interface Target {
  readonly name: string;
  /** How often it is chosen, beside the others. */
  readonly weight: number;
  /** An input: a changed sample, or something made from the structure up. */
  make(random: Random): Buffer;
  /**
   * Reads the input. May raise KpmError (any code but `internal`); everything else it raises is a finding, and so is a
   * Violation: the reader took what it must not take.
   */
  run(input: Buffer): void | Promise<void>;
}

/** A promise of the program that an input broke. */
export class Violation extends Error {}

export function insist(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what);
}

/** Whether this is how an input may be refused. */
export function isRefusal(error: unknown): boolean {
  return error instanceof KpmError && error.code !== 'internal';
}

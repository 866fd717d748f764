// The words of doctor's findings, and how the checks write them.
import type { HostFacts } from '../../domain/host-facts.ts';
import type { World } from '../../domain/world.ts';

/**
 * `fault`: live patching does not work, or works less than it seems. `warning`: something will be missing one day, or works
 * in a worse way. `note`: worth knowing. `unknown`: this user, or this machine, does not let it be seen.
 */
export type FindingState = 'ok' | 'note' | 'warning' | 'fault' | 'unknown';

export interface Judgement {
  readonly state: FindingState;
  readonly text: string;
  /** The command that mends it. */
  readonly mend: string | null;
}

/** What a check looks at; no World where the configuration could not be read at all. */
export interface Sight {
  readonly host: HostFacts;
  readonly world: World | null;
}

/** A check that does not apply says nothing. */
export type Check = (sight: Sight) => readonly Judgement[];

export const ok = (text: string): Judgement => ({ state: 'ok', text, mend: null });
export const note = (text: string, mend: string | null = null): Judgement => ({ state: 'note', text, mend });
export const warning = (text: string, mend: string | null): Judgement => ({ state: 'warning', text, mend });
export const fault = (text: string, mend: string | null): Judgement => ({ state: 'fault', text, mend });
export const unknown = (text: string, mend: string | null): Judgement => ({ state: 'unknown', text, mend });

/** A sentence of elsewhere as a line of a list. */
export const unstopped = (text: string): string => text.replace(/\.$/, '');

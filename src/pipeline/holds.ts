// What was decided to be left alone: how a hold is recorded, and that nothing is changed where decisions cannot be read.
import type { Hold } from '../domain/world.ts';
import type { Machine } from '../host/machine.ts';
import { STATE } from '../state/directory.ts';
import { readHolds } from '../state/holds.ts';
import { readQuarantine } from '../state/quarantine.ts';

/** A new hold; `why` becomes a sentence with day and user. */
export function newHold({ now, user }: Machine, kernel: string, name: string, why: string): Hold {
  const since = now().toISOString();
  return { kernel, name, since, why: `${why} on ${since.slice(0, 10)} by ${user}` };
}

/** Whether this user may look into our own directory. */
export function maySeeState({ root, uid }: Pick<Machine, 'root' | 'uid'>): boolean {
  const directory = root.lstat(STATE);
  return directory === null || uid === 0 || directory.uid === uid;
}

/**
 * Holds and quarantine can be read, or nobody knows what must not be installed: a damaged list is never taken for an empty
 * one. Readers show what they can and warn. Raises `state-damaged`, `state-newer`, `state-unsafe`.
 */
export function checkDecisions(machine: Pick<Machine, 'root' | 'uid'>): void {
  if (!maySeeState(machine)) return;
  readHolds(machine.root, machine.uid);
  readQuarantine(machine.root, machine.uid);
}

// A hold as it is recorded: which package of which kernel, since when, why and by whom.
import type { Hold } from '../domain/world.ts';
import type { Machine } from '../host/machine.ts';

/** A new hold; `why` becomes a sentence with day and user. */
export function newHold({ now, user }: Machine, kernel: string, name: string, why: string): Hold {
  const since = now().toISOString();
  return { kernel, name, since, why: `${why} on ${since.slice(0, 10)} by ${user}` };
}

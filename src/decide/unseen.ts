// What of the repositories' offers could not be seen: where something was not, nobody knows what is not on offer.
import { type Because, because } from '../domain/because.ts';
import type { World } from '../domain/world.ts';

/** Why nothing at all is known of what is on offer; null where something is. */
export function noMetadata(world: World): Because | null {
  if (world.repositories.some((repo) => repo.used)) return null;
  const text =
    world.repositories.length === 0
      ? 'no repository is enabled'
      : world.repositories.every(({ problem }) => problem?.code === 'cache-missing')
        ? 'what the repositories offer is not in the cache'
        : 'no repository could be read; run `kpatch-pm makecache` to see why';
  return because('no-metadata', text);
}

/** Why it is not known that nothing more is on offer; null where every repository was read. */
export function unseen(world: World): string | null {
  const nothing = noMetadata(world);
  if (nothing) return nothing.text;
  const unread = world.repositories.filter(({ used }) => !used).map(({ id }) => id);
  return unread.length === 0 ? null : `${unread.join(', ')} could not be read`;
}

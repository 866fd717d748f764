// Whether dnf5 should be stopped from bringing a kernel: the filter's decision, for the action of packaging/dnf/dnf5.
import type { World } from '../domain/world.ts';
import { streamOf, streams } from './streams.ts';
import { unseen } from './unseen.ts';

export interface Veto {
  /** Kernels that nobody offers live patches for, and that must not arrive. */
  readonly refused: readonly string[];
  /** Why nothing could be told, in one sentence; null when it could. */
  readonly unknown: string | null;
}

const NONE: Veto = { refused: [], unknown: null };

/**
 * Refuses what is not installed and has no live patches, while the filter is on and an installed kernel has them. When the last
 * stream of this machine has ended there is nothing left to protect by staying: every kernel may come then, by itself.
 * A repository that could not be read, or none at all: there may be live patches, so nothing is refused.
 */
export function veto(world: World, arriving: readonly string[]): Veto {
  if (!world.settings.autofilter) return NONE;
  const without = arriving
    .map((release) => streamOf(release, world))
    .filter(({ installed, supported }) => !installed && !supported);
  if (without.length === 0) return NONE;
  if (!streams(world).some(({ installed, supported }) => installed && supported)) return NONE;
  const why = unseen(world);
  if (why !== null) return { refused: [], unknown: `whether there are live patches is not known: ${why}` };
  return { refused: without.map(({ release }) => release), unknown: null };
}

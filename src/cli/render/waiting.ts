// What is on offer and not taken by itself: held, or waiting for its turn. Said where somebody asks for upgrades.
import { waitingText } from '../../decide/rollout.ts';
import { kernelReports } from '../../decide/verdict.ts';
import { formatNevra } from '../../domain/nevra.ts';
import type { World } from '../../domain/world.ts';

/** One sentence for each kernel of which something is held back. */
export function waitingNotes(world: World): string[] {
  return kernelReports(world).flatMap(({ release, held, available, rollout }) => {
    if (held) return available ? [`${release} is held: ${held.text}; ${formatNevra(available)} is on offer.`] : [];
    return rollout ? [`${release}: ${waitingText(rollout)}`] : [];
  });
}

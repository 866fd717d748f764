// The rollout as it bears on this machine: its place for every level on offer.
import { createHash } from 'node:crypto';
import { isLivePatchName } from '../decide/schemes/rhel.ts';
import type { Problem } from '../domain/because.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import { isStaged, type RolloutPolicy } from '../domain/rollout.ts';
import type { World } from '../domain/world.ts';

/** Places in a rollout: hundredths of a per cent. */
const PLACES = 10_000;

/**
 * The place of a machine, or group, for a level: 0 to below 100. The first eight digits of SHA-256 over `ID NEVRA` as a
 * share of all: the order of machines is drawn anew for each level, so that nobody is always first, and anybody can
 * work it out with sha256sum.
 */
export function placeOf(id: string, nevra: string): number {
  const digits = createHash('sha256').update(`${id} ${nevra}`).digest('hex').slice(0, 8);
  return Math.floor((Number.parseInt(digits, 16) / 2 ** 32) * PLACES) / 100;
}

/** What of the policy counts in this run; nothing where it holds nothing back. */
export function rolloutFor(
  policy: RolloutPolicy,
  machine: string | null,
  offered: readonly OfferedPackage[],
  notices: Problem[],
): Pick<World, 'rollout'> {
  if (!isStaged(policy)) return {};
  const { cohort } = policy;
  const id = typeof cohort === 'string' ? cohort : machine;
  if (cohort === null && (machine === null || !/^[0-9a-f]{32}$/.test(machine))) {
    const text =
      'This root has no machine-id, so it is among the last in the rollout; set rollout.cohort in kpatch-pm.conf to change that.';
    notices.push({ code: 'rollout-no-id', text });
    return { rollout: { ...policy, places: places(offered, () => (PLACES - 1) / 100) } };
  }
  const place = (nevra: string): number => (typeof cohort === 'number' ? cohort : placeOf(id ?? '', nevra));
  return { rollout: { ...policy, places: places(offered, place) } };
}

function places(offered: readonly OfferedPackage[], place: (nevra: string) => number): Record<string, number> {
  const names = offered.filter(({ name }) => isLivePatchName(name)).map(formatNevra);
  return Object.fromEntries(names.map((nevra) => [nevra, place(nevra)]));
}

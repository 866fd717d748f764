// How long fixes have been published that the running kernel does not have.
import type { World } from '../domain/world.ts';
import type { CveReport, CveState } from './cves.ts';
import { issuedAt } from './rollout.ts';

/** States in which a fix exists and does not run. */
export const OPEN_STATES: readonly CveState[] = ['unproven', 'on-disk', 'available', 'reboot', 'out-of-reach'];

/**
 * By open state: when the first advisory for the CVE that has waited longest was issued, in seconds since 1970. A state is
 * left out where no CVE is in it, or none of them has a date.
 */
export function oldestFixes(cves: readonly CveReport[], world: World): ReadonlyMap<CveState, number> {
  const issued = new Map<string, number>();
  for (const advisory of world.advisories) {
    const time = issuedAt(advisory.issued);
    if (time === null) continue;
    for (const cve of advisory.cves) issued.set(cve, Math.min(time, issued.get(cve) ?? time));
  }
  const oldest = new Map<CveState, number>();
  for (const { cve, state } of cves) {
    const time = issued.get(cve);
    if (time === undefined || !OPEN_STATES.includes(state)) continue;
    oldest.set(state, Math.min(time, oldest.get(state) ?? time));
  }
  return oldest;
}

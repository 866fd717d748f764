// In FIPS mode every digest and signature must come from the system's validated OpenSSL. A node that brings its own (the
// self-contained package, builds of nodejs.org) is refused before anything is verified with it.
// Source: crypto-policies(7), fips-mode-setup(8): /proc/sys/crypto/fips_enabled.
import { KpmError } from '../errors.ts';
import type { Surroundings } from './surroundings.ts';

/** Whether the kernel of this system runs in FIPS mode. */
export const inFipsMode = (host: { readText(path: string): string | null }): boolean =>
  host.readText('proc/sys/crypto/fips_enabled')?.trim() === '1';

/** Raises `fips-own-openssl`. */
export function refuseOwnOpenssl(surroundings: Surroundings, host: { readText(path: string): string | null }): void {
  if (!inFipsMode(host) || !surroundings.ownOpenssl) return;
  throw new KpmError('fips-own-openssl', {
    text: 'This system is in FIPS mode, and the node that runs kpatch-pm has its own OpenSSL, which is not validated: nothing is done with it.',
    hint: "Use the distribution's nodejs: dnf swap kpatch-pm-selfcontained kpatch-pm",
  });
}

// What the crash guard keeps out of use.
import type { QuarantinedModule } from '../domain/crashguard.ts';
import { compareEvr } from '../domain/evr.ts';
import { formatNevra, type Nevra, parseNevra } from '../domain/nevra.ts';
import type { World } from '../domain/world.ts';
import type { PackagedPatch } from './installed.ts';

/** The quarantine entry of a package for a kernel, if there is one. */
export function quarantinedPackage(pkg: Nevra, kernel: string, world: World): QuarantinedModule | null {
  const nevra = formatNevra(pkg);
  return world.quarantined?.find((one) => one.kernel === kernel && one.package === nevra) ?? null;
}

/** The quarantine entry that still tells the state of a kernel: none of its stream is installed above it. */
export function standingQuarantine(
  kernel: string,
  installed: PackagedPatch | null,
  world: World,
): QuarantinedModule | null {
  const entries = world.quarantined?.filter((one) => one.kernel === kernel) ?? [];
  return (
    entries.find((one) => {
      const nevra = one.package === null ? null : parseNevra(one.package);
      return nevra === null || installed === null || compareEvr(installed.package, nevra) <= 0;
    }) ?? null
  );
}

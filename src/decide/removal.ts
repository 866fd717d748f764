// Taking live patches away: those a person names, and those whose kernel is gone.
import { because } from '../domain/because.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { RemoveAction, Unmatched } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { goneKernels } from './gone.ts';
import type { PackagedPatch } from './installed.ts';
import { asNamed } from './meaning.ts';
import { type Spec, select } from './spec.ts';

export interface Removal {
  readonly removes: readonly RemoveAction[];
  readonly unmatched: readonly Unmatched[];
}

/** Removes what is named, for the kernels given (empty: all). A module without package is somebody's own and stays. */
export function removalOf(specs: readonly Spec[], kernels: readonly string[], world: World): Removal {
  const installed = world.installed.flatMap(asNamed);
  const here = installed.filter(({ patch }) => kernels.length === 0 || kernels.includes(patch.kernel));
  const found: PackagedPatch[] = [];
  const unmatched: Unmatched[] = [];
  for (const spec of specs) {
    const named = select(spec, here).map(({ patch }) => patch);
    found.push(...named);
    if (named.length === 0) unmatched.push({ spec: spec.text, text: nothingFor(spec, world) });
  }
  return { removes: removeActions(found, true, world), unmatched };
}

function nothingFor(spec: Spec, world: World): string {
  const wanted = spec.text.replace(/^.*\//, '').replace(/\.ko$/, '').replace(/[-.]/g, '_');
  const own = world.installed.find((patch) => patch.package === null && patch.module === wanted);
  if (!own) return `No match for argument: ${spec.text}`;
  return `${own.module} belongs to no package and is left alone; to take it away: kpatch-pm module uninstall -k ${own.kernel} ${own.module}`;
}

/** What is installed for kernels that are no longer here, or for those of them that are given (empty: all). */
export function orphansOf(kernels: readonly string[], world: World): RemoveAction[] {
  const gone = goneKernels(world).filter(({ release }) => kernels.length === 0 || kernels.includes(release));
  const left = gone.flatMap(({ installed }) => installed);
  const orphans = left.filter((patch): patch is PackagedPatch => patch.package !== null);
  return removeActions(orphans, false, world);
}

/** Takes these away, each package once; `hold`: automatic runs do not bring them back, where their kernel is here. */
export function removeActions(patches: readonly PackagedPatch[], hold: boolean, world: World): RemoveAction[] {
  const seen = new Set<string>();
  const here = new Set<string>(world.kernels.map(({ release }) => release));
  return patches.flatMap((patch): RemoveAction[] => {
    const key = `${patch.kernel} ${formatNevra(patch.package)}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const reason = hold ? because('asked-for', stays(patch, world) ?? undefined) : because('kernel-gone');
    return [
      {
        do: 'remove',
        kernel: patch.kernel as KernelRelease,
        package: patch.package,
        hold: hold && here.has(patch.kernel),
        because: reason,
        rejected: [],
      },
    ];
  });
}

/** A loaded patch cannot leave with its file: the kernel keeps it. */
function stays(patch: PackagedPatch, world: World): string | null {
  const running = world.live && world.kernels.some((kernel) => kernel.running && kernel.release === patch.kernel);
  const loaded = running && world.loaded.some((one) => one.module === patch.module && one.enabled);
  return loaded ? `${patch.module} stays active in the running kernel until the next reboot` : null;
}

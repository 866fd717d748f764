// What lies below /var/lib/kpatch for kernels that are not installed any more: shown, and left to `autoremove` and its owner.
import type { InstalledPatch } from '../domain/livepatch.ts';
import type { World } from '../domain/world.ts';

/** What is left of a kernel that is gone. */
export interface GoneKernel {
  readonly release: string;
  readonly installed: readonly InstalledPatch[];
}

/** The kernels that are gone and have live patches or modules still, in the order of what is installed. */
export function goneKernels({ kernels, installed }: Pick<World, 'kernels' | 'installed'>): GoneKernel[] {
  const here = new Set<string>(kernels.map(({ release }) => release));
  const gone = [...new Set(installed.map(({ kernel }) => kernel as string))].filter((release) => !here.has(release));
  return gone.map((release) => ({ release, installed: installed.filter(({ kernel }) => kernel === release) }));
}

/** Whether `autoremove` would take something of it away: what belongs to no package stays. */
export const isRemovable = ({ installed }: GoneKernel): boolean => installed.some((patch) => patch.package !== null);

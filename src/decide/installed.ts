// What of a kernel's stream is on disk and in the kernel.
import { compareEvr, type Evr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import type { InstalledPatch, LoadedPatch } from '../domain/livepatch.ts';
import type { Nevra } from '../domain/nevra.ts';
import type { World } from '../domain/world.ts';
import { isLivePatchName, levelOfModule, moduleName, streamName, targetOf } from './schemes/rhel.ts';

/** An installed patch that a package accounts for. */
export type PackagedPatch = InstalledPatch & { readonly package: Nevra };

/** The highest installed level of a kernel's streams; null when no package is installed for it. */
export function installedLevel(kernel: InstalledKernel, world: World): PackagedPatch | null {
  const ours = world.installed.filter(
    (patch): patch is PackagedPatch => patch.kernel === kernel.release && patch.package !== null,
  );
  ours.sort((a, b) => compareEvr(b.package, a.package));
  return ours[0] ?? null;
}

/** Whether a package installed here is only a subscription: it has no module and never had one. */
export function isSubscription(patch: InstalledPatch): boolean {
  return patch.package !== null && patch.module === null;
}

/** The module name an installed patch has, or would have, in sysfs. */
export function moduleOf(patch: PackagedPatch): string {
  return patch.module ?? moduleName(patch.package);
}

export interface ActiveLevel {
  readonly patch: LoadedPatch;
  readonly level: Evr;
}

/** The highest level of one stream that is in the running kernel and enabled (a transition may still be going on). */
export function activeLevel(stream: string, world: World): ActiveLevel | null {
  let best: ActiveLevel | null = null;
  for (const patch of world.loaded) {
    const level = patch.enabled && isLivePatchName(stream) ? levelOfModule(patch.module, stream) : null;
    if (level && (best === null || compareEvr(level, best.level) > 0)) best = { patch, level };
  }
  return best;
}

/** Stream names that can concern a kernel: by the scheme, and of what is installed, was removed or is on offer for it. */
export function streamsOf(kernel: InstalledKernel, world: World): string[] {
  const installed = world.installed
    .filter((patch) => patch.kernel === kernel.release && patch.package !== null)
    .map((patch) => (patch.package as Nevra).name);
  // What is not installed any more may still be in the kernel; the scheme does not name the streams of every kernel.
  const held = world.holds.flatMap((hold) => (hold.kernel === kernel.release && hold.name !== null ? [hold.name] : []));
  const offered = world.offered.filter((pkg) => isFor(pkg, kernel.release)).map(({ name }) => name);
  const names = [...installed, ...held, ...offered];
  const byScheme = streamName(kernel.release);
  return [...new Set(byScheme === null ? names : [byScheme, ...names])];
}

function isFor(pkg: World['offered'][number], release: string): boolean {
  const target = targetOf(pkg);
  return 'kernel' in target && target.kernel === release;
}

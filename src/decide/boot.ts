// What the next boot of a kernel does with the files below var/lib/kpatch: pure, so that `status` tells beforehand exactly
// what the boot verb will do.
import { compareEvr, type Evr, rpmvercmp } from '../domain/evr.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import type { InstalledPatch } from '../domain/livepatch.ts';
import type { BootUnits, World } from '../domain/world.ts';
import { levelOfModule, streamName } from './schemes/rhel.ts';

/** Module files of one kernel, sorted into what is loaded (in order), and lower levels that are put aside. */
export interface BootFiles {
  readonly load: readonly InstalledPatch[];
  readonly aside: readonly InstalledPatch[];
  /** Files that are not loaded by us: changed since they were installed. */
  readonly refused: readonly InstalledPatch[];
}

type Known = Pick<World, 'installed' | 'quarantined'>;

interface Levelled {
  readonly patch: InstalledPatch;
  readonly stream: string;
  readonly level: Evr;
}

/** The stream and level of a file: by its package, or by a name of the kernel's own stream. */
function levelled(patch: InstalledPatch): Levelled | null {
  if (patch.package) return { patch, stream: patch.package.name, level: patch.package };
  const stream = streamName(patch.kernel);
  const level = stream === null || patch.module === null ? null : levelOfModule(patch.module, stream);
  return stream === null || level === null ? null : { patch, stream, level };
}

/** A file nobody accounts for, whose module is named as one that a package accounts for but for the level at its end. */
function beside(patch: InstalledPatch, others: readonly InstalledPatch[]): Levelled | null {
  const mine = LEVEL.exec(patch.module ?? '');
  const relative = others.find(
    ({ package: nevra, module }) => nevra && mine && LEVEL.exec(module ?? '')?.[1] === mine[1],
  );
  if (!mine || !relative?.package) return null;
  const { groups: { version = '', release = '' } = {} } = mine;
  return { patch, stream: relative.package.name, level: { epoch: relative.package.epoch, version, release } };
}

const LEVEL = /^(.+)_(?<version>\d+)_(?<release>\d+)$/;

/**
 * One cumulative level of every stream stays: the highest that a package accounts for. A higher file of the stream's name
 * that nobody accounts for is somebody's own and wins its place, for nothing may replace it silently. Files of no stream
 * stay and come last, in the order of their numbers.
 */
export function bootFiles(kernel: KernelRelease, world: Known): BootFiles {
  const files = world.installed.filter((patch) => patch.kernel === kernel && patch.file !== null);
  const usable = files.filter((patch) => patch.changed !== true);
  const load: InstalledPatch[] = [];
  const aside: InstalledPatch[] = [];
  const own: InstalledPatch[] = [];
  const streams = new Map<string, Levelled[]>();
  for (const patch of usable) {
    const found = levelled(patch) ?? beside(patch, usable);
    if (found) streams.set(found.stream, [...(streams.get(found.stream) ?? []), found]);
    else own.push(patch);
  }
  for (const [, levels] of [...streams].sort(([a], [b]) => (a < b ? -1 : 1))) {
    levels.sort((a, b) => compareEvr(b.level, a.level));
    const best = levels[0];
    if (!best) continue;
    // A package may hold several modules; they are of one level.
    for (const one of levels) (compareEvr(one.level, best.level) === 0 ? load : aside).push(one.patch);
  }
  own.sort((a, b) => rpmvercmp(a.module ?? '', b.module ?? ''));
  return { load: [...load, ...own], aside, refused: files.filter((patch) => patch.changed === true) };
}

/** Who loads at the next boot, and why nobody does. */
export type BootLoader =
  | { readonly by: 'kpatch-pm-boot.service' | 'kpatch.service' }
  | { readonly by: null; readonly why: string };

/**
 * Our unit loads where kpatch.service is enabled or does not exist, so that `systemctl disable kpatch.service` means what
 * the vendor's documentation says it means. Where ours is off, an enabled kpatch.service loads alone.
 */
export function bootLoader(units: BootUnits): BootLoader {
  if (units.utility === 'disabled' || units.utility === 'masked') {
    return { by: null, why: `kpatch.service is ${units.utility}` };
  }
  if (units.own === 'enabled') return { by: 'kpatch-pm-boot.service' };
  if (units.utility === 'enabled') return { by: 'kpatch.service' };
  return { by: null, why: `kpatch-pm-boot.service is ${units.own} and there is no kpatch.service` };
}

export interface NextBoot {
  /** Modules that will be loaded when this kernel boots, in order. */
  readonly loads: readonly string[];
  readonly by: 'kpatch-pm-boot.service' | 'kpatch.service' | null;
  /** One sentence. */
  readonly text: string;
}

/** What the next boot of a kernel will do; null where the units were not looked at. */
export function nextBoot(kernel: KernelRelease, world: World): NextBoot | null {
  if (!world.boot) return null;
  const { load } = bootFiles(kernel, world);
  const modules = load.flatMap(({ module }) => (module === null ? [] : [module]));
  if (modules.length === 0) return { loads: [], by: null, text: 'no live patch is installed for it' };
  const loader = bootLoader(world.boot);
  if (loader.by === null) return { loads: [], by: null, text: `nothing will be loaded: ${loader.why}` };
  return { loads: modules, by: loader.by, text: `${modules.join(', ')} will be loaded by ${loader.by}` };
}

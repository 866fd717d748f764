// Which level and which kernel fix a CVE, as advisories say it. Source of the rule: the vendor's advisories list one package
// per still supported kernel; a CVE is fixed from the lowest EVR of that package which any advisory naming the CVE lists.
import type { Advisory } from '../domain/advisory.ts';
import { compareEvr, type Evr, parseEvr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import type { Nevra } from '../domain/nevra.ts';
import type { World } from '../domain/world.ts';
import { isLivePatchName, targetOf } from './schemes/rhel.ts';

/** A package that an advisory lists for a CVE. */
export interface Fix {
  readonly package: Nevra;
  readonly advisory: Advisory;
}

export interface Fixes {
  /** In the kernel's own live-patch stream, the lowest level first. */
  readonly levels: readonly Fix[];
  /** In kernel packages of the same flavour and architecture, the lowest first. */
  readonly kernels: readonly Fix[];
}

/** What the advisories say about one kernel, by CVE. */
export function fixesFor(kernel: InstalledKernel, world: World): Map<string, Fixes> {
  const streams = streamsFor(kernel, world);
  const names = kernelNames(kernel);
  const found = new Map<string, { levels: Fix[]; kernels: Fix[] }>();
  for (const advisory of world.advisories) {
    for (const cve of advisory.cves) {
      for (const pkg of advisory.packages) {
        if (pkg.arch !== kernel.arch) continue;
        const kind = streams.has(pkg.name) ? 'levels' : names.includes(pkg.name) ? 'kernels' : null;
        if (kind === null) continue;
        const fixes = found.get(cve) ?? { levels: [], kernels: [] };
        fixes[kind].push({ package: pkg, advisory });
        found.set(cve, fixes);
      }
    }
  }
  const lowestFirst = (a: Fix, b: Fix): number =>
    compareEvr(a.package, b.package) || (a.advisory.id < b.advisory.id ? -1 : a.advisory.id > b.advisory.id ? 1 : 0);
  for (const fixes of found.values()) {
    fixes.levels.sort(lowestFirst);
    fixes.kernels.sort(lowestFirst);
  }
  return found;
}

/**
 * Names of the packages that are this kernel's live patches: those installed for it, and those on offer that require it.
 * The name alone never counts: a local rebuild shares it with the vendor's kernel.
 */
export function streamsFor(kernel: InstalledKernel, world: World): Set<string> {
  const installed = world.installed.flatMap((patch) =>
    patch.kernel === kernel.release && patch.package !== null ? [patch.package.name] : [],
  );
  const offered = world.offered.flatMap((pkg) => {
    if (!isLivePatchName(pkg.name)) return [];
    const target = targetOf(pkg);
    return 'kernel' in target && target.kernel === kernel.release ? [pkg.name] : [];
  });
  return new Set([...installed, ...offered]);
}

/** The names a kernel's own package can have: those of its flavour. */
export function kernelNames({ release, packageName }: InstalledKernel): string[] {
  const flavour = release.split('+')[1] ?? '';
  const fromName = /^kernel-(rt|64k|rt-64k|uek)(?:-|$)/.exec(packageName ?? '')?.[1] ?? '';
  const which = flavour === 'debug' ? fromName : flavour.replace(/-debug$/, '') || fromName;
  if (which !== '') return [`kernel-${which}`, `kernel-${which}-core`];
  return ['kernel', 'kernel-core'];
}

/** The EVR of a kernel's own package, from its release. */
export function kernelEvr({ release, arch }: Pick<InstalledKernel, 'release' | 'arch'>): Evr {
  const base = release.split('+')[0] ?? release;
  return parseEvr(base.endsWith(`.${arch}`) ? base.slice(0, -arch.length - 1) : base);
}

/**
 * The line of development a kernel belongs to: a fix in a lower version of another line says nothing about this one.
 * The RHEL family branches by the first number of the release (427 of 5.14.0-427.13.1), others by major.minor.
 */
export function kernelLine(evr: Evr): string {
  if (/\.el\d/.test(evr.release)) return `${evr.version}-${/^\d+/.exec(evr.release)?.[0] ?? ''}`;
  return evr.version.split('.').slice(0, 2).join('.');
}

/** Orders kernels by version and release: an epoch, which some vendors give kernel packages, is not in `uname -r`. */
export function compareKernels(a: Evr, b: Evr): number {
  return compareEvr({ ...a, epoch: 0 }, { ...b, epoch: 0 });
}

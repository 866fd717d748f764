// Builds a World in a few words, for tests of the deciding code.

import { moduleName, streamName } from '../../src/decide/schemes/rhel.ts';
import { type InstalledKernel, type KernelRelease, kernelArch } from '../../src/domain/kernel.ts';
import type { InstalledPatch, LoadedPatch } from '../../src/domain/livepatch.ts';
import { parseNevra } from '../../src/domain/nevra.ts';
import type { Dependency, OfferedPackage } from '../../src/domain/package.ts';
import type { RepositoryState, World } from '../../src/domain/world.ts';

export const K = '5.14.0-362.8.1.el9_3.x86_64';

export function kernel(release: string, more: Partial<InstalledKernel> = {}): InstalledKernel {
  return {
    release: release as KernelRelease,
    arch: kernelArch(release) ?? 'x86_64',
    running: false,
    defaultBoot: null,
    foundIn: ['modules'],
    packageName: null,
    ...more,
  };
}

export const eq = (name: string, evr: string): Dependency => ({ name, flags: 'EQ', evr });
export const ge = (name: string, evr: string): Dependency => ({ name, flags: 'GE', evr });

/** An offered live patch for a kernel, as the vendor's spec makes it: `offer(K, '1-3')`. */
export function offer(release: string, level: string, more: Partial<OfferedPackage> = {}): OfferedPackage {
  const arch = more.arch ?? kernelArch(release) ?? 'x86_64';
  const bare = release.replace(new RegExp(`\\.${arch}$`), '');
  const [version = '', rel = ''] = level.split('-');
  const empty = version === '0';
  const name = more.name ?? streamName(release) ?? `kpatch-patch-${bare}`;
  return {
    name,
    epoch: 0,
    version,
    release: `${rel}.el9_3`,
    arch,
    repo: 'base',
    href: `Packages/${name}-${level}.rpm`,
    base: null,
    size: 1000,
    installedSize: empty ? 0 : 5000,
    buildTime: 0,
    checksum: { type: 'sha256', value: '0'.repeat(64) },
    summary: '',
    provides: [eq('kpatch-patch', release), eq('kpatch-patch', bare)],
    requires: [
      eq('kernel-uname-r', release),
      ge('kpatch', '0.6.1-1'),
      ...(empty ? [] : [{ name: 'systemd', flags: null, evr: null }]),
    ],
    conflicts: [],
    obsoletes: [],
    files: [],
    excludedBy: null,
    ...more,
  };
}

export function repo(id: string, more: Partial<RepositoryState> = {}): RepositoryState {
  return {
    id,
    name: id,
    priority: 99,
    cost: 1000,
    used: true,
    fetched: '2026-01-01T00:00:00Z',
    ageSeconds: 60,
    stale: false,
    problem: null,
    ...more,
  };
}

/** What `offer(release, level)` looks like once installed. */
export function installedFrom(
  pkg: OfferedPackage,
  release: string,
  more: Partial<InstalledPatch> = {},
): InstalledPatch {
  const empty = pkg.version === '0';
  const nevra = parseNevra(`${pkg.name}-${pkg.version}-${pkg.release}.${pkg.arch}`);
  return {
    kernel: release,
    package: nevra,
    module: empty ? null : moduleName(pkg),
    file: empty ? null : `var/lib/kpatch/${release}/x.ko`,
    source: 'kpatch-pm',
    support: 'vendor',
    changed: empty ? null : false,
    ...more,
  };
}

export const loaded = (pkg: OfferedPackage, more: Partial<LoadedPatch> = {}): LoadedPatch => ({
  module: moduleName(pkg),
  enabled: true,
  transition: false,
  ...more,
});

export function world(more: Partial<World> = {}): World {
  return {
    time: '2026-01-01T00:01:00Z',
    machine: null,
    root: '/',
    live: true,
    settings: { autoupdate: false, autofilter: false },
    kernels: [kernel(K, { running: true })],
    repositories: [repo('base')],
    offered: [],
    offeredKernels: [],
    advisories: [],
    advisoryStates: [],
    installed: [],
    loaded: [],
    utility: { version: null, path: null },
    holds: [],
    notices: [],
    ...more,
  };
}

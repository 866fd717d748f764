// How the RHEL family names and builds live patches (kpatch-patch-*), el7 to el10.
// Source: the vendor's spec files of the kpatch-patch packages. Names only find candidates; dependencies decide.
import type { Evr } from '../../domain/evr.ts';
import type { Dependency, OfferedPackage } from '../../domain/package.ts';

/** Every live patch of this scheme, whatever its kernel, is of one stream: one vendor signs them all. */
export const STREAM = 'rhel';

const PREFIX = 'kpatch-patch-';

/** Whether a package name can be a live patch; its debug packages are not. */
export function isLivePatchName(name: string): boolean {
  return name.startsWith(PREFIX) && !/-debug(info|source)$/.test(name);
}

/**
 * `5.14.0-362.8.1.el9_3.x86_64` -> `5_14_0-362_8_1`: version and release up to the first `.elN`, dots made `_`.
 * Null for a release without `.elN`, and for a flavour (`+debug`, `+rt`): the vendor makes no live patches for those.
 */
export function shortName(release: string): string | null {
  if (release.includes('+')) return null;
  const match = /^(?<version>[^-]+)-(?<release>.*?)\.el\d/.exec(release)?.groups;
  if (!match) return null;
  return `${match.version}-${match.release}`.replaceAll('.', '_');
}

/** The package name of a kernel's stream; null where the scheme does not fit the release. */
export function streamName(release: string): string | null {
  const short = shortName(release);
  return short === null ? null : `${PREFIX}${short}`;
}

/** Level of a package without the dist tag: version and the release number (`1`, `10`, `3.1`). */
function level(evr: Evr): string {
  return `${evr.version}-${evr.release.replace(/\.el\d.*$/, '')}`;
}

/** Name the module will have in sysfs: file name without `.ko`, every `-` and `.` made `_`. */
export function moduleName(pkg: Evr & { readonly name: string }): string {
  return `kpatch-${pkg.name.slice(PREFIX.length)}-${level(pkg)}`.replace(/[-.]/g, '_');
}

/**
 * The level of a loaded module, when it is one of this stream's: `kpatch_5_14_0_362_8_1_1_3` of `kpatch-patch-5_14_0-362_8_1`
 * is version 1, release 3. Null when the module belongs to another stream or to nobody known.
 */
export function levelOfModule(module: string, name: string): Evr | null {
  const base = `kpatch-${name.slice(PREFIX.length)}-`.replace(/[-.]/g, '_');
  if (!module.startsWith(base)) return null;
  const match = /^(\d+)_(\d+(?:_\d+)*)$/.exec(module.slice(base.length));
  return match ? { epoch: 0, version: match[1] as string, release: (match[2] as string).replaceAll('_', '.') } : null;
}

export type Target = { readonly kernel: string } | { readonly problem: string };

const withoutEpoch = (evr: string): string => evr.replace(/^0:/, '');

function exact(list: readonly Dependency[], name: string): string[] {
  return list
    .filter((d) => d.name === name && d.flags === 'EQ' && d.evr !== null)
    .map((d) => withoutEpoch(d.evr ?? ''));
}

/**
 * The kernel a package is for: `Requires: kernel-uname-r = K` (older ones: `kernel = K` without arch), which every
 * `Provides: kpatch-patch = K` (with or without arch) must repeat. A contradiction, or no kernel at all, is a problem.
 */
export function targetOf(pkg: Pick<OfferedPackage, 'requires' | 'provides' | 'arch'>): Target {
  const known = TARGETS.get(pkg);
  if (known !== undefined) return known;
  const target = readTarget(pkg);
  TARGETS.set(pkg, target);
  return target;
}

/** Every kernel asks this of every package: answered once for each. */
const TARGETS = new WeakMap<object, Target>();

function readTarget(pkg: Pick<OfferedPackage, 'requires' | 'provides' | 'arch'>): Target {
  const required = [
    ...exact(pkg.requires, 'kernel-uname-r'),
    ...exact(pkg.requires, 'kernel').map((kernel) => `${kernel}.${pkg.arch}`),
  ];
  const [kernel, ...others] = [...new Set(required)];
  if (kernel === undefined) return { problem: 'its Requires name no kernel' };
  if (others.length > 0) return { problem: `its Requires name several kernels: ${[kernel, ...others].join(', ')}` };
  const bare = kernel.endsWith(`.${pkg.arch}`) ? kernel.slice(0, -pkg.arch.length - 1) : kernel;
  const provided = exact(pkg.provides, 'kpatch-patch');
  const stranger = provided.find((name) => name !== kernel && name !== bare);
  if (stranger !== undefined) return { problem: `it requires kernel ${kernel} but provides a patch for ${stranger}` };
  return { kernel };
}

/** What a live patch may require besides its kernel and kpatch: it needs none of it without its scriptlets, which never run. */
const HARMLESS = new Set(['systemd', '/bin/sh', '/usr/bin/sh', '/bin/bash', '/usr/bin/bash', 'bash']);

/** Requirements that are neither the kernel nor kpatch nor known to be harmless. */
export function otherRequirements(pkg: OfferedPackage): Dependency[] {
  return pkg.requires.filter(
    (d) =>
      !HARMLESS.has(d.name) &&
      !['kernel-uname-r', 'kernel', 'kpatch'].includes(d.name) &&
      !d.name.startsWith('rpmlib('),
  );
}

/**
 * Whether the package brings no module and only subscribes the kernel. Before the files are known this is a reading of
 * the metadata: the installed size, then the scriptlets' needs, and only last version 0 (packages `0-1` exist of both kinds).
 */
export function looksEmpty(pkg: OfferedPackage): boolean {
  if (pkg.installedSize !== null) return pkg.installedSize === 0;
  if (pkg.requires.some((d) => HARMLESS.has(d.name))) return false;
  return pkg.version === '0';
}

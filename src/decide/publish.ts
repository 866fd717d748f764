// A live-patch package of one's own, as the vendor would have made it: names, level, dependencies, place of the module.
// Source: the vendor's spec files of the kpatch-patch packages (el8, el9); they are facts, the words here are ours.
import type { KernelRelease } from '../domain/kernel.ts';
import { kernelArch } from '../domain/kernel.ts';
import { OWN_MARK } from '../domain/livepatch.ts';
import type { Nevra } from '../domain/nevra.ts';
import { moduleName, streamName } from './schemes/rhel.ts';

/** What a package is to be, before anything is built. */
export interface OwnPackage {
  readonly nevra: Nevra;
  readonly kernel: KernelRelease;
  readonly summary: string;
  readonly description: string;
  /** Lines of the spec file: `Provides: ...`. */
  readonly dependencies: readonly string[];
  /** Path of the module in the package, and its name in sysfs; null for an empty package. */
  readonly module: { readonly path: string; readonly name: string } | null;
}

export interface Level {
  readonly version: string;
  /** With or without the dist tag. */
  readonly release: string;
}

/** What a module says of itself, as far as it matters here. */
export interface ModuleClaims {
  readonly name: string;
  readonly release: string;
  readonly livepatch: boolean;
  readonly machine: string;
}

/** Live patches are loaded by this utility or one that is newer; the vendor's packages ask for the same. */
const UTILITY = '0.6.1-1';

/** `.el9_4` of `5.14.0-427.13.1.el9_4.x86_64`: the dist tag of the vendor's packages; what follows it is not part of it. */
function distOf(kernel: string): string {
  return /\.el\d+(?:_\d+)?/.exec(kernel)?.[0] ?? '';
}

/** The package of a level, or why there can be none (a sentence without its full stop). */
export function ownPackage(
  kernel: KernelRelease,
  level: Level,
  empty: boolean,
): OwnPackage | { readonly problem: string } {
  const name = streamName(kernel);
  const arch = kernelArch(kernel);
  if (name === null || arch === null) {
    return {
      problem: `${kernel} is no kernel release that live-patch packages are named for (VERSION-RELEASE.elN.ARCH)`,
    };
  }
  const { version } = level;
  if (!/^\d{1,9}$/.test(version)) return { problem: `the version ${JSON.stringify(version)} is not a number` };
  if (!empty && version === '0')
    return { problem: 'version 0 is that of empty packages; a module begins with version 1' };
  if (empty && version !== '0')
    return { problem: 'an empty package has version 0: a module of version 1 then comes as its update' };
  const dist = distOf(kernel);
  const number = level.release.endsWith(dist) ? level.release.slice(0, -dist.length) : level.release;
  if (!/^\d{1,9}$/.test(number)) return { problem: `the release ${JSON.stringify(level.release)} is not a number` };
  const nevra: Nevra = { name, epoch: 0, version, release: `${number}${dist}`, arch };
  const bare = kernel.slice(0, -arch.length - 1);
  const file = `kpatch-${name.slice('kpatch-patch-'.length)}-${version}-${number}.ko`;
  return {
    nevra,
    kernel,
    summary: `${empty ? 'Initial empty kpatch-patch' : 'Live kernel patching module'} for kernel-${kernel}`,
    description: empty
      ? 'This package has no content. It subscribes the kernel, so that live patches to come are taken as updates.'
      : `Live patches for the kernel ${kernel}, cumulative: this level has the fixes of all levels before. Made by kpatch-pm publish.`,
    dependencies: [
      `Provides: kpatch-patch = ${kernel}`,
      `Provides: kpatch-patch = ${bare}`,
      `Provides: ${OWN_MARK}`,
      `Requires: kernel-uname-r = ${kernel}`,
      `Requires: kpatch >= ${UTILITY}`,
      ...(empty ? [] : ['Requires: systemd']),
      `Conflicts: ${name} < ${version}-${nevra.release}`,
    ],
    module: empty ? null : { path: `/usr/lib/kpatch/${kernel}/${file}`, name: moduleName(nevra) },
  };
}

/** Why a module cannot be the one of this package; null: it can. */
export function moduleProblem(module: ModuleClaims, pkg: OwnPackage): string | null {
  const { kernel, nevra, module: wanted } = pkg;
  if (!module.livepatch) return 'it is no live patch (livepatch=Y is missing)';
  if (module.release !== kernel) return `it was built for the kernel ${module.release}, not for ${kernel}`;
  if (module.machine !== nevra.arch) return `it is code for ${module.machine}, and the kernel is ${nevra.arch}`;
  if (module.name !== wanted?.name) {
    return `it calls itself ${module.name}, and the module of ${nevra.name}-${nevra.version}-${nevra.release} is ${wanted?.name}`;
  }
  return null;
}

/** The name a module of this level must be built with, for kpatch-build -n and klp-build -o. */
export function buildName({ module }: OwnPackage): string {
  return module?.path.split('/').at(-1)?.replace(/\.ko$/, '') ?? '';
}

// Kernels that dnf should not offer because they have no live patches, as names for its own configuration. What is
// installed is never named: nothing here can take a kernel away, and a kernel that comes later is not held back by it.
import { type Evr, formatEvr } from '../domain/evr.ts';
import type { World } from '../domain/world.ts';
import { streams } from './streams.ts';

export interface Exclusion extends Evr {
  /** Package name. */
  readonly name: string;
  readonly arch: string;
}

/** What comes with a kernel and must not arrive without it. */
const FAMILY = ['', '-core', '-modules', '-modules-core', '-modules-extra'];

/**
 * The packages of every kernel on offer that is not known to have live patches and is not installed, newest first. Where a
 * repository could not be read, a kernel that waits a day does less harm than one that is never patched.
 */
export function exclusions(world: World): Exclusion[] {
  const unsupported = streams(world).filter((stream) => !stream.supported && !stream.installed);
  const found = new Map<string, Exclusion>();
  for (const { release } of unsupported) {
    for (const kernel of world.offeredKernels.filter((one) => one.uname === release && one.excludedBy === null)) {
      const family = kernel.name.replace(/-core$/, '');
      for (const part of FAMILY) {
        const { epoch, version, release: number, arch } = kernel;
        const one: Exclusion = { name: family + part, epoch, version, release: number, arch };
        found.set(`${one.name}-${formatEvr(one)}.${arch}`, one);
      }
    }
  }
  return [...found.values()];
}

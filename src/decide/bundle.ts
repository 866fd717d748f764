// Which levels a bundle takes for a kernel that need not be installed here: the choice is the one an installation makes.
import type { InstalledKernel, KernelRelease } from '../domain/kernel.ts';
import { kernelArch } from '../domain/kernel.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { Rejection } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { candidatesFor } from './match.ts';
import { streamName } from './schemes/rhel.ts';

export interface BundleChoice {
  readonly kernel: KernelRelease;
  /** Usable levels, the highest first; empty: there is none, see `why`. */
  readonly usable: readonly OfferedPackage[];
  readonly rejected: readonly Rejection[];
  /** Why there is none; null when there are some. */
  readonly why: string | null;
}

/** What is on offer for a kernel, as a machine that has it would judge. */
export function bundleChoice(kernel: KernelRelease, world: World): BundleChoice {
  const arch = kernelArch(kernel);
  const none = (why: string): BundleChoice => ({ kernel, usable: [], rejected: [], why });
  if (arch === null) return none('its name does not end in an architecture, as `uname -r` does');
  const there: InstalledKernel = {
    release: kernel,
    arch,
    running: false,
    defaultBoot: null,
    foundIn: [],
    packageName: null,
  };
  // What crashed on this machine says nothing about another.
  const { usable, rejected } = candidatesFor(there, { ...world, quarantined: [] });
  if (usable.length > 0) return { kernel, usable, rejected, why: null };
  const [first] = rejected;
  if (first) return { ...none(`every level on offer is refused; ${first.nevra}: ${first.because.text}`), rejected };
  return none(
    streamName(kernel) === null ? 'it is of no kind that live patches are made for' : 'no repository offers one',
  );
}

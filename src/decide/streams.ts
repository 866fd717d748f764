// Which kernels have a live-patch stream: the decision behind `kernels` and the filter.
import { compareEvr } from '../domain/evr.ts';
import { type InstalledKernel, kernelArch, kernelRelease } from '../domain/kernel.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { World } from '../domain/world.ts';
import { installedLevel } from './installed.ts';
import { candidatesFor } from './match.ts';
import { streamName } from './schemes/rhel.ts';
import { noMetadata, unseen } from './unseen.ts';

export interface StreamReport {
  readonly release: string;
  readonly installed: boolean;
  readonly running: boolean;
  /** Repositories that offer the kernel itself; empty for one that is only installed. */
  readonly offeredBy: readonly string[];
  /** Whether a live-patch package exists for it that could be used: the filter keeps such kernels. */
  readonly supported: boolean;
  /** False where none was found and not every repository could be read: it is then not known whether there is one. */
  readonly known: boolean;
  readonly newest: OfferedPackage | null;
  readonly levels: number;
}

/** One line per kernel, installed or on offer, the newest first. */
export function streams(world: World): StreamReport[] {
  const offeredBy = new Map<string, string[]>();
  for (const kernel of world.offeredKernels) {
    if (kernel.excludedBy !== null) continue;
    const repos = offeredBy.get(kernel.uname) ?? [];
    if (!repos.includes(kernel.repo)) repos.push(kernel.repo);
    offeredBy.set(kernel.uname, repos);
  }
  const installed = new Map(world.kernels.map((kernel) => [kernel.release as string, kernel]));
  const releases = [...new Set([...installed.keys(), ...offeredBy.keys()])];
  return releases
    .map((release) => line(release, installed.get(release) ?? null, offeredBy.get(release) ?? [], world))
    .sort((a, b) => compareEvr(parseRelease(b.release), parseRelease(a.release)));
}

/** The same for one kernel, whether anybody offers it or not. */
export function streamOf(release: string, world: World): StreamReport {
  const kernel = world.kernels.find((one) => one.release === release) ?? null;
  const offeredBy = world.offeredKernels.filter((one) => one.uname === release && one.excludedBy === null);
  return line(release, kernel, [...new Set(offeredBy.map(({ repo }) => repo))], world);
}

function line(release: string, kernel: InstalledKernel | null, offeredBy: string[], world: World): StreamReport {
  const { usable } = candidatesFor(kernel ?? asIfInstalled(release), world);
  const subscribed = kernel !== null && installedLevel(kernel, world) !== null;
  const supported = usable.length > 0 || subscribed;
  return {
    release,
    installed: kernel !== null,
    running: kernel?.running ?? false,
    offeredBy,
    supported,
    // Of a form that no vendor's live patches fit, one repository knows as much as all.
    known: supported || (streamName(release) === null ? noMetadata(world) : unseen(world)) === null,
    newest: usable[0] ?? null,
    levels: usable.length,
  };
}

function asIfInstalled(release: string): InstalledKernel {
  return {
    release: kernelRelease(release) ?? (release as InstalledKernel['release']),
    arch: kernelArch(release) ?? '',
    running: false,
    defaultBoot: null,
    foundIn: [],
    packageName: null,
  };
}

function parseRelease(release: string): { epoch: number; version: string; release: string } {
  const dash = release.indexOf('-');
  return {
    epoch: 0,
    version: dash < 0 ? release : release.slice(0, dash),
    release: dash < 0 ? '' : release.slice(dash + 1),
  };
}

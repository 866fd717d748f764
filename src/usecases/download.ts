// Fetching packages into a directory of the person who asks: checked against the metadata, not judged, not installed.
import path from 'node:path';
import { listing } from '../decide/listing.ts';
import { planFor } from '../decide/plan.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import { isTake } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { KpmError } from '../errors.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { fetchOffered } from '../pipeline/fetch.ts';
import { specsOf } from '../pipeline/named.ts';
import { look } from '../pipeline/observe.ts';
import type { Request } from '../pipeline/request.ts';
import { checkKernels } from '../pipeline.ts';

export interface Downloaded {
  readonly package: OfferedPackage;
  /** Absolute path on the host. */
  readonly file: string;
}

export interface Download {
  readonly world: World;
  readonly files: readonly Downloaded[];
}

/**
 * Fetches what `install` would take, or the highest level of what is named, into a directory of the host (absolute path).
 * A file that is there already with the same bytes stays. Raises `no-match`, `file-unwritable` and the errors of fetching.
 */
export async function download(machine: Machine, request: Request, directory: string, ui: Ui): Promise<Download> {
  if (!machine.host.stat(directory.slice(1))?.isDirectory()) {
    throw new KpmError('file-unwritable', {
      text: `${directory} is not a directory.`,
      subject: directory,
      hint: `Make it: mkdir -p ${directory}`,
    });
  }
  const observed = await look(machine, request, ui);
  try {
    const { world } = observed;
    const files: Downloaded[] = [];
    for (const pkg of chosen(world, request)) {
      const file = path.join(directory, `${formatNevra(pkg)}.rpm`);
      const { bytes } = await fetchOffered(observed, pkg, ui);
      const there = machine.host.lstat(file.slice(1))?.isFile() ? machine.host.read(file.slice(1)) : null;
      if (!there?.equals(bytes)) machine.host.write(file.slice(1), bytes, { mode: 0o644 });
      files.push({ package: pkg, file });
    }
    return { world, files };
  } finally {
    await observed.net.close();
  }
}

function chosen(world: World, request: Request): OfferedPackage[] {
  checkKernels(request.kernels, world);
  const specs = specsOf(request, world);
  if (specs.length === 0) {
    const { actions } = planFor(world, { verb: 'install', kernels: request.kernels, load: false });
    return actions.filter(isTake).map((action) => action.package);
  }
  return specs.flatMap((spec) => {
    const found = listing(
      { ...world, installed: [] },
      { what: 'available', specs: [spec], kernels: request.kernels, duplicates: true },
    );
    const best = new Map<string, OfferedPackage>();
    // Sorted by version: the last of a name is its highest.
    for (const { offer } of found) if (offer) best.set(offer.name, offer);
    if (best.size > 0) return [...best.values()];
    throw new KpmError('no-match', {
      text: `No package ${spec.text} available.`,
      subject: spec.text,
      hint: 'What is on offer: kpatch-pm list --available',
    });
  });
}

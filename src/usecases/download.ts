// Fetching packages into a directory of the person who asks: checked against the metadata, not judged, not installed.
import path from 'node:path';
import { listing } from '../decide/listing.ts';
import { planFor } from '../decide/plan.ts';
import { isFilter } from '../decide/spec.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import { isTake, type Plan } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { KpmError } from '../errors.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { fetchOffered } from '../pipeline/fetch.ts';
import { checkUsable, specsOf } from '../pipeline/named.ts';
import { look } from '../pipeline/observe.ts';
import type { Observed } from '../pipeline/observed.ts';
import type { Request } from '../pipeline/request.ts';
import { checkKernels, decide } from '../pipeline.ts';

export interface Downloaded {
  readonly package: OfferedPackage;
  /** Absolute path on the host; null where it lies in the cache. */
  readonly file: string | null;
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
  checkDirectory(machine, directory);
  const observed = await look(machine, request, ui);
  try {
    const { world } = observed;
    const files: Downloaded[] = [];
    for (const pkg of chosen(world, request)) files.push(await fetchInto(directory, observed, pkg, ui));
    return { world, files };
  } finally {
    await observed.net.close();
  }
}

/** What a verb that takes packages would take, once somebody agreed: fetched and left at that. */
export interface Fetched extends Download {
  readonly plan: Plan;
}

/**
 * Fetches what a verb would take, without taking it: into a directory of the host, or (null) into the cache, where the same
 * verb finds it later. `approve` is shown the plan and answers whether to go on. Raises `aborted`, `no-match`,
 * `nothing-usable` and the errors of fetching.
 */
export async function downloadPlanned(
  machine: Machine,
  request: Request,
  directory: string | null,
  ui: Ui,
  approve: (world: World, plan: Plan) => Promise<boolean>,
): Promise<Fetched> {
  if (directory !== null) checkDirectory(machine, directory);
  const observed = await look(machine, request, ui);
  try {
    const { world } = observed;
    const whole = decide(world, request, ui);
    checkUsable(whole, specsOf(request, world));
    const plan = { ...whole, actions: whole.actions.filter(isTake) };
    if (plan.actions.length === 0) return { world, plan, files: [] };
    if (!(await approve(world, plan))) throw new KpmError('aborted', { text: 'Operation aborted.' });
    const files: Downloaded[] = [];
    for (const { package: pkg } of plan.actions) {
      files.push(
        directory === null ? await fetchToCache(observed, pkg, ui) : await fetchInto(directory, observed, pkg, ui),
      );
    }
    return { world, plan, files };
  } finally {
    await observed.net.close();
  }
}

function checkDirectory({ host }: Machine, directory: string): void {
  if (host.stat(directory.slice(1))?.isDirectory()) return;
  throw new KpmError('file-unwritable', {
    text: `${directory} is not a directory.`,
    subject: directory,
    hint: `Make it: mkdir -p ${directory}`,
  });
}

async function fetchInto(directory: string, observed: Observed, pkg: OfferedPackage, ui: Ui): Promise<Downloaded> {
  const { host } = observed.machine;
  const file = path.join(directory, `${formatNevra(pkg)}.rpm`);
  const { bytes } = await fetchOffered(observed, pkg, ui);
  const there = host.lstat(file.slice(1))?.isFile() ? host.read(file.slice(1)) : null;
  if (!there?.equals(bytes)) host.write(file.slice(1), bytes, { mode: 0o644 });
  return { package: pkg, file };
}

async function fetchToCache(observed: Observed, pkg: OfferedPackage, ui: Ui): Promise<Downloaded> {
  await fetchOffered(observed, pkg, ui);
  return { package: pkg, file: null };
}

function chosen(world: World, request: Request): OfferedPackage[] {
  checkKernels(request.kernels, world);
  const specs = specsOf(request, world);
  if (specs.length === 0) {
    const { actions } = planFor(world, { verb: 'install', kernels: request.kernels, load: false });
    return actions.filter(isTake).map((action) => action.package);
  }
  // Options that pick advisories narrow what each word names; where nothing is named, they are what is meant.
  const filters = specs.filter(isFilter);
  const named = specs.filter((spec) => !isFilter(spec));
  const questions = named.length === 0 ? [filters] : named.map((spec) => [spec, ...filters]);
  return questions.flatMap((question) => {
    const found = listing(
      { ...world, installed: [] },
      { what: 'available', specs: question, kernels: request.kernels, duplicates: true },
    );
    const best = new Map<string, OfferedPackage>();
    // Sorted by version: the last of a name is its highest.
    for (const { offer } of found) if (offer) best.set(offer.name, offer);
    if (best.size > 0) return [...best.values()];
    const asked = question.map(({ text }) => text).join(' ');
    throw new KpmError('no-match', {
      text: `No package ${asked} available.`,
      subject: asked,
      hint: 'What is on offer: kpatch-pm list --available',
    });
  });
}

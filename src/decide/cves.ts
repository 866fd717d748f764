// Per CVE, what is true on this kernel, and on whose word. "Fixed" rests on signed sources only.

import { compareCves, type Evidence, type PatchRecord } from '../domain/evidence.ts';
import { compareEvr, type Evr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import { formatNevra, sameNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { World } from '../domain/world.ts';
import { compareKernels, type Fix, type Fixes, fixesFor, kernelEvr, kernelLine, streamsFor } from './fixes.ts';
import { candidatesFor } from './match.ts';
import { levelOfModule } from './schemes/rhel.ts';

/** Exactly one of these, the first that applies. docs/evidence.md says what each rests on. */
export const CVE_STATES = {
  fixed: 'fixed by the loaded live patch',
  'fixed-in-kernel': 'fixed in this kernel itself',
  unproven: 'said to be fixed, but only by sources that nobody signed',
  'on-disk': 'fixed by the installed live patch, which is not loaded',
  available: 'fixed by a live patch that is on offer',
  reboot: 'fixed only in another kernel',
  'out-of-reach': 'fixed by a live patch, but not by one that can be used here',
  unknown: 'not in any metadata, or only for other lines of kernels',
} as const;

export type CveState = keyof typeof CVE_STATES;

/** Who says so. */
export interface Source {
  readonly kind: 'changelog' | 'kernel-changelog' | 'updateinfo';
  /** The package whose changelog it is, or the id of the advisory. */
  readonly name: string;
  /** The repository of an advisory. */
  readonly repo: string | null;
  /** Whose signature covers it; null when nobody's does. */
  readonly signer: string | null;
}

export interface CveReport {
  readonly cve: string;
  readonly state: CveState;
  /** The module, package or kernel that has the fix; null when nothing has. */
  readonly by: string | null;
  readonly severity: string | null;
  readonly sources: readonly Source[];
  /** One sentence for people. */
  readonly text: string;
}

interface Facts {
  readonly kernel: InstalledKernel;
  readonly world: World;
  readonly fixes: ReadonlyMap<string, Fixes>;
  readonly records: readonly PatchRecord[];
  /** Records whose module is proven to be what runs. */
  readonly active: readonly PatchRecord[];
  /** The level that runs and the one on disk, of this kernel's streams. */
  readonly loaded: { readonly level: Evr; readonly module: string; readonly stream: string } | null;
  readonly installed: PatchRecord['package'] | null;
  readonly usable: readonly OfferedPackage[];
  readonly evidence: Evidence;
}

/** A report for every CVE that changelogs or advisories name for this kernel, or for those asked for. In order of number. */
export function cveReports(
  kernel: InstalledKernel,
  world: World,
  evidence: Evidence,
  asked: readonly string[] = [],
): CveReport[] {
  const facts = factsOf(kernel, world, evidence);
  const all = [...facts.records.flatMap(({ cves }) => cves), ...facts.fixes.keys()];
  const cves = asked.length > 0 ? asked : all;
  return [...new Set(cves)].sort(compareCves).map((cve) => report(cve, facts));
}

function factsOf(kernel: InstalledKernel, world: World, evidence: Evidence): Facts {
  const records = evidence.patches.filter((record) => record.kernel === kernel.release);
  const running = kernel.running && world.live;
  // A file that was changed proves no longer what was loaded from it: its package's word then counts as nobody's.
  const changed = (module: string): boolean =>
    world.installed.some((patch) => patch.module === module && patch.changed === true);
  const active = records
    .filter(({ modules }) => running && modules.some((module) => runs(module, world)))
    .map((record) => (record.modules.some(changed) ? { ...record, signer: null } : record));
  const onDisk = records.filter((record) => record.current && present(record, world));
  return {
    kernel,
    world,
    fixes: fixesFor(kernel, world),
    records,
    active,
    loaded: running ? loadedLevel(kernel, world) : null,
    installed:
      onDisk.map((record) => record.package).sort((a, b) => compareEvr(b, a))[0] ?? installedLevel(kernel, world),
    usable: candidatesFor(kernel, world).usable,
    evidence,
  };
}

/** Enabled, finished with its transition, and not another file than the one on disk. */
export function runs(module: string, world: World): boolean {
  const loaded = world.loaded.find((patch) => patch.module === module);
  if (!loaded?.enabled || loaded.transition) return false;
  const file = world.installed.find((patch) => patch.module === module);
  return !(file?.buildId && loaded.buildId && file.buildId !== loaded.buildId);
}

function loadedLevel(kernel: InstalledKernel, world: World): Facts['loaded'] {
  let best: Facts['loaded'] = null;
  for (const stream of streamsFor(kernel, world)) {
    for (const { module } of world.loaded) {
      const level = runs(module, world) ? levelOfModule(module, stream) : null;
      if (level && (best === null || compareEvr(level, best.level) > 0)) best = { level, module, stream };
    }
  }
  return best;
}

/** The package of a record has all its modules on disk, unchanged. */
function present(record: PatchRecord, world: World): boolean {
  const files = world.installed.filter((patch) => patch.package !== null && sameNevra(patch.package, record.package));
  return files.some((patch) => patch.file !== null) && files.every((patch) => patch.file !== null && !patch.changed);
}

function installedLevel(kernel: InstalledKernel, world: World): PatchRecord['package'] | null {
  const found = world.installed.flatMap((patch) =>
    patch.kernel === kernel.release && patch.package && patch.file !== null && !patch.changed ? [patch.package] : [],
  );
  return found.sort((a, b) => compareEvr(b, a))[0] ?? null;
}

type Answer = Pick<CveReport, 'state' | 'by' | 'sources' | 'text'>;

function report(cve: string, facts: Facts): CveReport {
  const fixes = facts.fixes.get(cve) ?? { levels: [], kernels: [] };
  const severity = [...fixes.levels, ...fixes.kernels].find(({ advisory }) => advisory.severity !== null);
  const answer =
    byLoaded(cve, fixes, facts) ??
    byKernel(cve, fixes, facts) ??
    onDisk(cve, fixes, facts) ??
    onOffer(fixes, facts) ??
    byReboot(fixes, facts) ??
    nowhere(cve, fixes, facts);
  return { cve, severity: severity?.advisory.severity ?? null, ...answer };
}

const ofRecord = (record: PatchRecord): Source => ({
  kind: 'changelog',
  name: formatNevra(record.package),
  repo: null,
  signer: record.signer,
});

const ofFix = ({ advisory }: Fix): Source => ({
  kind: 'updateinfo',
  name: advisory.id,
  repo: advisory.repo,
  signer: advisory.signer,
});

/** Signed sources first: the first one is the one the answer rests on. */
const strongestFirst = (sources: readonly Source[]): Source[] =>
  [...sources].sort((a, b) => Number(b.signer !== null) - Number(a.signer !== null));

const isProven = (sources: readonly Source[]): boolean => sources.some(({ signer }) => signer !== null);

/** The level is compared without its dist tag: the name of a module does not carry one. */
const reaches = (level: Evr, fix: Fix): boolean =>
  compareEvr(level, { ...fix.package, release: withoutDist(fix.package.release) }) >= 0;

const withoutDist = (release: string): string => release.replace(/\.(?:el|amzn|fc)\d.*$/, '');

function byLoaded(cve: string, { levels }: Fixes, { active, loaded }: Facts): Answer | null {
  const records = active.filter(({ cves }) => cves.includes(cve));
  const listed =
    loaded === null ? [] : levels.filter((fix) => fix.package.name === loaded.stream && reaches(loaded.level, fix));
  const sources = strongestFirst([...records.map(ofRecord), ...listed.map(ofFix)]);
  if (sources.length === 0) return null;
  const by = loaded?.module ?? records[0]?.modules[0] ?? null;
  if (isProven(records.map(ofRecord))) return { state: 'fixed', by, sources, text: `the loaded ${by} fixes it` };
  // By its name alone a module may be anybody's: a signed package must account for it.
  const accounted = active.some((one) => one.signer !== null && one.modules.includes(by ?? ''));
  if (accounted && isProven(sources)) return { state: 'fixed', by, sources, text: `the loaded ${by} fixes it` };
  const why = isProven(sources) ? 'no signed package accounts for that module' : 'nobody signed that';
  return { state: 'unproven', by, sources, text: `the loaded ${by} is said to fix it, but ${why}` };
}

function byKernel(cve: string, { kernels }: Fixes, { kernel, evidence }: Facts): Answer | null {
  const here = kernelEvr(kernel);
  const records = evidence.kernels.filter((one) => one.kernel === kernel.release && one.cves.includes(cve));
  const listed = kernels.filter(
    (fix) => kernelLine(fix.package) === kernelLine(here) && compareKernels(fix.package, here) <= 0,
  );
  const changelogs = records.map(
    (one): Source => ({ kind: 'kernel-changelog', name: formatNevra(one.package), repo: null, signer: one.signer }),
  );
  const sources = strongestFirst([...changelogs, ...listed.map(ofFix)]);
  if (sources.length === 0) return null;
  const by = kernel.release;
  if (isProven(sources)) return { state: 'fixed-in-kernel', by, sources, text: 'this kernel has the fix itself' };
  return { state: 'unproven', by, sources, text: 'this kernel is said to have the fix itself, but nobody signed that' };
}

function onDisk(cve: string, { levels }: Fixes, { records, world, kernel, installed }: Facts): Answer | null {
  const named = records.filter((one) => one.current && one.cves.includes(cve) && present(one, world));
  const listed =
    installed === null
      ? []
      : levels.filter((fix) => fix.package.name === installed.name && compareEvr(fix.package, installed) <= 0);
  const sources = strongestFirst([...named.map(ofRecord), ...listed.map(ofFix)]);
  if (sources.length === 0) return null;
  const by = formatNevra(named[0]?.package ?? (installed as PatchRecord['package']));
  const how = kernel.running && world.live ? 'is not loaded' : 'is loaded when this kernel boots';
  return { state: 'on-disk', by, sources, text: `the installed ${by} fixes it and ${how}` };
}

function onOffer({ levels }: Fixes, { usable }: Facts): Answer | null {
  // What `install` would take: the highest.
  const [best] = usable;
  const sources = best
    ? levels.filter((fix) => fix.package.name === best.name && compareEvr(fix.package, best) <= 0)
    : [];
  if (!best || sources.length === 0) return null;
  const by = formatNevra(best);
  return {
    state: 'available',
    by,
    sources: strongestFirst(sources.map(ofFix)),
    text: `${by} is on offer and fixes it`,
  };
}

function byReboot({ kernels }: Fixes, { kernel, world }: Facts): Answer | null {
  const here = kernelEvr(kernel);
  const above = kernels.filter((fix) => compareKernels(fix.package, here) > 0);
  const line = above.find((fix) => kernelLine(fix.package) === kernelLine(here)) ?? above[0];
  if (!line) return null;
  const { version, release, arch } = line.package;
  const by = `${version}-${release}.${arch}`;
  const same = above.filter((fix) => compareKernels(fix.package, line.package) === 0);
  const got = world.kernels
    .filter((one) => one.release !== kernel.release && compareKernels(kernelEvr(one), line.package) >= 0)
    .map((one) => one.release);
  const text = got.length > 0 ? `fixed in kernel ${by}; ${got[0]} is installed` : `fixed in kernel ${by}`;
  return { state: 'reboot', by, sources: strongestFirst(same.map(ofFix)), text };
}

function nowhere(cve: string, { levels, kernels }: Fixes, { world, usable }: Facts): Answer {
  const sources = strongestFirst([...levels, ...kernels].map(ofFix));
  const [level] = levels;
  if (level) {
    const why = usable.length > 0 ? 'no usable level on offer reaches it' : 'no usable level is on offer';
    const text = `fixed in ${formatNevra(level.package)}, but ${why}`;
    return { state: 'out-of-reach', by: null, sources, text };
  }
  const blind = blindSpots(world);
  const text =
    kernels.length > 0
      ? 'the metadata names it only for other lines of kernels'
      : world.advisories.some(({ cves }) => cves.includes(cve))
        ? 'the metadata names it, but for other kernels only'
        : blind === null
          ? `no metadata names ${cve} for this kernel`
          : `not in the metadata that could be read; ${blind}`;
  return { state: 'unknown', by: null, sources, text };
}

/** Which repositories' advisories are not known; null when all are. */
export function blindSpots(world: World): string | null {
  const unread = world.advisoryStates.filter(({ state }) => state === 'unread').map(({ repo }) => repo);
  const unused = world.repositories.filter(({ used }) => !used).map(({ id }) => id);
  const all = [...new Set([...unread, ...unused])];
  if (world.repositories.length === 0) return 'no repository is enabled';
  return all.length === 0 ? null : `the advisories of ${all.join(', ')} are not known`;
}

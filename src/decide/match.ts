// Which offered packages are for which installed kernel, and which of them can be used.
import { type Because, because } from '../domain/because.ts';
import { meets } from '../domain/dependency.ts';
import { compareEvr, parseEvr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import { formatNevra, sameNevra } from '../domain/nevra.ts';
import { COMMAND_LINE, type Dependency, type OfferedPackage } from '../domain/package.ts';
import type { Rejection } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { quarantinedPackage } from './quarantined.ts';
import { isLivePatchName, otherRequirements, streamName, targetOf } from './schemes/rhel.ts';

/** The kpatch utility whose behaviour kpatch-pm implements: `Requires: kpatch >= x` is met up to here (architecture, decision 6). */
export const OWN_KPATCH_VERSION = '0.9.11';

export interface Candidates {
  /** Usable levels, the highest first; each NEVRA once. */
  readonly usable: readonly OfferedPackage[];
  readonly rejected: readonly Rejection[];
}

/** The candidates of one kernel: everything on offer for it, sorted into usable and rejected (with the reason). */
export function candidatesFor(kernel: InstalledKernel, world: World): Candidates {
  const usable: OfferedPackage[] = [];
  const rejected: Rejection[] = [];
  const offers = offersFor(kernel, world).sort(
    (a, b) => compareEvr(b, a) || preference(a, b, world) || byIdentity(a, b),
  );
  for (const pkg of offers) {
    const reason = reject(pkg, kernel, world);
    if (reason === null) usable.push(pkg);
    else rejected.push({ nevra: formatNevra(pkg), repo: pkg.repo, because: reason });
  }
  return { usable: usable.filter((pkg, n) => n === 0 || !sameNevra(pkg, usable[n - 1] as OfferedPackage)), rejected };
}

/** Packages that are for this kernel, or carry the name of its stream and so deserve an explanation. */
function offersFor(kernel: InstalledKernel, world: World): OfferedPackage[] {
  const name = streamName(kernel.release);
  const { byName, byKernel } = sorted(world.offered);
  const named = name === null ? [] : (byName.get(name) ?? []);
  return [...named, ...(byKernel.get(kernel.release) ?? []).filter((pkg) => pkg.name !== name)];
}

interface Sorted {
  readonly byName: ReadonlyMap<string, readonly OfferedPackage[]>;
  readonly byKernel: ReadonlyMap<string, readonly OfferedPackage[]>;
}

const SORTED = new WeakMap<readonly OfferedPackage[], Sorted>();

/** Live patches by name and by the kernel they are for, sorted once: every kernel asks. */
function sorted(offered: readonly OfferedPackage[]): Sorted {
  const known = SORTED.get(offered);
  if (known !== undefined) return known;
  const byName = new Map<string, OfferedPackage[]>();
  const byKernel = new Map<string, OfferedPackage[]>();
  const add = (map: Map<string, OfferedPackage[]>, key: string, pkg: OfferedPackage): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [pkg]);
    else list.push(pkg);
  };
  for (const pkg of offered) {
    if (!isLivePatchName(pkg.name)) continue;
    add(byName, pkg.name, pkg);
    const target = targetOf(pkg);
    if ('kernel' in target) add(byKernel, target.kernel, pkg);
  }
  SORTED.set(offered, { byName, byKernel });
  return { byName, byKernel };
}

/** Between equal packages: priority, then cost, then the order of the configuration. */
function preference(a: OfferedPackage, b: OfferedPackage, world: World): number {
  const at = (id: string) => world.repositories.findIndex((repo) => repo.id === id);
  const [one, two] = [world.repositories[at(a.repo)], world.repositories[at(b.repo)]];
  return (
    Number(b.repo === COMMAND_LINE) - Number(a.repo === COMMAND_LINE) ||
    (one?.priority ?? 99) - (two?.priority ?? 99) ||
    (one?.cost ?? 1000) - (two?.cost ?? 1000) ||
    at(a.repo) - at(b.repo)
  );
}

/** A last, arbitrary but fixed order, so that the order of metadata never matters. */
function byIdentity(a: OfferedPackage, b: OfferedPackage): number {
  const [one, two] = [JSON.stringify(a), JSON.stringify(b)];
  return one < two ? -1 : one > two ? 1 : 0;
}

/** Why a package cannot be taken for this kernel, or null. The most telling reason comes first. */
function reject(pkg: OfferedPackage, kernel: InstalledKernel, world: World): Because | null {
  // Before its dependencies are read: without an architecture of its own they cannot even name a kernel in short.
  if (pkg.arch === 'noarch') return because('wrong-arch', `built for noarch, the kernel is ${kernel.arch}`);
  const target = targetOf(pkg);
  if ('problem' in target) return because('kernel-mismatch', target.problem);
  if (target.kernel !== kernel.release) return because('other-kernel', `made for kernel ${target.kernel}`);
  if (pkg.arch !== kernel.arch) return because('wrong-arch', `built for ${pkg.arch}, the kernel is ${kernel.arch}`);
  const crashed = quarantinedPackage(pkg, kernel.release, world);
  if (crashed) return because('quarantined', `in quarantine since ${crashed.since.slice(0, 10)}: ${crashed.why}`);
  if (pkg.excludedBy !== null) return because('excluded', `hidden by ${pkg.excludedBy}`);
  if (pkg.lockedBy) return because('versionlocked', `held by versionlock (${pkg.lockedBy})`);
  const obsoleter = withdrawnBy(pkg, world);
  if (obsoleter) return because('withdrawn', `withdrawn: obsoleted by ${formatNevra(obsoleter)}`);
  const better = betterPriority(pkg, world);
  if (better) return because('lower-priority', `repository ${better} has priority for this name`);
  const unmet = unmetRequirement(pkg, world);
  if (unmet) return because('requires-unmet', `requires ${formatDependency(unmet)}${whyUnmet(unmet, world)}`);
  return null;
}

const OBSOLETERS = new WeakMap<readonly OfferedPackage[], readonly OfferedPackage[]>();

/** The few that obsolete anything, looked for once. */
function obsoleters(offered: readonly OfferedPackage[]): readonly OfferedPackage[] {
  const known = OBSOLETERS.get(offered) ?? offered.filter(({ obsoletes }) => obsoletes.length > 0);
  OBSOLETERS.set(offered, known);
  return known;
}

/** A visible package that obsoletes this one (rpm-dependencies(7): Obsoletes match by name and EVR, never by Provides). */
function withdrawnBy(pkg: OfferedPackage, world: World): OfferedPackage | undefined {
  return obsoleters(world.offered).find(
    (other) =>
      other.excludedBy === null &&
      other.obsoletes.some((o) => o.name === pkg.name && meets(pkg, o)) &&
      !sameNevra(other, pkg),
  );
}

/** Id of a repository of better priority that offers the same name visibly: priority beats version, as in dnf. */
function betterPriority(pkg: OfferedPackage, world: World): string | null {
  if (pkg.repo === COMMAND_LINE) return null;
  const priority = (id: string) => world.repositories.find((repo) => repo.id === id)?.priority ?? 99;
  const mine = priority(pkg.repo);
  // As a rule all have the same.
  if (!world.repositories.some((repo) => repo.priority < mine)) return null;
  const rival = world.offered.find(
    (other) =>
      other.name === pkg.name && other.arch === pkg.arch && other.excludedBy === null && priority(other.repo) < mine,
  );
  return rival?.repo ?? null;
}

function unmetRequirement(pkg: OfferedPackage, world: World): Dependency | null {
  const own = parseEvr(OWN_KPATCH_VERSION);
  const installed = world.utility.version === null ? null : parseEvr(world.utility.version);
  const kpatch = pkg.requires.find(
    (d) => d.name === 'kpatch' && !meets(own, d) && !(installed !== null && meets(installed, d)),
  );
  return kpatch ?? otherRequirements(pkg)[0] ?? null;
}

const SIGNS = { EQ: '=', LT: '<', LE: '<=', GT: '>', GE: '>=' } as const;

/** `kpatch >= 0.9.20` */
export function formatDependency(d: Dependency): string {
  return d.flags === null || d.evr === null ? d.name : `${d.name} ${SIGNS[d.flags]} ${d.evr.replace(/^0:/, '')}`;
}

/** Goes on behind the requirement. */
function whyUnmet(d: Dependency, world: World): string {
  if (d.name !== 'kpatch') return ', which kpatch-pm does not know how to meet';
  const installed =
    world.utility.version === null ? 'no kpatch utility is installed' : `kpatch ${world.utility.version} is installed`;
  return `, but ${installed} and kpatch-pm counts as ${OWN_KPATCH_VERSION}`;
}

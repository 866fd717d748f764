// What one word of a command line means: packages on offer, and patches that are installed.
import type { Advisory } from '../domain/advisory.ts';
import { compareEvr } from '../domain/evr.ts';
import { kernelArch } from '../domain/kernel.ts';
import { compareNevra, formatNevra, type Nevra, sameNevra } from '../domain/nevra.ts';
import { COMMAND_LINE, type Dependency, type OfferedPackage } from '../domain/package.ts';
import type { World } from '../domain/world.ts';
import type { PackagedPatch } from './installed.ts';
import { isLivePatchName } from './schemes/rhel.ts';
import { type FixKind, isFix, type Named, type Spec, select } from './spec.ts';
import { severityOf } from './updateinfo.ts';

export interface Meaning {
  readonly spec: Spec;
  /** Live patches on offer that it names, or that come to the same (another level of an installed one it names). */
  readonly offered: readonly OfferedPackage[];
  readonly installed: readonly PackagedPatch[];
  /** Why it can mean nothing at all, as a sentence. */
  readonly problem: string | null;
}

/** Understands one spec. */
export function meaningOf(spec: Spec, world: World): Meaning {
  if (isFix(spec)) return byAdvisory(spec, world);
  const pool = world.offered.filter((pkg) => isLivePatchName(pkg.name)).sort(byIdentity);
  if (spec.kind === 'file') {
    const offered = pool.filter((pkg) => pkg.repo === COMMAND_LINE && pkg.href === spec.text);
    return { spec, offered, installed: [], problem: null };
  }
  const named = select(spec, pool);
  const installed = select(spec, world.installed.flatMap(asNamed)).map(({ patch }) => patch);
  // Who names the installed level (as `kpatch list` prints it) means that package, whatever its level will be.
  const streams = new Set(installed.map((patch) => patch.package.name));
  const offered = pool.filter((pkg) => named.includes(pkg) || streams.has(pkg.name));
  return { spec, offered: named.length > 0 && installed.length === 0 ? named : offered, installed, problem: null };
}

/** A fixed order, so that the order of metadata never matters. */
function byIdentity(a: OfferedPackage, b: OfferedPackage): number {
  const order = compareNevra(a, b) || (a.repo < b.repo ? -1 : a.repo > b.repo ? 1 : 0);
  if (order !== 0) return order;
  const [one, two] = [JSON.stringify(a), JSON.stringify(b)];
  return one < two ? -1 : one > two ? 1 : 0;
}

interface NamedPatch extends Named {
  readonly patch: PackagedPatch;
}

/** An installed patch as specs look at it: what it provides follows from the kernel it is for. */
export function asNamed(patch: World['installed'][number]): NamedPatch[] {
  if (patch.package === null) return [];
  const arch = kernelArch(patch.kernel);
  const bare = arch === null ? patch.kernel : patch.kernel.replace(new RegExp(`\\.${arch}$`), '');
  const provides = [...new Set([patch.kernel, bare])].map(
    (evr): Dependency => ({ name: 'kpatch-patch', flags: 'EQ', evr }),
  );
  const modules = patch.module === null ? null : [patch.module];
  return [{ ...patch.package, provides, modules, patch: patch as PackagedPatch }];
}

export type Fix = Spec & { readonly kind: FixKind };

/** Whether an advisory is among those a spec picks. */
export function picks({ kind, text }: Fix, advisory: Advisory): boolean {
  switch (kind) {
    case 'cve':
      return advisory.cves.includes(text);
    case 'advisory':
      return advisory.id.toLowerCase() === text.toLowerCase();
    case 'bug':
      return advisory.references.some(({ type, id }) => type === 'bugzilla' && id === text);
    case 'type':
      return advisory.type === text;
    case 'severity':
      return advisory.type === 'security' && severityOf(advisory.severity) === text;
  }
}

/** A whole kind of advisories is asked for: that there is none, or none left to take, is an answer and no mistake. */
export const isWholeKind = ({ kind }: Spec): boolean => kind === 'type' || kind === 'severity';

/**
 * Levels that hold what an advisory (or the advisories about a CVE) brings: levels are cumulative, so every level from the
 * lowest listed one on. Source: the vendor lists one package name for each kernel in an advisory. Of a whole kind of
 * advisories only those count that the installed level does not hold already.
 */
function byAdvisory(spec: Fix, world: World): Meaning {
  const about = world.advisories.filter((one) => picks(spec, one));
  const none = { spec, offered: [], installed: [] };
  if (about.length === 0) return { ...none, problem: isWholeKind(spec) ? null : unknownAdvisory(spec, world) };
  const listed = about.flatMap(({ packages }) => packages).filter((pkg) => isLivePatchName(pkg.name));
  if (listed.length === 0) {
    const problem = `${spec.text} is not fixed by a live patch in any advisory that is on offer.`;
    return { ...none, problem: isWholeKind(spec) ? null : problem };
  }
  const holds = (pkg: { name: string; arch: string }) =>
    listed.filter((one) => one.name === pkg.name && one.arch === pkg.arch);
  const installed = world.installed.filter((patch): patch is PackagedPatch => {
    const nevra = patch.package;
    return nevra !== null && holds(nevra).some((one) => compareEvr(nevra, one) >= 0 || sameNevra(nevra, one));
  });
  const isNews = (one: Nevra): boolean =>
    !isWholeKind(spec) || !installed.some(({ package: have }) => have.name === one.name && compareEvr(have, one) >= 0);
  const offered = world.offered.filter(
    (pkg) => isLivePatchName(pkg.name) && holds(pkg).some((one) => isNews(one) && compareEvr(pkg, one) >= 0),
  );
  const problem =
    offered.length === 0 && installed.length === 0 && !isWholeKind(spec)
      ? `${spec.text} is fixed by ${formatNevra(listed[0] as (typeof listed)[number])}, which no repository offers.`
      : null;
  return { spec, offered, installed, problem };
}

function unknownAdvisory(spec: Spec, world: World): string {
  const what =
    spec.kind === 'advisory' ? `No advisory ${spec.text} is on offer` : `No advisory on offer names ${spec.text}`;
  const unread = world.advisoryStates.filter(({ state }) => state === 'unread').map(({ repo }) => repo);
  return unread.length > 0 ? `${what}; those of ${unread.join(', ')} could not be read.` : `${what}.`;
}

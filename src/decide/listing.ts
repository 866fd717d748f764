// Live patches as a package manager lists them: installed, on offer, upgrades. Source of the rules: dnf(8), list: what is on
// offer is shown where it is higher than what is installed, the newest level of each name and architecture only.
import { compareEvr } from '../domain/evr.ts';
import type { InstalledPatch } from '../domain/livepatch.ts';
import { compareNevra, formatNevra, type Nevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { Plan } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { isSubscription } from './installed.ts';
import { asNamed, meaningOf } from './meaning.ts';
import { planFor } from './plan.ts';
import { isLivePatchName, looksEmpty, moduleName, targetOf } from './schemes/rhel.ts';
import { isFilter, isFix, type Spec, select } from './spec.ts';

export interface Listed {
  readonly nevra: Nevra;
  readonly state: 'installed' | 'available' | 'upgrade';
  /** Id of the repository; of an installed one `@` and where it came from, `@System` where that is not known. */
  readonly repo: string;
  /** `uname -r` of the kernel it is for; null where its dependencies do not say. */
  readonly kernel: string | null;
  /** As sysfs names it; null for an empty package. */
  readonly module: string | null;
  /** Bytes to fetch, or on disk; null where it is not known. */
  readonly size: number | null;
  readonly summary: string | null;
  readonly patch: InstalledPatch | null;
  readonly offer: OfferedPackage | null;
  /** Where its package file was put (download). */
  readonly path?: string;
}

export interface Question {
  readonly what: 'installed' | 'available' | 'upgrades' | 'all';
  /** None: everything. */
  readonly specs: readonly Spec[];
  /** None: every kernel, also those that are not installed. */
  readonly kernels: readonly string[];
  readonly duplicates: boolean;
}

/** The answer, sorted by name, installed first. */
export function listing(world: World, question: Question): Listed[] {
  const installed = installedList(world);
  const visible = world.offered.filter((pkg) => isVisible(pkg)).map((pkg) => asListed(pkg, 'available'));
  const has = (state: 'installed' | 'available' | 'upgrades'): boolean =>
    question.what === state || (question.what === 'all' && state !== 'upgrades');
  const found = [
    has('installed') ? installed : [],
    has('available') ? available(visible, installed, question.duplicates, world) : [],
    has('upgrades') ? upgrades(world) : [],
  ].flat();
  const wanted = wantedBy(question.specs, found, world);
  const kernels = (one: Listed): boolean =>
    question.kernels.length === 0 || question.kernels.includes(one.kernel ?? '');
  return found.filter((one) => wanted(one) && kernels(one)).sort(order);
}

const RANK = { installed: 0, available: 1, upgrade: 2 } as const;
const order = (a: Listed, b: Listed): number => RANK[a.state] - RANK[b.state] || compareNevra(a.nevra, b.nevra);

const isVisible = (pkg: OfferedPackage): boolean =>
  isLivePatchName(pkg.name) && pkg.excludedBy === null && !pkg.lockedBy;

export function asListed(pkg: OfferedPackage, state: Listed['state']): Listed {
  const target = targetOf(pkg);
  return {
    nevra: pkg,
    state,
    repo: pkg.repo,
    kernel: 'kernel' in target ? target.kernel : null,
    module: looksEmpty(pkg) ? null : moduleName(pkg),
    size: pkg.size,
    summary: pkg.summary,
    patch: null,
    offer: pkg,
  };
}

/** Every installed package once, whatever the number of its modules. */
export function installedList(world: World): Listed[] {
  const seen = new Set<string>();
  return world.installed.flatMap((patch): Listed[] => {
    if (patch.package === null) return [];
    const key = `${patch.kernel} ${formatNevra(patch.package)}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const offer = world.offered.find((pkg) => formatNevra(pkg) === formatNevra(patch.package as Nevra)) ?? null;
    return [
      {
        nevra: patch.package,
        state: 'installed',
        repo: `@${patch.repo ?? 'System'}`,
        kernel: patch.kernel,
        module: isSubscription(patch) ? null : patch.module,
        size: null,
        summary: offer?.summary ?? null,
        patch,
        offer,
      },
    ];
  });
}

function available(
  visible: readonly Listed[],
  installed: readonly Listed[],
  duplicates: boolean,
  world: World,
): Listed[] {
  if (duplicates) return [...visible];
  const here = (one: Listed): Listed | undefined =>
    installed.find(({ nevra }) => nevra.name === one.nevra.name && nevra.arch === one.nevra.arch);
  const best = new Map<string, Listed>();
  for (const one of visible) {
    const key = `${one.nevra.name}.${one.nevra.arch}`;
    const other = best.get(key);
    if (other === undefined || preferred(one, other, world) > 0) best.set(key, one);
  }
  return [...best.values()].filter((one) => {
    const own = here(one);
    return own === undefined || compareEvr(one.nevra, own.nevra) > 0;
  });
}

/** Priority beats version, as in dnf. */
function preferred(a: Listed, b: Listed, world: World): number {
  const priority = ({ repo }: Listed): number => world.repositories.find(({ id }) => id === repo)?.priority ?? 99;
  return priority(b) - priority(a) || compareEvr(a.nevra, b.nevra);
}

/** What `upgrade` would take. */
function upgrades(world: World): Listed[] {
  return upgradesOf(planFor(world, { verb: 'upgrade', kernels: [], load: false }));
}

/** The upgrades of a plan, as they are listed. */
export function upgradesOf({ actions }: Plan): Listed[] {
  return actions.flatMap((action) => (action.do === 'upgrade' ? [asListed(action.package, 'upgrade')] : []));
}

/** What the words name, and what the advisories that options pick announce: both, where both were given. */
function wantedBy(specs: readonly Spec[], found: readonly Listed[], world: World): (one: Listed) => boolean {
  const named = namedBy(
    specs.filter((spec) => !isFilter(spec)),
    found,
    world,
  );
  const announced = namedBy(specs.filter(isFilter), found, world);
  return (one) => (named?.has(one) ?? true) && (announced?.has(one) ?? true);
}

/** Null where nothing was asked for. */
function namedBy(specs: readonly Spec[], found: readonly Listed[], world: World): ReadonlySet<Listed> | null {
  if (specs.length === 0) return null;
  const named = found.map((one) => ({
    ...one.nevra,
    provides: one.patch ? (asNamed(one.patch)[0]?.provides ?? []) : (one.offer?.provides ?? []),
    modules: one.module === null ? [] : [one.module],
    one,
  }));
  return new Set(
    specs.flatMap((spec) => {
      if (!isFix(spec)) return select(spec, named).map(({ one }) => one);
      const { offered, installed } = meaningOf(spec, world);
      const keys = new Set([...offered, ...installed.map((patch) => patch.package)].map(formatNevra));
      return found.filter(({ nevra }) => keys.has(formatNevra(nevra)));
    }),
  );
}

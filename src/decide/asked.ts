// Live patches named by a person: which packages the words mean, and what is to be done with them for each kernel.
// Source of the rules: dnf(8) install, upgrade, downgrade, reinstall; where a package is for a kernel that is not
// installed, nothing is done: kpatch-pm never installs kernels.
import { type Because, because } from '../domain/because.ts';
import { compareEvr, formatEvr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import { formatNevra, parseNevra, sameNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { InstallAction, LoadAction, Rejection, UnholdAction, Unmatched } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { skippedText } from './explain.ts';
import { activeLevel, installedLevel, type PackagedPatch } from './installed.ts';
import { type Candidates, candidatesFor } from './match.ts';
import { asNamed, isWholeKind, type Meaning, meaningOf } from './meaning.ts';
import { loadAction } from './policy.ts';
import { levelOfModule, looksEmpty, moduleName, targetOf } from './schemes/rhel.ts';
import { isFilter, isFix, isPinned, type Spec } from './spec.ts';

export type AskedVerb = 'install' | 'upgrade' | 'downgrade' | 'reinstall';

/** What is done for one kernel on request. */
export interface Asked {
  readonly install: InstallAction | null;
  readonly load: LoadAction | null;
  readonly unholds: readonly UnholdAction[];
  readonly skip: Because | null;
  readonly rejected: readonly Rejection[];
}

/** The words, understood: what they mean, and those that mean nothing here. */
export interface Request {
  readonly meanings: readonly Meaning[];
  readonly unmatched: readonly Unmatched[];
  /** NEVRAs that were named, or on offer where nothing was, and that no advisory asked for announces. */
  readonly withheld: ReadonlySet<string>;
}

/**
 * Understands the words of a verb. Every word ends in `meanings` or in `unmatched`. Options that pick advisories narrow what
 * the words name; where nothing is named, they are what is meant.
 */
export function understand(verb: AskedVerb, specs: readonly Spec[], world: World): Request {
  const meanings: Meaning[] = [];
  const filters: Meaning[] = [];
  const unmatched: Unmatched[] = [];
  for (const spec of specs) {
    const meaning = meaningOf(spec, world);
    const problem = isFilter(spec) ? meaning.problem : faultOf(verb, meaning, world);
    if (problem !== null) unmatched.push({ spec: spec.text, text: problem });
    else (isFilter(spec) ? filters : meanings).push(meaning);
  }
  if (!specs.some(isFilter)) return { meanings, unmatched, withheld: new Set() };
  const passing = new Set(filters.flatMap(({ offered }) => offered.map(formatNevra)));
  const alone = specs.every(isFilter);
  const named = alone ? filters : meanings;
  // Of one CVE or advisory a kernel without it needs no word; of a whole kind it is the answer.
  const offered = alone && specs.every(isWholeKind) ? world.offered : meanings.flatMap((one) => one.offered);
  return {
    meanings: named.map((one) => ({ ...one, offered: one.offered.filter((pkg) => passing.has(formatNevra(pkg))) })),
    unmatched,
    withheld: new Set(offered.map(formatNevra).filter((nevra) => !passing.has(nevra))),
  };
}

/** Why a word leads nowhere with this verb, as a sentence; null when it leads somewhere. */
function faultOf(verb: AskedVerb, { spec, offered, installed, problem }: Meaning, world: World): string | null {
  if (problem !== null) return problem;
  if (offered.length === 0 && installed.length === 0)
    return `No match for argument: ${spec.text}${streamless(spec, world)}`;
  const here = offered.filter((pkg) => kernelOf(pkg, world) !== null);
  const first = offered.find((pkg) => 'kernel' in targetOf(pkg)) ?? offered[0];
  if (here.length === 0 && installed.length === 0 && first) return elsewhere(first);
  if (verb !== 'install' && installed.length === 0) {
    const names = new Set(here.map(({ name }) => name));
    const level = world.kernels.some((kernel) => names.has(installedLevel(kernel, world)?.package.name ?? ''));
    if (!level) return `Package ${here[0]?.name ?? spec.text} available, but not installed.`;
  }
  if (verb === 'reinstall') {
    const gone = installed.find((patch) => !world.offered.some((pkg) => sameNevra(pkg, patch.package)));
    if (gone) return `Installed package ${formatNevra(gone.package)} not available.`;
  }
  return null;
}

/** A kernel that is here, and for which nothing is on offer, is the usual reason; dnf leaves it to be guessed. */
function streamless(spec: Spec, world: World): string {
  if (spec.kind !== 'requirement' || spec.dependency.name !== 'kpatch-patch') return '';
  const here = world.kernels.some(({ release }) => release === spec.dependency.evr);
  return here ? ' (that kernel is installed, and no repository offers live patches for it)' : '';
}

function elsewhere(pkg: OfferedPackage): string {
  const target = targetOf(pkg);
  return 'kernel' in target
    ? `${pkg.name} is for the kernel ${target.kernel}, which is not installed.`
    : `${formatNevra(pkg)} cannot be used: ${target.problem}.`;
}

function kernelOf(pkg: OfferedPackage, world: World): InstalledKernel | null {
  const target = targetOf(pkg);
  return ('kernel' in target && world.kernels.find(({ release }) => release === target.kernel)) || null;
}

/** What the request means for one kernel. Holds do not count: who names a package wants it. */
export function askedFor(
  kernel: InstalledKernel,
  world: World,
  verb: AskedVerb,
  request: Request,
  load: boolean,
): Asked {
  const all = candidatesFor(kernel, world);
  const wanted = (pkg: { readonly nevra: string } | OfferedPackage): boolean => {
    const nevra = 'nevra' in pkg ? pkg.nevra : formatNevra(pkg);
    return request.meanings.some(({ offered }) => offered.some((one) => formatNevra(one) === nevra));
  };
  const candidates: Candidates = { usable: all.usable.filter(wanted), rejected: all.rejected.filter(wanted) };
  const installed = installedLevel(kernel, world);
  const rejected = candidates.rejected.filter((r) => r.because.code !== 'other-kernel');
  const none = { install: null, load: null, unholds: [], rejected };
  const named = request.meanings.some((m) => m.installed.some((patch) => patch.kernel === kernel.release));
  const level = candidates.usable.length + rejected.length > 0 ? null : withheldLevel(all, installed, request);
  if (level) {
    const text = `${formatNevra(level)} is on offer, but no advisory that was asked for announces it`;
    return { ...none, skip: because('not-announced', text) };
  }
  if (candidates.usable.length === 0 && rejected.length === 0 && !named) {
    return { ...none, skip: because('not-asked-for') };
  }
  if (verb !== 'install' && installed === null) return { ...none, skip: because('nothing-installed') };
  const best = choose(verb, candidates.usable, installed, request);
  const install = best ? take(verb, kernel, best, installed, { ...candidates, rejected }, world) : null;
  const loads = load && world.live && kernel.running ? loadAction(kernel, install, installed, world) : null;
  // A downgrade records a hold itself, and who names its level again wants it no less.
  const again = installed !== null && install === null && !namesMore(kernel, installed, request);
  const lifts = (verb === 'install' || verb === 'upgrade') && install?.do !== 'downgrade' && !again;
  const unholds = lifts ? lifted(kernel, install ?? installed, world) : [];
  if (install || loads || unholds.length > 0) return { install, load: loads, unholds, skip: null, rejected };
  return { ...none, skip: whyNot(verb, kernel, world, candidates, installed, request) };
}

/** The highest usable level that only the advisories asked for keep away; null when there is none. */
function withheldLevel(
  { usable }: Candidates,
  installed: PackagedPatch | null,
  { withheld }: Request,
): OfferedPackage | null {
  const higher = usable.filter((pkg) => installed === null || compareEvr(pkg, installed.package) > 0);
  return higher.find((pkg) => withheld.has(formatNevra(pkg))) ?? null;
}

/** The level to take; null when none is to be taken. */
function choose(
  verb: AskedVerb,
  usable: readonly OfferedPackage[],
  installed: PackagedPatch | null,
  { meanings }: Request,
): OfferedPackage | null {
  const [best] = usable;
  if (best === undefined) return null;
  if (installed === null) return best;
  const order = (pkg: OfferedPackage): number => compareEvr(pkg, installed.package);
  switch (verb) {
    case 'upgrade':
      return order(best) > 0 ? best : null;
    case 'downgrade':
      // Who names a version goes to it, and is there already.
      if (namesInstalled(installed, meanings)) return null;
      return usable.find((pkg) => order(pkg) < 0) ?? null;
    case 'reinstall':
      return usable.find((pkg) => order(pkg) === 0) ?? null;
    case 'install': {
      // Who names the installed version has it; another word may mean more.
      const others = meanings.filter((meaning) => !pins(meaning, installed));
      const newer = usable.find((pkg) => others.some(({ offered }) => offered.some((one) => sameNevra(one, pkg))));
      if (newer === undefined) return null;
      if (order(newer) > 0) return newer;
      // Back only where that very version was named.
      const back = order(best) < 0 && meanings.some(({ spec }) => isPinned(spec, best));
      return back ? best : null;
    }
  }
}

/** Whether a word means this kernel, but not exactly its installed level. */
function namesMore({ release }: InstalledKernel, installed: PackagedPatch, { meanings }: Request): boolean {
  return meanings.some(
    (meaning) =>
      !pins(meaning, installed) &&
      (meaning.installed.some((patch) => patch.kernel === release) ||
        meaning.offered.some(({ name }) => name === installed.package.name)),
  );
}

/** Whether a word names exactly the installed level. */
function namesInstalled(installed: PackagedPatch, meanings: readonly Meaning[]): boolean {
  return meanings.some((meaning) => pins(meaning, installed));
}

function pins({ spec, offered }: Meaning, installed: PackagedPatch): boolean {
  if (spec.kind === 'file') return offered.some((one) => sameNevra(one, installed.package));
  const [named] = asNamed(installed);
  return named !== undefined && isPinned(spec, named);
}

/** The action that brings one kernel to a level, whichever way that is. */
export function take(
  verb: AskedVerb,
  kernel: InstalledKernel,
  best: OfferedPackage,
  installed: PackagedPatch | null,
  { usable, rejected }: Candidates,
  world: World,
): InstallAction {
  const order = installed === null ? 1 : compareEvr(best, installed.package);
  const below = usable.filter((pkg) => compareEvr(pkg, best) < 0);
  const stays = installed && order > 0 ? below.filter((pkg) => compareEvr(pkg, installed.package) > 0) : below;
  return {
    do: installed === null ? 'install' : order > 0 ? 'upgrade' : order < 0 ? 'downgrade' : 'reinstall',
    kernel: kernel.release,
    package: best,
    empty: looksEmpty(best),
    replaces: installed && order !== 0 ? installed.package : null,
    fallbacks: verb === 'reinstall' ? [] : stays,
    // Only what stands between the wish and the level that is taken is worth a word.
    rejected: rejected.filter(({ nevra }) => {
      const level = parseNevra(nevra);
      if (level === null || compareEvr(level, best) <= 0) return false;
      return order > 0 || (installed !== null && compareEvr(level, installed.package) < 0);
    }),
    because:
      installed && order > 0
        ? because('newer-level', `newer than the installed ${formatEvr(installed.package)}`)
        : looksEmpty(best)
          ? because('subscribe')
          : because('asked-for', keeps(kernel, best, world) ?? undefined),
  };
}

/** A lower level does not take the place of a higher one in a running kernel: that one stays until it is rebooted. */
function keeps(kernel: InstalledKernel, best: OfferedPackage, world: World): string | null {
  const active = world.live && kernel.running ? activeLevel(best.name, world) : null;
  const level = levelOfModule(moduleName(best), best.name);
  if (active === null || level === null || compareEvr(active.level, level) <= 0) return null;
  return `${active.patch.module} stays active in the running kernel until the next reboot`;
}

/** The holds on what a person asks for by name. */
export function lifted(
  kernel: InstalledKernel,
  taken: InstallAction | PackagedPatch | null,
  world: World,
): UnholdAction[] {
  const name = taken?.package.name;
  return world.holds
    .filter((hold) => hold.kernel === kernel.release && (hold.name === null || hold.name === name))
    .map((hold) => ({
      do: 'unhold',
      kernel: kernel.release,
      hold,
      because: because('hold-lifted', `was held: ${hold.why}`),
      rejected: [],
    }));
}

function whyNot(
  verb: AskedVerb,
  kernel: InstalledKernel,
  world: World,
  candidates: Candidates,
  installed: PackagedPatch | null,
  { meanings }: Request,
): Because {
  if (installed === null) return skippedText(kernel, world, candidates, installed);
  const name = formatNevra(installed.package);
  if (verb === 'downgrade' && !namesInstalled(installed, meanings)) {
    return because('not-on-offer', `${name} of lowest version already installed, cannot downgrade it`);
  }
  if (verb === 'reinstall') return because('not-on-offer', `Installed package ${name} not available`);
  const best = candidates.usable[0];
  if (best && compareEvr(installed.package, best) > 0) {
    return because(
      'installed-is-newer',
      `the installed ${name} is newer; to go back: kpatch-pm downgrade ${best.name}`,
    );
  }
  if (!best && candidates.rejected.length > 0) return skippedText(kernel, world, candidates, null);
  if (meanings.every(({ spec }) => isFix(spec))) {
    return because('fix-installed', `the installed ${name} has the fix`);
  }
  return because('up-to-date', `Package ${name} is already installed`);
}

// What is to be done for one kernel: the auto/manual policy as a choice between the usable levels and the installed one.
import { type Because, because } from '../domain/because.ts';
import { compareEvr, formatEvr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { InstallAction, LoadAction } from '../domain/plan.ts';
import type { Hold, World } from '../domain/world.ts';
import { skippedText } from './explain.ts';
import { activeLevel, installedLevel, isSubscription, moduleOf, type PackagedPatch } from './installed.ts';
import { type Candidates, candidatesFor } from './match.ts';
import { bypassFor, stageLevels, type Waiting, waitingText } from './rollout.ts';
import { levelOfModule, looksEmpty, moduleName } from './schemes/rhel.ts';

export interface Choice {
  readonly install: InstallAction | null;
  readonly load: LoadAction | null;
  /** Set when nothing is to be done. */
  readonly skip: Because | null;
  readonly candidates: Candidates;
}

/**
 * Brings one kernel to its highest usable level whose turn in the rollout has come: installs or upgrades, never downgrades;
 * loads where the kernel runs and `load` allows it. Holds are obeyed.
 */
export function chooseFor(kernel: InstalledKernel, world: World, load: boolean): Choice {
  const all = candidatesFor(kernel, world);
  const installed = installedLevel(kernel, world);
  const { released, waiting } = stageLevels(all.usable, installed?.package ?? null, world);
  const later = waiting.filter((wait) => needs(wait.package, installed));
  const candidates: Candidates = {
    usable: released,
    rejected: [
      ...later.map((wait) => ({
        nevra: formatNevra(wait.package),
        repo: wait.package.repo,
        because: wait.because,
      })),
      ...all.rejected,
    ],
  };
  const best = released[0];
  const held = holdOn(kernel, best?.name ?? installed?.package.name ?? null, world);
  // What a person left installed may be loaded; what was put out of reach altogether is not touched.
  if (held && (held.name === null || installed === null)) {
    return { install: null, load: null, skip: heldText(held, best?.name), candidates };
  }
  const taken = best && !held && needs(best, installed) ? best : null;
  const early = taken && bypassFor(taken, installed?.package ?? null, world);
  const install = taken && {
    ...installAction(kernel, taken, installed, candidates),
    ...(early ? { early } : {}),
  };
  const action = load && world.live && kernel.running ? loadAction(kernel, install, installed, world) : null;
  if (install || action) return { install, load: action, skip: null, candidates };
  const name = best?.name ?? later[0]?.package.name;
  const skip = held ? heldText(held, name) : (laterText(later[0]) ?? skippedText(kernel, world, candidates, installed));
  return { install, load: action, skip, candidates };
}

const laterText = (wait: Waiting | undefined): Because | null =>
  wait ? because(wait.because.code, waitingText(wait)) : null;

/** The hold that keeps automatic runs from this package of this kernel, or from the whole kernel. */
export function holdOn(kernel: InstalledKernel, name: string | null, world: World): Hold | undefined {
  return world.holds.find(
    (hold) => hold.kernel === kernel.release && (hold.name === null || name === null || hold.name === name),
  );
}

/** The command that brings back what a hold keeps away. */
export function liftingCommand(hold: Hold, name: string | undefined): string {
  return `kpatch-pm install ${hold.name ?? name ?? `"kpatch-patch = ${hold.kernel}"`}`;
}

function heldText(hold: Hold, name: string | undefined): Because {
  return because('held', `${hold.why}; to lift the hold: ${liftingCommand(hold, name)}`);
}

function needs(best: OfferedPackage, installed: PackagedPatch | null): boolean {
  return installed === null || compareEvr(best, installed.package) > 0;
}

function installAction(
  kernel: InstalledKernel,
  best: OfferedPackage,
  installed: PackagedPatch | null,
  { usable, rejected }: Candidates,
): InstallAction {
  const empty = looksEmpty(best);
  const higher = rejected.filter((r) => r.because.code !== 'other-kernel');
  return {
    do: installed ? 'upgrade' : 'install',
    kernel: kernel.release,
    package: best,
    empty,
    replaces: installed?.package ?? null,
    fallbacks: usable.filter((pkg) => compareEvr(pkg, best) < 0 && needs(pkg, installed)),
    rejected: higher,
    because: empty
      ? because('subscribe')
      : installed
        ? because('newer-level', `newer than the installed ${formatEvr(installed.package)}`)
        : because('newest-level'),
  };
}

/** What to load: the level that will be the newest on disk, unless that level or a newer one is active already. */
export function loadAction(
  kernel: InstalledKernel,
  install: InstallAction | null,
  installed: PackagedPatch | null,
  world: World,
): LoadAction | null {
  const common = { do: 'load', kernel: kernel.release, rejected: [] } as const;
  if (install) {
    if (install.empty) return null;
    const module = moduleName(install.package);
    if (newerOrSameActive(install.package.name, module, world)) return null;
    return { ...common, module, nevra: install.package, because: install.because };
  }
  if (!installed || isSubscription(installed) || installed.file === null || installed.changed === true) return null;
  const module = moduleOf(installed);
  if (newerOrSameActive(installed.package.name, module, world)) return null;
  const text = `${formatNevra(installed.package)} is installed but not active in the running kernel`;
  return { ...common, module, nevra: installed.package, because: because('not-loaded', text) };
}

/** True when this module, or a higher level of the stream, is enabled: an older one would silently replace a newer one. */
function newerOrSameActive(stream: string, module: string, world: World): boolean {
  if (world.loaded.some((patch) => patch.module === module && patch.enabled)) return true;
  const active = activeLevel(stream, world);
  const wanted = levelOfModule(module, stream);
  return active !== null && wanted !== null && compareEvr(active.level, wanted) >= 0;
}

// The verdict on every installed kernel (contract section 5): what an administrator reads first.
import { type Because, because } from '../domain/because.ts';
import { compareEvr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import type { InstalledPatch, LoadedPatch } from '../domain/livepatch.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { Hold, World } from '../domain/world.ts';
import { type NextBoot, nextBoot } from './boot.ts';
import { skippedText } from './explain.ts';
import { activeLevel, installedLevel, isSubscription, moduleOf, type PackagedPatch, streamsOf } from './installed.ts';
import { candidatesFor } from './match.ts';
import { liftingCommand } from './policy.ts';
import { standingQuarantine } from './quarantined.ts';
import { cvesWaiting, stageLevels, type Waiting } from './rollout.ts';
import { levelOfModule } from './schemes/rhel.ts';

export type Verdict =
  | 'transition-stalled'
  | 'quarantined'
  | 'installed-not-loaded'
  | 'update-available'
  | 'protected'
  | 'protected-stale'
  | 'patched-until-reboot'
  | 'ready-at-boot'
  | 'not-installed'
  | 'subscribed-no-fix'
  | 'no-patch-stream'
  | 'unknown';

export interface KernelReport {
  readonly release: string;
  readonly running: boolean;
  readonly defaultBoot: boolean | null;
  readonly subscribed: boolean;
  readonly installed: readonly InstalledPatch[];
  readonly loaded: readonly LoadedPatch[];
  /** The highest usable level on offer. */
  readonly available: OfferedPackage | null;
  readonly held: Because | null;
  /** What the rollout keeps back; absent or null: nothing. */
  readonly rollout?: KeptBack | null;
  readonly verdict: Verdict;
  readonly because: Because;
  /** Commands that bring the kernel further, the best first. */
  readonly next: readonly string[];
  /** What the next boot of this kernel will load; null (or absent) where its units were not looked at. */
  readonly nextBoot?: NextBoot | null;
}

/** The highest level that waits for its turn. */
export interface KeptBack extends Waiting {
  /** The level that `install` would take meanwhile; null: none. */
  readonly takes: OfferedPackage | null;
  /** Fixes that this machine lacks for it, over what it has or would take; null where advisories are not known. */
  readonly cves: readonly string[] | null;
}

interface Facts {
  readonly kernel: InstalledKernel;
  readonly world: World;
  readonly installed: PackagedPatch | null;
  readonly available: OfferedPackage | null;
  readonly loaded: readonly LoadedPatch[];
  /** True when the metadata behind this answer is old, or a repository could not be read. */
  readonly stale: boolean;
}

type Judgement = Pick<KernelReport, 'verdict' | 'because' | 'next'>;

/** A report for every installed kernel, the running one first. */
export function kernelReports(world: World): KernelReport[] {
  const order = (a: InstalledKernel, b: InstalledKernel): number =>
    Number(b.running) - Number(a.running) || (a.release < b.release ? -1 : 1);
  return [...world.kernels].sort(order).map((kernel) => report(kernel, world));
}

function report(kernel: InstalledKernel, world: World): KernelReport {
  const candidates = candidatesFor(kernel, world);
  const installed = installedLevel(kernel, world);
  const loaded = world.live && kernel.running ? world.loaded : [];
  const stale = world.repositories.length === 0 || world.repositories.some((repo) => repo.stale || !repo.used);
  const available = candidates.usable[0] ?? null;
  const held = world.holds.find((hold) => hold.kernel === kernel.release);
  const judged = hidden(world, installed) ??
    judge({ kernel, world, installed, available, loaded, stale }) ?? {
      ...fallback(world, skippedText(kernel, world, candidates, installed)),
    };
  const rollout = keptBack(candidates.usable, installed, world);
  const idle = rollout !== null && rollout.takes === null && TAKING.includes(judged.verdict);
  const next = idle ? judged.next.filter((command) => command !== INSTALL) : judged.next;
  return {
    release: kernel.release,
    running: kernel.running,
    defaultBoot: kernel.defaultBoot,
    subscribed: installed !== null,
    installed: world.installed.filter((patch) => patch.kernel === kernel.release),
    loaded,
    available,
    held: held ? because('held', held.why) : null,
    nextBoot: nextBoot(kernel.release, world),
    ...judged,
    rollout,
    next: held ? judged.next.map((command) => lifting(command, held, available?.name)) : next,
  };
}

/** What waits above both what is installed and what would be taken now; null where nothing does. */
function keptBack(usable: readonly OfferedPackage[], installed: PackagedPatch | null, world: World): KeptBack | null {
  const has = installed?.package ?? null;
  const { released, waiting } = stageLevels(usable, has, world);
  const [best] = released;
  const takes = best && (has === null || compareEvr(best, has) > 0) ? best : null;
  const base = takes ?? has;
  const [wait] = waiting.filter(({ package: pkg }) => base === null || compareEvr(pkg, base) > 0);
  return wait ? { ...wait, takes, cves: cvesWaiting(wait.package, base, world) } : null;
}

/** Verdicts whose next command would find nothing to take while the rollout keeps the level back. */
const TAKING: readonly Verdict[] = ['update-available', 'not-installed'];

const INSTALL = 'kpatch-pm install';
/** What is held comes back only when it is named. */
function lifting(command: string, hold: Hold, name: string | undefined): string {
  return command === INSTALL ? liftingCommand(hold, name) : command;
}

const REFRESH = 'kpatch-pm status --refresh';

/** Where receipts are hidden from this user, nothing found installed does not mean that nothing is. */
function hidden(world: World, installed: PackagedPatch | null): Judgement | null {
  if (!world.receiptsHidden || installed !== null) return null;
  return { verdict: 'unknown', because: because('receipts-hidden'), next: ['sudo kpatch-pm status'] };
}

/** How to come to the level that is usable beside a quarantined one: it may be above what is installed, or below it. */
function instead(available: OfferedPackage | null, installed: PackagedPatch | null): string[] {
  const order = available === null ? 0 : installed === null ? 1 : compareEvr(available, installed.package);
  if (available === null || order === 0) return [];
  return [order > 0 ? INSTALL : `kpatch-pm downgrade ${available.name}`];
}

/** The verdicts that rest on something installed, loaded or offered, in the order of the contract; null when none applies. */
function judge(facts: Facts): Judgement | null {
  const { kernel, installed, available, loaded, stale } = facts;
  const moving = loaded.find((patch) => patch.transition);
  if (moving) {
    const text = `the transition of ${moving.module} has not finished`;
    return { verdict: 'transition-stalled', because: because('in-transition', text), next: ['kpatch-pm status'] };
  }
  const crashed = standingQuarantine(kernel.release, installed, facts.world);
  if (crashed) {
    const next = [...instead(available, installed), `kpatch-pm quarantine clear ${crashed.module}`];
    return { verdict: 'quarantined', because: because('quarantined', `${crashed.module}: ${crashed.why}`), next };
  }
  const active = kernel.running ? activeHere(facts) : null;
  const hasModule = installed !== null && !isSubscription(installed);
  if (kernel.running && facts.world.live && hasModule && !isActive(installed, facts)) {
    const text = `${formatNevra(installed.package)} is installed but not active`;
    return { verdict: 'installed-not-loaded', because: because('not-active', text), next: [INSTALL] };
  }
  if (installed && available && compareEvr(available, installed.package) > 0) {
    const text = `${formatNevra(available)} is on offer`;
    return { verdict: 'update-available', because: because('higher-level-offered', text), next: [INSTALL] };
  }
  const gone = active && lostOnDisk(active, hasModule ? installed : null);
  if (gone) return gone;
  if (hasModule && kernel.running && facts.world.live) {
    const text = `${moduleOf(installed)} is active`;
    return stale
      ? {
          verdict: 'protected-stale',
          because: because('metadata-stale', `${text}, but ${staleText(facts.world)}`),
          next: [REFRESH],
        }
      : { verdict: 'protected', because: because('active', `${text}, the newest known level`), next: [] };
  }
  if (hasModule) return atBoot(installed);
  if (!installed && available) {
    const text = `${formatNevra(available)} is on offer`;
    return { verdict: 'not-installed', because: because('stream-not-installed', text), next: [INSTALL] };
  }
  return null;
}

/** Active now, but the next boot will not load it: removed, its file gone, or not the file that was installed. */
function lostOnDisk(active: LoadedPatch, installed: PackagedPatch | null): Judgement | null {
  const verdict = 'patched-until-reboot';
  if (installed === null) {
    const text = `${active.module} is active but no longer installed: after a reboot this kernel is unpatched`;
    return { verdict, because: because('gone-from-disk', text), next: [INSTALL] };
  }
  if (installed.file !== null && !installed.changed) return null;
  const text = `${active.module} is active, but its file is ${installed.file === null ? 'gone' : 'not the one that was installed'}`;
  const code = installed.file === null ? 'file-missing' : 'file-changed';
  return { verdict, because: because(code, text), next: [`kpatch-pm reinstall ${installed.package.name}`] };
}

function atBoot(installed: PackagedPatch): Judgement {
  const name = formatNevra(installed.package);
  if (installed.file === null || installed.changed) {
    const code = installed.file === null ? 'file-missing' : 'file-changed';
    return {
      verdict: 'not-installed',
      because: because(code),
      next: [`kpatch-pm reinstall ${installed.package.name}`],
    };
  }
  return {
    verdict: 'ready-at-boot',
    because: because('installed-for-boot', `${name} will be loaded when this kernel boots`),
    next: [],
  };
}

/** The verdict where nothing with a module is installed and nothing usable is on offer. */
function fallback(world: World, why: Because): Judgement {
  if (why.code === 'subscribed-no-fix') return { verdict: 'subscribed-no-fix', because: why, next: [] };
  if (why.code === 'no-metadata') {
    return { verdict: 'unknown', because: why, next: world.repositories.length > 0 ? ['kpatch-pm makecache'] : [] };
  }
  // "None on offer" needs every repository: where one could not be read, the answer is not known.
  if (why.code === 'no-stream' && world.repositories.some((repo) => !repo.used)) {
    return { verdict: 'unknown', because: why, next: ['kpatch-pm makecache'] };
  }
  return { verdict: 'no-patch-stream', because: why, next: [] };
}

/** The enabled patch of one of this kernel's streams, if any. */
function activeHere({ kernel, world }: Facts): LoadedPatch | null {
  if (!world.live) return null;
  for (const stream of streamsOf(kernel, world)) {
    const active = activeLevel(stream, world);
    if (active) return active.patch;
  }
  return null;
}

/** Whether the installed level, or a higher one, is enabled in the running kernel. */
function isActive(installed: PackagedPatch, { world }: Facts): boolean {
  const module = moduleOf(installed);
  if (world.loaded.some((patch) => patch.module === module && patch.enabled)) return true;
  const active = activeLevel(installed.package.name, world);
  const level = levelOfModule(module, installed.package.name);
  return active !== null && level !== null && compareEvr(active.level, level) >= 0;
}

function staleText(world: World): string {
  const unread = world.repositories.filter((repo) => !repo.used).map((repo) => repo.id);
  if (unread.length > 0) return `${unread.join(', ')} could not be read`;
  const old = world.repositories.filter((repo) => repo.stale).map((repo) => repo.id);
  return old.length > 0 ? `the metadata of ${old.join(', ')} is past its expiry` : 'no repository is enabled';
}

// World and request -> Plan. Pure: the same input gives the same plan, whatever the order of its lists.
import { type Because, because } from '../domain/because.ts';
import type { HistoryRecord } from '../domain/history.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type {
  InstallAction,
  LoadAction,
  Plan,
  Rejection,
  SettingAction,
  Skipped,
  UnholdAction,
} from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { type AskedVerb, askedFor, understand } from './asked.ts';
import { ownPlan } from './own.ts';
import { chooseFor } from './policy.ts';
import { orphansOf, removalOf } from './removal.ts';
import { ahead } from './rollout.ts';
import type { Spec } from './spec.ts';
import { undoOf } from './undo.ts';

export type Verb =
  | 'auto'
  | 'install'
  | 'upgrade'
  | 'downgrade'
  | 'reinstall'
  | 'remove'
  | 'autoremove'
  | 'manual'
  | 'auto-filter'
  | 'no-filter'
  /** Undoing what the history has. */
  | 'history';

export interface Goal {
  readonly verb: Verb;
  /** Kernel releases to work on; empty means every installed kernel. */
  readonly kernels: readonly string[];
  /** Whether loading into the running kernel is wanted. */
  readonly load: boolean;
  /** What was named; empty or absent: everything the verb is about. */
  readonly specs?: readonly Spec[];
  /** The run that is to be undone, with the verb `history`. */
  readonly undo?: HistoryRecord;
}

/** Plans a verb. Every installed kernel ends in at least one action or in exactly one `skipped`. */
export function planFor(world: World, goal: Goal): Plan {
  const { verb, specs = [] } = goal;
  switch (verb) {
    case 'manual':
    case 'auto-filter':
    case 'no-filter':
      return planOf(world, settingActions(world, verb), because('setting-only'));
    case 'remove': {
      const { removes, unmatched } = removalOf(specs, goal.kernels, world);
      return { ...planOf(world, removes, because('not-asked-for')), unmatched };
    }
    case 'history':
      return undoPlan(world, goal);
    case 'autoremove':
      return orphansPlan(goal.kernels, world);
    default:
      if (world.ownModules?.length) return ownPlan(world, goal.load);
      return takingPlan(world, goal, specs);
  }
}

/** A plan of these actions; every kernel they do not touch is skipped for one reason. */
function planOf(world: World, actions: Plan['actions'], reason: Because): Plan {
  const touched = new Set(actions.map((action) => ('kernel' in action ? action.kernel : null)));
  const rest = inOrder(world).filter(({ release }) => !touched.has(release));
  const skipped = rest.map(({ release }) => ({ kernel: release, because: reason, rejected: [] }));
  return { actions, skipped, repositories: world.repositories };
}

/** Where nothing is left of kernels that are gone, each kernel that is here says why nothing of it goes. */
function orphansPlan(kernels: readonly string[], world: World): Plan {
  const plan = planOf(world, orphansOf(kernels, world), because('not-asked-for'));
  if (plan.actions.length > 0) return plan;
  const why = (release: string): Because =>
    kernels.length > 0 && !kernels.includes(release) ? because('not-selected') : staying(release, world);
  return { ...plan, skipped: plan.skipped.map((skip) => ({ ...skip, because: why(skip.kernel) })) };
}

function staying(release: string, world: World): Because {
  if (world.installed.some(({ kernel }) => kernel === release))
    return because('up-to-date', 'this kernel is installed, its live patches stay');
  return because(world.receiptsHidden ? 'receipts-hidden' : 'nothing-installed');
}

function undoPlan(world: World, { undo, kernels, load }: Goal): Plan {
  if (undo === undefined) return planOf(world, [], because('not-asked-for'));
  const { actions, unmatched, reasons } = undoOf({ record: undo, kernels, load }, world);
  const { skipped, ...plan } = planOf(world, actions, because('not-asked-for'));
  const told = skipped.map((skip) => ({ ...skip, because: reasons.get(skip.kernel) ?? skip.because }));
  return { ...plan, skipped: told, unmatched };
}

/** What is done for one kernel by the verbs that take packages. */
interface Chosen {
  readonly install: InstallAction | null;
  readonly load: LoadAction | null;
  readonly unholds: readonly UnholdAction[];
  readonly skip: Because | null;
  readonly rejected: readonly Rejection[];
}

function takingPlan(world: World, goal: Goal, specs: readonly Spec[]): Plan {
  const request = specs.length > 0 ? understand(goal.verb as AskedVerb, specs, world) : null;
  const installs: InstallAction[] = [];
  const loads: LoadAction[] = [];
  const unholds: UnholdAction[] = [];
  const skipped: Skipped[] = [];
  for (const kernel of inOrder(world)) {
    const skip = (reason: Because, rejected: readonly Rejection[] = []) =>
      skipped.push({ kernel: kernel.release, because: reason, rejected });
    if (goal.kernels.length > 0 && !goal.kernels.includes(kernel.release)) {
      skip(because('not-selected'));
      continue;
    }
    const choice = request
      ? askedFor(kernel, world, goal.verb as AskedVerb, request, goal.load)
      : unasked(kernel, world, goal);
    if (choice.skip) {
      skip(choice.skip, choice.rejected);
      continue;
    }
    if (choice.install) {
      if (takenElsewhere(choice.install.package, kernel, installs, world)) {
        const nevra = formatNevra(choice.install.package);
        // One NEVRA for two kernels: a repository contradicts itself, and a package can be installed once only.
        skip(because('other-kernel', `${nevra} is taken for another kernel already`), choice.rejected);
        continue;
      }
      installs.push(request ? named(choice.install, world) : choice.install);
    }
    if (choice.load) loads.push(choice.load);
    unholds.push(...choice.unholds);
  }
  const settings = settingActions(world, goal.verb);
  // Settings go before loads: the setting stands when every package action succeeded, whatever the kernel says afterwards.
  const actions = [...installs, ...unholds, ...settings, ...loads];
  const plan = { actions, skipped, repositories: world.repositories };
  return request ? { ...plan, unmatched: request.unmatched } : plan;
}

/** What was named does not wait for its turn in the rollout; that it did not is told. */
function named(install: InstallAction, world: World): InstallAction {
  const early = install.do === 'install' || install.do === 'upgrade' ? ahead(install, world) : null;
  return early === null ? install : { ...install, early };
}

/** Nothing was named: the policy decides; `upgrade` leaves kernels alone for which nothing is installed. */
function unasked(kernel: InstalledKernel, world: World, goal: Goal): Chosen {
  const { install, load, skip, candidates } = chooseFor(kernel, world, goal.load);
  const chosen = { install, load, unholds: [], skip, rejected: candidates.rejected };
  if (goal.verb !== 'upgrade' || install?.do !== 'install') return chosen;
  const text = `no live patch is installed for this kernel; to have ${formatNevra(install.package)}: kpatch-pm install`;
  return { ...chosen, install: null, load: null, skip: because('nothing-installed', text) };
}

/**
 * Whether a package belongs to another kernel already: the rpm database holds one package of a name, so a name that two
 * kernels could claim (a local rebuild has the vendor's short name) stays with the one that has it.
 */
function takenElsewhere(
  pkg: OfferedPackage,
  kernel: InstalledKernel,
  installs: readonly InstallAction[],
  world: World,
): boolean {
  const nevra = formatNevra(pkg);
  const owner = inOrder(world).find(({ release }) =>
    world.installed.some((patch) => patch.kernel === release && patch.package?.name === pkg.name),
  );
  return (
    installs.some((action) => formatNevra(action.package) === nevra) ||
    world.installed.some(
      (patch) => patch.kernel !== kernel.release && patch.package !== null && formatNevra(patch.package) === nevra,
    ) ||
    (owner !== undefined && owner.release !== kernel.release)
  );
}

/** The running kernel first: it is the one that is exposed now. Then by release, so that input order never matters. */
function inOrder(world: World): InstalledKernel[] {
  return [...world.kernels].sort(
    (a, b) => Number(b.running) - Number(a.running) || (a.release < b.release ? -1 : a.release > b.release ? 1 : 0),
  );
}

const WANTED: Partial<Record<Verb, SettingAction['setting']>> = {
  auto: { name: 'autoupdate', value: true },
  manual: { name: 'autoupdate', value: false },
  'auto-filter': { name: 'autofilter', value: true },
  'no-filter': { name: 'autofilter', value: false },
};

function settingActions(world: World, verb: Verb): SettingAction[] {
  const setting = WANTED[verb];
  if (setting === undefined) return [];
  const stands = world.settings[setting.name] === setting.value && !world.settingsToMend?.includes(setting.name);
  if (stands) return [];
  return [{ do: 'setting', setting, because: because('setting-requested'), rejected: [] }];
}

// World and request -> Plan. Pure: the same input gives the same plan, whatever the order of its lists.
import { because } from '../domain/because.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { InstallAction, LoadAction, Plan, SettingAction, Skipped } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { chooseFor } from './policy.ts';

export type Verb = 'auto' | 'install' | 'manual' | 'auto-filter' | 'no-filter';

export interface Goal {
  readonly verb: Verb;
  /** Kernel releases to work on; empty means every installed kernel. */
  readonly kernels: readonly string[];
  /** Whether loading into the running kernel is wanted. */
  readonly load: boolean;
}

/** Plans a verb of the main job. Every installed kernel ends in at least one action or in exactly one `skipped`. */
export function planFor(world: World, goal: Goal): Plan {
  const settings = settingActions(world, goal.verb);
  if (goal.verb === 'manual' || goal.verb === 'auto-filter' || goal.verb === 'no-filter') {
    const skipped = inOrder(world).map((k) => ({ kernel: k.release, because: because('setting-only'), rejected: [] }));
    return { actions: settings, skipped, repositories: world.repositories };
  }
  const installs: InstallAction[] = [];
  const loads: LoadAction[] = [];
  const skipped: Skipped[] = [];
  for (const kernel of inOrder(world)) {
    if (goal.kernels.length > 0 && !goal.kernels.includes(kernel.release)) {
      skipped.push({ kernel: kernel.release, because: because('not-selected'), rejected: [] });
      continue;
    }
    const choice = chooseFor(kernel, world, goal.load);
    if (choice.skip) {
      skipped.push({ kernel: kernel.release, because: choice.skip, rejected: choice.candidates.rejected });
      continue;
    }
    if (choice.install) {
      const nevra = formatNevra(choice.install.package);
      if (takenElsewhere(nevra, kernel, installs, world)) {
        // One NEVRA for two kernels: a repository contradicts itself, and a package can be installed once only.
        const reason = because('other-kernel', `${nevra} is taken for another kernel already`);
        skipped.push({ kernel: kernel.release, because: reason, rejected: choice.candidates.rejected });
        continue;
      }
      installs.push(choice.install);
    }
    if (choice.load) loads.push(choice.load);
  }
  // Settings go before loads: the setting stands when every package action succeeded, whatever the kernel says afterwards.
  return { actions: [...installs, ...settings, ...loads], skipped, repositories: world.repositories };
}

function takenElsewhere(
  nevra: string,
  kernel: InstalledKernel,
  installs: readonly InstallAction[],
  world: World,
): boolean {
  return (
    installs.some((action) => formatNevra(action.package) === nevra) ||
    world.installed.some(
      (patch) => patch.kernel !== kernel.release && patch.package !== null && formatNevra(patch.package) === nevra,
    )
  );
}

/** The running kernel first: it is the one that is exposed now. Then by release, so that input order never matters. */
function inOrder(world: World): InstalledKernel[] {
  return [...world.kernels].sort(
    (a, b) => Number(b.running) - Number(a.running) || (a.release < b.release ? -1 : a.release > b.release ? 1 : 0),
  );
}

const WANTED: Record<Verb, SettingAction['setting'] | null> = {
  auto: { name: 'autoupdate', value: true },
  manual: { name: 'autoupdate', value: false },
  'auto-filter': { name: 'autofilter', value: true },
  'no-filter': { name: 'autofilter', value: false },
  install: null,
};

function settingActions(world: World, verb: Verb): SettingAction[] {
  const setting = WANTED[verb];
  if (setting === null) return [];
  const stands = world.settings[setting.name] === setting.value && !world.settingsToMend?.includes(setting.name);
  if (stands) return [];
  return [{ do: 'setting', setting, because: because('setting-requested'), rejected: [] }];
}

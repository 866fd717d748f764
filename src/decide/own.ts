// Module files that a person named: each goes to the one kernel it was built for, and is loaded where that one runs.
// There is no level to choose and nothing to compare: what was named is taken, or stands there already.
import { type Because, because } from '../domain/because.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import type { OwnModule } from '../domain/livepatch.ts';
import type { Action, LoadAction, OwnModuleAction, Plan } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';

/** Plans the module files of a world. `load`: whether loading into the running kernel is wanted. */
export function ownPlan(world: World, load: boolean): Plan {
  const wanted = world.ownModules ?? [];
  const puts = wanted.filter((own) => !own.installed).map(put);
  const loads = wanted.filter((own) => load && isLoadable(own, world)).map(loadOf);
  const actions: Action[] = [...puts, ...loads];
  const touched = new Set<string>([...puts, ...loads].map(({ kernel }) => kernel));
  const skipped = [...world.kernels]
    .sort((a, b) => (a.release < b.release ? -1 : 1))
    .filter(({ release }) => !touched.has(release))
    .map((kernel) => ({ kernel: kernel.release, because: whyNot(kernel, wanted), rejected: [] }));
  return { actions, skipped, repositories: world.repositories, unmatched: [] };
}

const put = (own: OwnModule): OwnModuleAction => ({
  do: 'own',
  kernel: own.kernel,
  own,
  because: because('own-module'),
  rejected: [],
});

const loadOf = ({ kernel, module }: OwnModule): LoadAction => ({
  do: 'load',
  kernel,
  module,
  nevra: null,
  because: because('own-module'),
  rejected: [],
});

function isLoadable({ kernel, module }: OwnModule, { live, kernels, loaded }: World): boolean {
  const runs = live && kernels.some(({ release, running }) => running && release === kernel);
  return runs && !loaded.some((patch) => patch.module === module && patch.enabled);
}

function whyNot({ release }: InstalledKernel, wanted: readonly OwnModule[]): Because {
  const there = wanted.find(({ kernel }) => kernel === release);
  return there ? because('up-to-date', `${there.file} is already installed`) : because('not-asked-for');
}

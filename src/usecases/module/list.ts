// `module list`: the text of `kpatch list`, which Cockpit, Insights and people's scripts read.
// Source: the kpatch utility 0.9.11; pkg/packagekit/kpatch.tsx of Cockpit; insights/parsers/kpatch_list.py.
import type { LoadedPatch } from '../../domain/livepatch.ts';
import { livepatches, type StalledTask, stalledTasks } from '../../host/livepatch.ts';
import type { Machine } from '../../host/machine.ts';
import { moduleFiles } from './files.ts';

export interface ModuleList {
  readonly loaded: readonly LoadedPatch[];
  readonly stalled: readonly StalledTask[];
  readonly installed: readonly { readonly module: string; readonly kernel: string }[];
}

/** What is loaded and installed. Needs no root. */
export function listModules({ root, host, live }: Pick<Machine, 'root' | 'host' | 'live'>): ModuleList {
  const loaded = live ? livepatches(host) : [];
  const moving = loaded.find((patch) => patch.transition);
  return {
    loaded,
    stalled: moving ? stalledTasks(host, moving.enabled ? 1 : 0) : [],
    installed: moduleFiles(root).map(({ module, kernel }) => ({ module, kernel })),
  };
}

function state({ enabled, transition }: LoadedPatch): string {
  if (transition) return enabled ? 'enabling...' : 'disabling...';
  return enabled ? 'enabled' : 'disabled';
}

/** Exactly two sections and one blank line between them, unless a transition has tasks in its way. */
export function listText({ loaded, stalled, installed }: ModuleList): string {
  const lines = ['Loaded patch modules:', ...loaded.map((patch) => `${patch.module} [${state(patch)}]`), ''];
  if (stalled.length > 0) lines.push(...stalledLines(stalled), '');
  lines.push('Installed patch modules:', ...installed.map(({ module, kernel }) => `${module} (${kernel})`));
  return `${lines.join('\n')}\n`;
}

export function stalledLines(stalled: readonly StalledTask[]): string[] {
  const tasks = stalled.flatMap(({ tid, comm, stack }) => [`${tid} ${comm}`, 'stack:', ...stack]);
  return ['Stalled processes:', ...tasks];
}

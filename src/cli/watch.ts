// status --watch: while a live patch is in transition, say what changes and who is in its way; one line a change, so that it
// reads the same on a terminal, in a pipe and in a log.
import { setTimeout as pause } from 'node:timers/promises';
import type { LoadedPatch } from '../domain/livepatch.ts';
import type { World } from '../domain/world.ts';
import { livepatches, type StalledTask, stalledTasks } from '../host/livepatch.ts';
import type { Machine } from '../host/machine.ts';
import type { Output } from './output.ts';
import { clean } from './render/clean.ts';

const EVERY_MS = 1000;
/** Tasks named on a line. */
const NAMED = 3;

/** Waits until no patch is in transition; gives what is loaded then. `wait` is one pause. */
export async function watchTransition(
  machine: Pick<Machine, 'host' | 'now'>,
  world: World,
  output: Pick<Output, 'out'>,
  wait: () => Promise<unknown> = () => pause(EVERY_MS),
): Promise<readonly LoadedPatch[]> {
  if (!world.live) return world.loaded;
  let before = '';
  for (;;) {
    const loaded = livepatches(machine.host);
    const moving = loaded.find(({ transition }) => transition);
    if (!moving) return loaded;
    const line = lineOf(moving, stalledTasks(machine.host, moving.enabled ? 1 : 0));
    if (line !== before) output.out(`${machine.now().toISOString().slice(11, 19)} ${line}\n`);
    before = line;
    await wait();
  }
}

function lineOf({ module, enabled }: LoadedPatch, tasks: readonly StalledTask[]): string {
  const what = `${clean(module)}: ${enabled ? 'patching' : 'unpatching'}`;
  if (tasks.length === 0) return `${what}, waiting for the kernel`;
  const named = tasks.slice(0, NAMED).map(({ tid, comm, stack }) => {
    const at = stack[0] === undefined ? '' : ` at ${clean(stack[0])}`;
    return `${tid} ${clean(comm)}${at}`;
  });
  const more = tasks.length > NAMED ? `, and ${tasks.length - NAMED} more` : '';
  return `${what}, ${tasks.length} task${tasks.length === 1 ? '' : 's'} left: ${named.join(', ')}${more}`;
}

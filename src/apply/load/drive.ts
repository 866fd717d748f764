// Carries out the steps of a load or unload: looks, asks the step function, acts, until it says the end.
import type { LoadedPatch } from '../../domain/livepatch.ts';
import { hasErrno, KpmError } from '../../errors.ts';
import {
  canSignal,
  isResident,
  livepatches,
  refcount,
  type StalledTask,
  setEnabled,
  signalTasks,
  stalledTasks,
} from '../../host/livepatch.ts';
import type { Root } from '../../host/root.ts';
import type { Run } from '../../host/run.ts';
import { type Insertion, removeModule } from './loader.ts';
import type { LoadTimes, Stopwatch } from './times.ts';
import { type Action, type Answer, type Ending, type Observation, type State, step } from './transition.ts';

export interface Drive {
  readonly sys: Root;
  readonly run: Run;
  readonly times: LoadTimes;
  readonly stopwatch: Stopwatch;
  /** How to insert the module; never called on an unload. */
  readonly insert: () => Promise<Insertion>;
}

export interface Course {
  readonly ending: Ending;
  readonly tasks: readonly StalledTask[];
  /** What the last refusing program or kernel attribute said. */
  readonly refusal: string;
  /** Patches that were active before and are not any more. */
  readonly replaced: readonly string[];
  /** Modules taken out of the kernel on the way. */
  readonly removed: readonly string[];
  /** The other patch in transition, when that was in the way. */
  readonly busyWith: string | null;
  readonly seconds: number;
}

/** Runs from `first` to the end. Raises only what programs raise (`program-missing`, `program-failed`). */
export async function drive(context: Drive, first: State): Promise<Course> {
  const { sys, stopwatch } = context;
  const before = livepatches(sys)
    .filter((patch) => patch.enabled && patch.module !== first.module)
    .map((patch) => patch.module);
  const began = stopwatch.now();
  const memory: Memory = { tasks: [], refusal: '', removed: [] };
  let state = first;
  let answer: Answer | null = null;
  let busyWith: string | null = null;
  for (;;) {
    const seen = look(context, state.module, before, answer);
    busyWith = seen.busyWith ?? busyWith;
    const next = step(state, seen, context.times);
    state = next.state;
    if (next.action.do === 'end') {
      return {
        ...memory,
        ending: next.action.ending,
        replaced: seen.leftovers.map(({ module }) => module).concat(memory.removed.filter((m) => before.includes(m))),
        busyWith,
        seconds: (stopwatch.now() - began) / 1000,
      };
    }
    answer = await act(context, state.module, next.action, memory);
  }
}

interface Memory {
  tasks: readonly StalledTask[];
  refusal: string;
  removed: string[];
}

function look(context: Drive, module: string, before: readonly string[], answer: Answer | null): Observation {
  const { sys, stopwatch } = context;
  const patches = livepatches(sys);
  const entry = patches.find((patch) => patch.module === module) ?? null;
  return {
    now: stopwatch.now(),
    entry,
    resident: isResident(sys, module),
    refcount: refcount(sys, module),
    busyWith: patches.find((patch) => patch.module !== module && patch.transition)?.module ?? null,
    canSignal: entry !== null && canSignal(sys, module),
    leftovers: before.filter((other) => isResident(sys, other)).flatMap((other) => leftover(sys, other, patches)),
    answer,
  };
}

/** A replaced patch is disabled at once, but leaves sysfs and lets go of its module only a little later. */
function leftover(sys: Root, module: string, patches: readonly LoadedPatch[]): Observation['leftovers'] {
  const still = patches.find((patch) => patch.module === module);
  if (still?.enabled) return [];
  return [{ module, free: still === undefined && (refcount(sys, module) ?? 0) <= 0 }];
}

async function act(
  context: Drive,
  module: string,
  action: Exclude<Action, { do: 'end' }>,
  memory: Memory,
): Promise<Answer> {
  switch (action.do) {
    case 'sleep':
      await context.stopwatch.sleep(action.ms);
      return { kind: 'ok' };
    case 'insert': {
      const insertion = await context.insert();
      if (insertion.tasks.length > 0) memory.tasks = insertion.tasks;
      memory.refusal = insertion.text;
      return insertion.answer;
    }
    case 'remove': {
      const removal = await removeModule(context.run, action.module, context.times);
      if (removal.answer.kind === 'ok') memory.removed.push(action.module);
      else memory.refusal = removal.text;
      return removal.answer;
    }
    case 'list-tasks': {
      const tasks = stalledTasks(context.sys, action.target);
      if (tasks.length > 0) memory.tasks = tasks;
      return { kind: 'ok' };
    }
    case 'disable':
      return attempt(memory, () => setEnabled(context.sys, module, false));
    case 'signal':
      return attempt(memory, () => signalTasks(context.sys, module));
  }
}

/** Writes an attribute; the kernel's errno becomes an answer. The attribute's absence is a normal end of unpatching. */
function attempt(memory: Memory, write: () => void): Answer {
  try {
    write();
    return { kind: 'ok' };
  } catch (error) {
    const cause = error instanceof KpmError ? error.cause : error;
    if (hasErrno(cause, 'ENOENT', 'ENODEV')) return { kind: 'gone' };
    if (hasErrno(cause, 'EBUSY')) return { kind: 'busy', final: false };
    if (cause === undefined) throw error;
    memory.refusal = (cause as Error).message;
    return { kind: 'refused' };
  }
}

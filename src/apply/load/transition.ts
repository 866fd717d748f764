// The life of one load or unload as a pure step function: (state, what is seen, times) -> what to do next.
// It never forces a transition: a forced module can never be removed, and the kernel cannot vouch for it.
// Source: Documentation/livepatch/livepatch.rst of the kernel (life cycle, consistency model); behaviour measured on 6.1 and 6.12.
import type { LoadTimes } from './times.ts';

/** What the kernel or a program answered to the last action. */
export type Answer =
  | { readonly kind: 'ok' }
  /** Another transition runs. `final`: whoever asked has already retried. */
  | { readonly kind: 'busy'; readonly final: boolean }
  /** A module of that name is in the kernel. */
  | { readonly kind: 'exists' }
  /** The transition did not end and the patch was taken back (the utility does that by itself). */
  | { readonly kind: 'stalled' }
  /** The thing acted on is no longer there. */
  | { readonly kind: 'gone' }
  /** The module is held by somebody. */
  | { readonly kind: 'in-use' }
  | { readonly kind: 'refused' };

/** What is seen just before a step. */
export interface Observation {
  /** Monotonic milliseconds. */
  readonly now: number;
  /** The patch in /sys/kernel/livepatch; null when it is not there. */
  readonly entry: { readonly enabled: boolean; readonly transition: boolean } | null;
  /** Whether its module is in /sys/module. */
  readonly resident: boolean;
  /** Its reference count; null when the kernel does not show one. */
  readonly refcount: number | null;
  /** Another patch that is in transition. */
  readonly busyWith: string | null;
  readonly canSignal: boolean;
  /** Modules of patches that were active before and are not any more; `free` when nothing holds them back from removal. */
  readonly leftovers: readonly { readonly module: string; readonly free: boolean }[];
  /** The answer to the action before; null before the first. */
  readonly answer: Answer | null;
}

export type Action =
  | { readonly do: 'insert' }
  | { readonly do: 'disable' }
  | { readonly do: 'signal' }
  | { readonly do: 'list-tasks'; readonly target: 0 | 1 }
  | { readonly do: 'remove'; readonly module: string }
  | { readonly do: 'sleep'; readonly ms: number }
  | { readonly do: 'end'; readonly ending: Ending };

export type Failure =
  | 'refused'
  | 'transition-busy'
  | 'transition-stalled'
  | 'not-a-livepatch'
  | 'module-in-use'
  | 'load-undone'
  | 'not-loaded';

export type Ending =
  | { readonly ok: true; readonly already: boolean }
  /** `gone`: the module is out of the kernel again. */
  | { readonly ok: false; readonly failure: Failure; readonly gone: boolean };

type Phase = 'clear' | 'inserted' | 'settle' | 'stalled' | 'leave' | 'disabled' | 'reverse' | 'refcount' | 'prune';

export interface State {
  readonly goal: 'load' | 'unload';
  readonly module: string;
  /** On a stall: take the patch back, or leave it in transition. */
  readonly onStall: 'reverse' | 'leave';
  readonly phase: Phase;
  /** When the phase began. */
  readonly since: number;
  readonly attempts: number;
  readonly signalled: boolean;
  /** Why the module is being taken out again; null on a plain unload. */
  readonly failure: Failure | null;
  /** Modules of replaced patches whose removal was tried. */
  readonly pruned: readonly string[];
}

export interface Step {
  readonly state: State;
  readonly action: Action;
}

/** The first state of a load or an unload. */
export function begin(goal: State['goal'], module: string, onStall: State['onStall'], now: number): State {
  return {
    goal,
    module,
    onStall,
    phase: 'clear',
    since: now,
    attempts: 0,
    signalled: false,
    failure: null,
    pruned: [],
  };
}

/** The next action. Pure: the same state and observation give the same step. */
export function step(state: State, seen: Observation, times: LoadTimes): Step {
  switch (state.phase) {
    case 'clear':
      return state.goal === 'load' ? clearForLoad(state, seen, times) : beginUnload(state, seen, times);
    case 'inserted':
      return afterInsert(state, seen, times);
    case 'settle':
      return settle(state, seen, times);
    case 'stalled':
      return afterStall(state, seen, times);
    case 'leave':
      return fail(state, state.failure ?? 'transition-stalled', seen);
    case 'disabled':
      return afterDisable(state, seen, times);
    case 'reverse':
      return reverse(state, seen, times);
    case 'refcount':
      return drain(state, seen, times);
    case 'prune':
      return prune(state, seen, times);
  }
}

const enter = (state: State, phase: Phase, seen: Observation): State => ({ ...state, phase, since: seen.now });
const wait = (state: State, ms: number): Step => ({ state, action: { do: 'sleep', ms } });
const elapsed = (state: State, seen: Observation): number => seen.now - state.since;
/** Often at first, when most transitions end; then calmer. */
const poll = (state: State, seen: Observation): Step =>
  wait(state, Math.min(250, Math.max(20, Math.round(elapsed(state, seen) / 10))));

function fail(state: State, failure: Failure, seen: Observation): Step {
  return { state, action: { do: 'end', ending: { ok: false, failure, gone: !seen.resident && seen.entry === null } } };
}

/** Waits for another transition to end, a limited number of times. */
function yieldToOther(state: State, seen: Observation, times: LoadTimes): Step {
  const attempts = state.attempts + 1;
  if (attempts >= times.busyAttempts) return fail(state, 'transition-busy', seen);
  return wait({ ...enter(state, 'clear', seen), attempts }, times.busyPause);
}

/** Before an insert: the module may be active, on its way out, or left over from an earlier life. */
function clearForLoad(state: State, seen: Observation, times: LoadTimes): Step {
  const { entry } = seen;
  if (entry?.enabled) {
    if (entry.transition) return settle(enter(state, 'settle', seen), seen, times);
    return { state, action: { do: 'end', ending: { ok: true, already: true } } };
  }
  if (entry?.transition || seen.busyWith !== null) return yieldToOther(state, seen, times);
  if (seen.resident) {
    // Disabled or replaced earlier. Insert it afresh instead of re-enabling it, so that what runs is what was verified.
    if (seen.refcount !== null && seen.refcount > 0) {
      if (elapsed(state, seen) >= times.refcount) return fail(state, 'module-in-use', seen);
      return poll(state, seen);
    }
    if (state.pruned.includes(state.module)) return fail(state, 'module-in-use', seen);
    return {
      state: { ...state, pruned: [...state.pruned, state.module] },
      action: { do: 'remove', module: state.module },
    };
  }
  return { state: enter(state, 'inserted', seen), action: { do: 'insert' } };
}

function afterInsert(state: State, seen: Observation, times: LoadTimes): Step {
  switch (seen.answer?.kind) {
    case 'ok':
      if (seen.entry !== null) return settle(enter(state, 'settle', seen), seen, times);
      // insmod also accepts ordinary modules, which patch nothing; a utility may have inserted and lost nothing at all.
      return drain({ ...enter(state, 'refcount', seen), failure: 'not-a-livepatch' }, seen, times);
    case 'busy':
      if (seen.answer.final) return fail(state, 'transition-busy', seen);
      return yieldToOther(state, seen, times);
    case 'exists': {
      // Somebody else was quicker. Look again from the start, but not for ever.
      const attempts = state.attempts + 1;
      if (attempts >= times.busyAttempts) return fail(state, 'module-in-use', seen);
      return clearForLoad({ ...enter(state, 'clear', seen), attempts }, seen, times);
    }
    case 'stalled':
      return fail(state, 'transition-stalled', seen);
    default:
      return fail(state, 'refused', seen);
  }
}

/** The patch is in: wait until every task runs the new code. */
function settle(state: State, seen: Observation, times: LoadTimes): Step {
  const { entry } = seen;
  if (entry === null || !entry.enabled) {
    if (entry?.transition && elapsed(state, seen) < times.giveUp) return poll(state, seen);
    return fail(state, 'load-undone', seen);
  }
  if (!entry.transition) return prune(enter(state, 'prune', seen), seen, times);
  const time = elapsed(state, seen);
  if (time < times.giveUp) {
    if (time < times.signal || state.signalled || !seen.canSignal) return poll(state, seen);
    return { state: { ...state, signalled: true }, action: { do: 'signal' } };
  }
  return { state: enter(state, 'stalled', seen), action: { do: 'list-tasks', target: 1 } };
}

function afterStall(state: State, seen: Observation, times: LoadTimes): Step {
  // It may have ended while the tasks were being listed.
  if (seen.entry?.enabled && !seen.entry.transition) return settle(state, seen, times);
  const failed: State = { ...state, failure: 'transition-stalled' };
  if (state.onStall === 'leave') return fail(failed, 'transition-stalled', seen);
  return { state: enter(failed, 'disabled', seen), action: { do: 'disable' } };
}

function beginUnload(state: State, seen: Observation, times: LoadTimes): Step {
  const { entry } = seen;
  if (entry === null && !seen.resident) return fail(state, 'not-loaded', seen);
  if (entry?.enabled) {
    if (seen.busyWith !== null) return yieldToOther(state, seen, times);
    return { state: enter(state, 'disabled', seen), action: { do: 'disable' } };
  }
  return reverse(enter(state, 'reverse', seen), seen, times);
}

function afterDisable(state: State, seen: Observation, times: LoadTimes): Step {
  const kind = seen.answer?.kind;
  if (kind === 'busy' && state.failure === null) return yieldToOther(state, seen, times);
  if (kind === 'refused') return fail(state, state.failure ?? 'refused', seen);
  return reverse(enter(state, 'reverse', seen), seen, times);
}

/** Wait until no task runs the patched code. The entry may vanish at any moment: that is the normal end. */
function reverse(state: State, seen: Observation, times: LoadTimes): Step {
  const { entry } = seen;
  if (entry === null || (!entry.enabled && !entry.transition)) {
    return drain(enter(state, 'refcount', seen), seen, times);
  }
  if (elapsed(state, seen) < times.reverse) return poll(state, seen);
  const failed: State = { ...enter(state, 'leave', seen), failure: 'transition-stalled' };
  if (state.failure === 'transition-stalled') return fail(failed, 'transition-stalled', seen);
  return { state: failed, action: { do: 'list-tasks', target: 0 } };
}

/** Wait until nobody holds the module, then take it out. */
function drain(state: State, seen: Observation, times: LoadTimes): Step {
  if (!seen.resident) {
    if (state.failure !== null) return fail(state, state.failure, seen);
    return { state, action: { do: 'end', ending: { ok: true, already: false } } };
  }
  if (seen.answer?.kind === 'refused' || elapsed(state, seen) >= times.refcount) {
    return fail(state, state.failure ?? 'module-in-use', seen);
  }
  // The count may lag behind; after a refusal because of it, pause once before the next attempt.
  if ((seen.refcount ?? 0) > 0 || seen.answer?.kind === 'in-use') return poll(state, seen);
  return { state, action: { do: 'remove', module: state.module } };
}

/** The patch is proven. The modules of the patches it replaced are taken out; one that stays is no failure. */
function prune(state: State, seen: Observation, times: LoadTimes): Step {
  const left = seen.leftovers.filter(({ module }) => !state.pruned.includes(module));
  const free = left.find((leftover) => leftover.free);
  if (free) {
    return {
      state: { ...state, pruned: [...state.pruned, free.module] },
      action: { do: 'remove', module: free.module },
    };
  }
  if (left.length > 0 && elapsed(state, seen) < times.leftover) return poll(state, seen);
  return { state, action: { do: 'end', ending: { ok: true, already: false } } };
}

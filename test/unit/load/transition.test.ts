// The step function of loads and unloads: every situation of the kernel, and a model kernel that behaves at random.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_TIMES } from '../../../src/apply/load/times.ts';
import {
  type Action,
  type Answer,
  begin,
  type Observation,
  type State,
  step,
} from '../../../src/apply/load/transition.ts';

const MODULE = 'kpatch_1_2';
const times = DEFAULT_TIMES;

const seen = (some: Partial<Observation> = {}): Observation => ({
  now: 0,
  entry: null,
  resident: false,
  refcount: null,
  busyWith: null,
  canSignal: false,
  leftovers: [],
  answer: null,
  ...some,
});
const moving = { entry: { enabled: true, transition: true }, resident: true, refcount: 1 };
const active = { entry: { enabled: true, transition: false }, resident: true, refcount: 1 };
const leaving = { entry: { enabled: false, transition: true }, resident: true, refcount: 1 };
const load = (more: Partial<State> = {}): State => ({ ...begin('load', MODULE, 'reverse', 0), ...more });
const unload = (more: Partial<State> = {}): State => ({ ...begin('unload', MODULE, 'reverse', 0), ...more });
const ok: Answer = { kind: 'ok' };
const failed = (failure: string, gone: boolean): Action =>
  ({ do: 'end', ending: { ok: false, failure, gone } }) as Action;

describe('before an insert', () => {
  const table: [string, Observation, Partial<Action> & { do: Action['do'] }][] = [
    ['nothing there', seen(), { do: 'insert' }],
    ['active already', seen(active), { do: 'end', ending: { ok: true, already: true } }],
    ['moving already', seen(moving), { do: 'sleep' }],
    ['being taken out', seen(leaving), { do: 'sleep', ms: times.busyPause }],
    ['another one moves', seen({ busyWith: 'other' }), { do: 'sleep', ms: times.busyPause }],
    ['left over, free', seen({ resident: true, refcount: 0 }), { do: 'remove', module: MODULE }],
    ['left over, count unknown', seen({ resident: true }), { do: 'remove', module: MODULE }],
    ['left over, still held', seen({ resident: true, refcount: 1 }), { do: 'sleep' }],
    [
      'left over and disabled in sysfs',
      seen({ entry: { enabled: false, transition: false }, resident: true, refcount: 0 }),
      { do: 'remove', module: MODULE },
    ],
    ['held for too long', seen({ resident: true, refcount: 1, now: times.refcount }), failed('module-in-use', false)],
  ];
  test.each(table)('%s', (_what, observation, action) => {
    expect(step(load(), observation, times).action).toMatchObject(action);
  });

  test('a module that cannot be removed is not tried for ever', () => {
    const first = step(load(), seen({ resident: true, refcount: 0 }), times);
    const again = step(first.state, seen({ resident: true, refcount: 0, answer: { kind: 'in-use' } }), times);
    expect(again.action).toEqual(failed('module-in-use', false));
  });

  test('another transition is waited for five times in all', () => {
    let state = load();
    let sleeps = 0;
    for (let n = 0; n < 10; n++) {
      const next = step(state, seen({ busyWith: 'other' }), times);
      state = next.state;
      if (next.action.do === 'sleep') sleeps++;
      else expect(next.action).toEqual(failed('transition-busy', true));
    }
    expect(sleeps).toBe(times.busyAttempts - 1);
  });
});

describe('after an insert', () => {
  const inserted = load({ phase: 'inserted' });
  const table: [string, Observation, Partial<Action> & { do: Action['do'] }][] = [
    ['moving', seen({ ...moving, answer: ok }), { do: 'sleep', ms: 20 }],
    ['active at once', seen({ ...active, answer: ok }), { do: 'end', ending: { ok: true, already: false } }],
    [
      'no entry: an ordinary module',
      seen({ resident: true, refcount: 0, answer: ok }),
      { do: 'remove', module: MODULE },
    ],
    ['no entry, no module', seen({ answer: ok }), failed('not-a-livepatch', true)],
    ['busy', seen({ answer: { kind: 'busy', final: false } }), { do: 'sleep', ms: times.busyPause }],
    [
      'busy, after the utility gave up',
      seen({ answer: { kind: 'busy', final: true } }),
      failed('transition-busy', true),
    ],
    ['refused', seen({ answer: { kind: 'refused' } }), failed('refused', true)],
    [
      'stalled and taken back by the utility',
      seen({ answer: { kind: 'stalled' } }),
      failed('transition-stalled', true),
    ],
    ['somebody else loaded it meanwhile', seen({ ...active, answer: { kind: 'exists' } }), { do: 'end' }],
  ];
  test.each(table)('%s', (_what, observation, action) => {
    expect(step(inserted, observation, times).action).toMatchObject(action);
  });

  test('a name that is taken without being a live patch ends after a few looks', () => {
    let state = inserted;
    const exists = seen({ answer: { kind: 'exists' } });
    for (let n = 0; n < times.busyAttempts - 1; n++) {
      const next = step({ ...state, phase: 'inserted' }, exists, times);
      expect(next.action.do).toBe('insert');
      state = next.state;
    }
    expect(step(state, exists, times).action).toEqual(failed('module-in-use', true));
  });
});

describe('a transition that takes long', () => {
  const settling = load({ phase: 'settle' });
  test('is only watched before its time', () => {
    expect(step(settling, seen({ ...moving, now: times.signal - 1, canSignal: true }), times).action.do).toBe('sleep');
  });
  test('is signalled once, where the kernel has that attribute', () => {
    const first = step(settling, seen({ ...moving, now: times.signal, canSignal: true }), times);
    expect(first.action).toEqual({ do: 'signal' });
    expect(step(first.state, seen({ ...moving, now: times.signal + 1, canSignal: true }), times).action.do).toBe(
      'sleep',
    );
    expect(step(settling, seen({ ...moving, now: times.signal }), times).action.do).toBe('sleep');
  });
  test('is given up: tasks listed, disabled, drained, removed, told', () => {
    const at = times.giveUp;
    const listed = step(settling, seen({ ...moving, now: at }), times);
    expect(listed.action).toEqual({ do: 'list-tasks', target: 1 });
    const disabled = step(listed.state, seen({ ...moving, now: at, answer: ok }), times);
    expect(disabled.action).toEqual({ do: 'disable' });
    const waited = step(disabled.state, seen({ ...leaving, now: at, answer: ok }), times);
    expect(waited.action.do).toBe('sleep');
    const removed = step(waited.state, seen({ resident: true, refcount: 0, now: at + 9, answer: ok }), times);
    expect(removed.action).toEqual({ do: 'remove', module: MODULE });
    expect(step(removed.state, seen({ now: at + 10, answer: ok }), times).action).toEqual(
      failed('transition-stalled', true),
    );
  });
  test('ends well when it completes while the tasks are being listed', () => {
    const listed = step(settling, seen({ ...moving, now: times.giveUp }), times);
    expect(step(listed.state, seen({ ...active, answer: ok }), times).action).toMatchObject({
      do: 'end',
      ending: { ok: true },
    });
  });
  test('is left in transition where the policy says so', () => {
    const state = load({ phase: 'stalled', onStall: 'leave' });
    expect(step(state, seen({ ...moving, answer: ok }), times).action).toEqual(failed('transition-stalled', false));
  });
  test('that cannot even be taken back is told as being still there', () => {
    const state = load({ phase: 'reverse', failure: 'transition-stalled' });
    expect(step(state, seen({ ...leaving, now: times.reverse }), times).action).toEqual(
      failed('transition-stalled', false),
    );
  });
  test('that somebody else took back', () => {
    expect(step(settling, seen(), times).action).toEqual(failed('load-undone', true));
    expect(step(settling, seen(leaving), times).action.do).toBe('sleep');
  });
});

describe('after a replace', () => {
  const left = { ...active, leftovers: [{ module: 'kpatch_1_1', free: true }] };
  test('the module of the replaced patch is taken out', () => {
    const first = step(load({ phase: 'settle' }), seen(left), times);
    expect(first.action).toEqual({ do: 'remove', module: 'kpatch_1_1' });
    const after = step(first.state, seen({ ...left, answer: { kind: 'in-use' } }), times);
    expect(after.action).toEqual({ do: 'end', ending: { ok: true, already: false } });
  });
  test('one that is held is waited for shortly, and is no failure', () => {
    const held = { ...active, leftovers: [{ module: 'kpatch_1_1', free: false }] };
    const first = step(load({ phase: 'settle' }), seen(held), times);
    expect(first.action.do).toBe('sleep');
    expect(step(first.state, seen({ ...held, now: times.leftover }), times).action).toMatchObject({
      ending: { ok: true },
    });
  });
});

describe('an unload', () => {
  const table: [string, State, Observation, Partial<Action> & { do: Action['do'] }][] = [
    ['of nothing', unload(), seen(), failed('not-loaded', true)],
    ['of an active patch', unload(), seen(active), { do: 'disable' }],
    ['while another moves', unload(), seen({ ...active, busyWith: 'other' }), { do: 'sleep', ms: times.busyPause }],
    ['of a disabled one', unload(), seen({ resident: true, refcount: 0 }), { do: 'remove', module: MODULE }],
    ['of one on its way out', unload(), seen(leaving), { do: 'sleep' }],
    [
      'that the kernel is too busy for',
      unload({ phase: 'disabled' }),
      seen({ ...active, answer: { kind: 'busy', final: false } }),
      { do: 'sleep', ms: times.busyPause },
    ],
    [
      'that the kernel refuses',
      unload({ phase: 'disabled' }),
      seen({ ...active, answer: { kind: 'refused' } }),
      failed('refused', false),
    ],
    [
      'that stalls',
      unload({ phase: 'reverse' }),
      seen({ ...leaving, now: times.reverse }),
      { do: 'list-tasks', target: 0 },
    ],
    [
      'whose module stays',
      unload({ phase: 'refcount' }),
      seen({ resident: true, refcount: 1, now: times.refcount }),
      failed('module-in-use', false),
    ],
    ['done', unload({ phase: 'refcount' }), seen({ answer: ok }), { do: 'end', ending: { ok: true, already: false } }],
  ];
  test.each(table)('%s', (_what, state, observation, action) => {
    expect(step(state, observation, times).action).toMatchObject(action);
  });
  test('a stall is told after the tasks were listed', () => {
    const listed = step(unload({ phase: 'reverse' }), seen({ ...leaving, now: times.reverse }), times);
    expect(step(listed.state, seen({ ...leaving, answer: ok }), times).action).toEqual(
      failed('transition-stalled', false),
    );
  });
});

/** A kernel in miniature: its answers come from a list of random numbers. */
class ModelKernel {
  entry: { enabled: boolean; transition: boolean } | null = null;
  resident = false;
  refcount = 0;
  now = 0;
  ends = 0;
  readonly forbidden: string[] = [];
  readonly #dice: number[];
  #at = 0;

  constructor(dice: number[]) {
    this.#dice = dice;
  }

  roll(sides: number): number {
    const value = this.#dice[this.#at++ % this.#dice.length] ?? 0;
    return value % sides;
  }

  look(answer: Answer | null): Observation {
    if (this.entry?.transition && this.now >= this.ends) this.finish();
    const busyWith = this.roll(20) === 0 && !this.entry?.transition ? 'other' : null;
    return {
      now: this.now,
      entry: this.entry,
      resident: this.resident,
      refcount: this.resident ? this.refcount : null,
      busyWith,
      canSignal: this.roll(2) === 0,
      leftovers: [],
      answer,
    };
  }

  finish(): void {
    if (this.entry?.enabled) this.entry = { enabled: true, transition: false };
    else {
      this.entry = null;
      this.refcount = 0;
    }
  }

  move(enabled: boolean): void {
    this.entry = { enabled, transition: true };
    this.refcount = 1;
    this.ends = this.now + this.roll(200) * 1000;
  }

  act(action: Exclude<Action, { do: 'end' }>): Answer {
    this.now += 1;
    switch (action.do) {
      case 'sleep':
        this.now += action.ms;
        // Now and then somebody else interferes.
        if (this.roll(60) === 0 && this.entry) this.move(!this.entry.enabled);
        return ok;
      case 'insert': {
        if (this.resident) return { kind: 'exists' };
        const kind = this.roll(6);
        if (kind === 0) return { kind: 'busy', final: false };
        if (kind === 1) return { kind: 'refused' };
        this.resident = true;
        if (kind !== 2) this.move(true);
        return ok;
      }
      case 'disable':
        if (!this.entry) return { kind: 'gone' };
        if (this.roll(10) === 0) return { kind: 'busy', final: false };
        this.move(false);
        return ok;
      case 'remove':
        if (!this.resident) return { kind: 'gone' };
        if (this.entry || this.refcount > 0) return { kind: 'in-use' };
        this.resident = false;
        return ok;
      default:
        return ok;
    }
  }
}

describe('against a kernel that behaves at random', () => {
  const dice = fc.array(fc.nat(10_000), { minLength: 5, maxLength: 60 });
  test.each(['load', 'unload'] as const)('a %s ends, and says done only when it is', (goal) => {
    fc.assert(
      fc.property(
        dice,
        fc.boolean(),
        fc.constantFrom('reverse' as const, 'leave' as const),
        (numbers, there, onStall) => {
          const kernel = new ModelKernel(numbers);
          if (there) {
            kernel.resident = true;
            kernel.move(true);
          }
          let state = begin(goal, MODULE, onStall, kernel.now);
          let answer: Answer | null = null;
          for (let n = 0; n < 20_000; n++) {
            const observation = kernel.look(answer);
            const next = step(state, observation, times);
            state = next.state;
            if (next.action.do === 'end') {
              if (!next.action.ending.ok) return;
              if (goal === 'load') expect(observation.entry).toEqual({ enabled: true, transition: false });
              else expect([observation.entry, observation.resident]).toEqual([null, false]);
              return;
            }
            answer = kernel.act(next.action);
          }
          throw new Error('it never ended');
        },
      ),
      { numRuns: 2000 },
    );
  });
});

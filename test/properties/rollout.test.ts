import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { installedLevel } from '../../src/decide/installed.ts';
import { candidatesFor } from '../../src/decide/match.ts';
import { planFor } from '../../src/decide/plan.ts';
import { stageLevels } from '../../src/decide/rollout.ts';
import { formatNevra } from '../../src/domain/nevra.ts';
import { isStaged, parseSteps, type RolloutStep } from '../../src/domain/rollout.ts';
import type { World } from '../../src/domain/world.ts';
import { placeOf, rolloutFor } from '../../src/pipeline/rollout.ts';
import { anyWorld } from '../support/any-world.ts';
import { needs } from '../support/programs.ts';
import { offer } from '../support/world.ts';

const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => createHash('md5').update(`machine ${n}`).digest('hex'));
const LEVEL = 'kpatch-patch-5_14_0-362_8_1-1-3.el9_3.x86_64';
const OTHER = 'kpatch-patch-5_14_0-362_8_1-1-4.el9_3.x86_64';

describe('places', () => {
  const machines = ids(10_000);

  test('are spread evenly over 10,000 machines', () => {
    const bins = new Array<number>(10).fill(0);
    for (const id of machines)
      bins[Math.floor(placeOf(id, LEVEL) / 10)] = (bins[Math.floor(placeOf(id, LEVEL) / 10)] ?? 0) + 1;
    // 1,000 each; the standard deviation is 30. The ids are fixed, so this never changes by chance.
    for (const count of bins) expect(Math.abs(count - 1000)).toBeLessThan(150);
    const five = machines.filter((id) => placeOf(id, LEVEL) < 5).length;
    expect(Math.abs(five - 500)).toBeLessThan(110);
  });

  test('are drawn anew for each level: who is first now is first next time only by chance', () => {
    const first = machines.filter((id) => placeOf(id, LEVEL) < 10);
    const again = first.filter((id) => placeOf(id, OTHER) < 10).length;
    expect(Math.abs(again - first.length / 10)).toBeLessThan(50);
  });

  test('stay the same for a level, and within 0 to below 100', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (id, nevra) => {
        const place = placeOf(id, nevra);
        expect(placeOf(id, nevra)).toBe(place);
        expect(place).toBeGreaterThanOrEqual(0);
        expect(place).toBeLessThan(100);
      }),
    );
  });

  test('a number is the place for every level; a group has one place; a root without machine-id is last', () => {
    const pkg = offer('5.14.0-362.8.1.el9_3.x86_64', '1-3');
    const policy = { steps: [{ percent: 10, after: 0 }], cohort: null, minAge: 0, bypassSeverity: [], bypassCves: [] };
    const name = formatNevra(pkg);
    const place = (cohort: number | string | null, machine: string | null): number | undefined =>
      rolloutFor({ ...policy, cohort }, machine, [pkg], []).rollout?.places[name];
    expect(place(7.5, null)).toBe(7.5);
    expect(place('web', machines[0] ?? null)).toBe(place('web', machines[1] ?? null));
    expect(place('web', null)).toBe(placeOf('web', name));
    expect(place(null, machines[0] ?? null)).toBe(placeOf(machines[0] ?? '', name));
    expect([place(null, null), place(null, 'uninitialized')]).toEqual([99.99, 99.99]);
    expect(rolloutFor({ ...policy, steps: [{ percent: 100, after: 0 }] }, null, [pkg], [])).toEqual({});
  });
});

needs('sha256sum', 'sh')('the command of docs/fleet.md', () => {
  test('works out the same place', () => {
    for (const id of ids(20)) {
      const { stdout } = spawnSync('sh', ['-c', `printf '%s %s' ${id} ${LEVEL} | sha256sum | cut -c1-8`], {
        encoding: 'utf8',
      });
      expect(Math.floor((Number.parseInt(stdout, 16) / 2 ** 32) * 10_000) / 100).toBe(placeOf(id, LEVEL));
    }
  });
});

const anySteps: fc.Arbitrary<RolloutStep[]> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 4 }),
    fc.uniqueArray(fc.nat(20), { minLength: 4, maxLength: 4 }),
  )
  .map(([percents, days]) => {
    const after = [...days].sort((a, b) => a - b);
    return [...percents].sort((a, b) => a - b).map((percent, n) => ({ percent, after: (after[n] ?? 0) * 86_400 }));
  });

interface Drawn {
  readonly steps: RolloutStep[];
  readonly minAge: number;
  readonly more: number;
}
const drawn: fc.Arbitrary<Drawn> = fc.record({
  steps: anySteps,
  minAge: fc.nat(10 * 86_400),
  more: fc.integer({ min: 0, max: 100 }),
});

/** A world whose levels were published on different days, and whose machine has drawn places. */
function staged(w: World, { steps, minAge }: Drawn): World {
  const at = Date.parse(w.time) / 1000;
  const offered = w.offered.map((pkg) => ({ ...pkg, fileTime: at - placeOf('age', formatNevra(pkg)) * 8_640 * 2 }));
  const places = Object.fromEntries(offered.map((pkg) => [formatNevra(pkg), placeOf('id', formatNevra(pkg))]));
  return { ...w, offered, rollout: { steps, minAge, cohort: null, bypassSeverity: [], bypassCves: [], places } };
}

/** What each kernel's levels come to: `release` and the levels that may be taken. */
const released = (w: World) =>
  w.kernels.map((kernel) => {
    const { usable } = candidatesFor(kernel, w);
    return stageLevels(usable, installedLevel(kernel, w)?.package ?? null, w).released.map(formatNevra);
  });
/** The first holds nothing that the second has not. */
function expectNoneLost(before: World, after: World): void {
  const now = released(after);
  for (const [n, levels] of released(before).entries()) {
    for (const level of levels) expect(now[n]).toContain(level);
  }
}
const waits = (w: World): string[] =>
  planFor(w, { verb: 'auto', kernels: [], load: false })
    .skipped.filter(({ because }) => ['min-age', 'later-cohort'].includes(because.code))
    .map(({ kernel }) => kernel);

describe('every rollout', () => {
  test('raising every percentage takes no level away from a machine', () => {
    fc.assert(
      fc.property(anyWorld, drawn, (w, one) => {
        const raised = one.steps.map((step) => ({ ...step, percent: Math.min(100, step.percent + one.more) }));
        expectNoneLost(staged(w, one), staged(w, { ...one, steps: raised }));
      }),
    );
  });

  test('time brings every level that some step reaches, and takes none away', () => {
    fc.assert(
      fc.property(anyWorld, drawn, fc.nat(60), (w, one, days) => {
        const now = staged(w, one);
        const later = { ...now, time: new Date(Date.parse(w.time) + days * 86_400_000).toISOString() };
        expectNoneLost(now, later);
        const all = {
          ...now,
          rollout: { ...(now.rollout as NonNullable<World['rollout']>), steps: [{ percent: 100, after: 5 }] },
        };
        expect(waits({ ...all, time: '2036-01-01T00:00:00Z' })).toEqual([]);
      }),
    );
  });

  test('accounts for every kernel, and only ever takes what would be taken without it, or a lower level', () => {
    fc.assert(
      fc.property(anyWorld, drawn, (w, one) => {
        const world = staged(w, one);
        const plan = planFor(world, { verb: 'auto', kernels: [], load: true });
        for (const { release } of w.kernels) {
          const acted = plan.actions.some((a) => a.do !== 'setting' && a.kernel === release);
          expect(plan.skipped.filter((s) => s.kernel === release)).toHaveLength(acted ? 0 : 1);
        }
        const free = released(w);
        for (const [n, levels] of released(world).entries())
          for (const level of levels) expect(free[n]).toContain(level);
      }),
    );
  });

  test('100 at once is no rollout', () => {
    const steps = parseSteps('100') ?? [];
    expect(isStaged({ steps, minAge: 0, cohort: null, bypassSeverity: [], bypassCves: [] })).toBe(false);
    expect(isStaged({ steps, minAge: 1, cohort: null, bypassSeverity: [], bypassCves: [] })).toBe(true);
  });
});

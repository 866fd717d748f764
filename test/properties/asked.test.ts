// What holds for every world when a person names packages.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planFor, type Verb } from '../../src/decide/plan.ts';
import { parseSpecs, select } from '../../src/decide/spec.ts';
import { compareEvr } from '../../src/domain/evr.ts';
import { formatNevra } from '../../src/domain/nevra.ts';
import { isTake } from '../../src/domain/plan.ts';
import type { World } from '../../src/domain/world.ts';
import { anyWorld, levelText, RELEASES } from '../support/any-world.ts';
import { offer } from '../support/world.ts';

const word = fc.oneof(
  fc.constantFrom('kpatch-patch', '*', 'kpatch-patch-*', 'nosuch', 'kpatch_5_14_0_362_8_1_1_2', '"kpatch-patch"'),
  fc.constantFrom(...RELEASES).map((release) => `kpatch-patch = ${release}`),
  fc.tuple(fc.constantFrom(...RELEASES), levelText).map(([release, level]) => formatNevra(offer(release, level))),
  fc.tuple(fc.constantFrom(...RELEASES), levelText).map(([release, level]) => offer(release, level).name),
);
const words = fc.array(word, { minLength: 1, maxLength: 3 });
const verbs: readonly Verb[] = ['install', 'upgrade', 'downgrade', 'reinstall', 'remove'];
const verb = fc.constantFrom(...verbs);

const ask = (w: World, verb: Verb, typed: readonly string[]) => {
  const running = w.kernels.find((kernel) => kernel.running)?.release ?? null;
  return planFor(w, { verb, kernels: [], load: true, specs: parseSpecs(typed, running) });
};

/** The world after a removal: what was removed is gone and held. */
function removed(w: World, plan: ReturnType<typeof ask>): World {
  const gone = plan.actions.flatMap((action) => (action.do === 'remove' ? [action] : []));
  const key = (kernel: string, nevra: string): string => `${kernel} ${nevra}`;
  const keys = new Set(gone.map((action) => key(action.kernel, formatNevra(action.package))));
  const since = '2026-01-01T00:00:00Z';
  return {
    ...w,
    installed: w.installed.filter(
      (patch) => patch.package === null || !keys.has(key(patch.kernel, formatNevra(patch.package))),
    ),
    holds: gone.map(({ kernel, package: { name } }) => ({ kernel, name, since, why: 'removed' })),
  };
}

describe('every plan of what was named', () => {
  test('accounts for every kernel and every word', () => {
    fc.assert(
      fc.property(anyWorld, verb, words, (w, v, typed) => {
        const plan = ask(w, v, typed);
        for (const { release } of w.kernels) {
          const acted = plan.actions.some((action) => action.do !== 'setting' && action.kernel === release);
          expect(plan.skipped.filter((skip) => skip.kernel === release)).toHaveLength(acted ? 0 : 1);
        }
        expect((plan.unmatched ?? []).length).toBeLessThanOrEqual(typed.length);
        if (typed.every((one) => one === 'nosuch')) expect(plan.unmatched).toHaveLength(typed.length);
      }),
    );
  });

  test('goes where the verb says: up, down, or nowhere', () => {
    fc.assert(
      fc.property(anyWorld, verb, words, (w, v, typed) => {
        for (const action of ask(w, v, typed).actions.filter(isTake)) {
          const levels = w.installed.flatMap((p) => (p.kernel === action.kernel && p.package ? [p.package] : []));
          const highest = levels.sort((a, b) => compareEvr(b, a))[0];
          const order = highest ? compareEvr(action.package, highest) : null;
          const way = order === null ? 'install' : order > 0 ? 'upgrade' : order < 0 ? 'downgrade' : 'reinstall';
          expect(action.do).toBe(way);
          if (v !== 'install') expect(action.do).toBe(v);
        }
      }),
    );
  });

  test('installs nothing that was not named', () => {
    fc.assert(
      fc.property(anyWorld, words, (w, typed) => {
        const specs = parseSpecs(typed, w.kernels.find((kernel) => kernel.running)?.release ?? null);
        const names = new Set(
          specs.flatMap((spec) => [
            ...select(spec, w.offered).map(({ name }) => name),
            ...w.installed.flatMap(({ package: pkg }) => (pkg ? [pkg.name] : [])),
          ]),
        );
        for (const action of ask(w, 'install', typed).actions.filter(isTake)) {
          expect(names).toContain(action.package.name);
        }
      }),
    );
  });

  test('what was removed stays away from automatic runs, and comes back when it is named', () => {
    fc.assert(
      fc.property(anyWorld, words, (w, typed) => {
        const plan = ask(w, 'remove', typed);
        const then = removed(w, plan);
        for (const automatic of ['auto', 'install', 'upgrade'] as const) {
          const { actions } = planFor(then, { verb: automatic, kernels: [], load: true });
          for (const action of actions.filter(isTake)) {
            expect(then.holds.filter((h) => h.kernel === action.kernel && h.name === action.package.name)).toEqual([]);
          }
        }
        for (const { kernel, name } of then.holds) {
          const { actions } = ask({ ...then, holds: then.holds.filter((h) => h.kernel === kernel) }, 'install', [
            name as string,
          ]);
          const takes = actions.some((a) => isTake(a) && a.kernel === kernel);
          if (takes) expect(actions.filter((a) => a.do === 'unhold' && a.kernel === kernel)).not.toEqual([]);
        }
      }),
    );
  });

  test('does not depend on the order of what was observed', () => {
    fc.assert(
      fc.property(anyWorld, verb, words, (w, v, typed) => {
        const turned = {
          ...w,
          kernels: [...w.kernels].reverse(),
          offered: [...w.offered].reverse(),
          loaded: [...w.loaded].reverse(),
        };
        expect(ask(turned, v, typed)).toEqual(ask(w, v, typed));
      }),
    );
  });
});

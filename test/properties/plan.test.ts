import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planFor } from '../../src/decide/plan.ts';
import type { InstalledPatch } from '../../src/domain/livepatch.ts';
import type { World } from '../../src/domain/world.ts';
import { anyWorld } from '../support/any-world.ts';
import { installedFrom } from '../support/world.ts';

const auto = (w: World) => planFor(w, { verb: 'auto', kernels: [], load: true });

/** The world after a plan was carried out. */
function after(w: World): World {
  let installed = [...w.installed];
  let now = [...w.loaded];
  let settings = w.settings;
  for (const action of auto(w).actions) {
    if (action.do === 'install' || action.do === 'upgrade') {
      const patch: InstalledPatch = installedFrom(action.package, action.kernel, { package: action.package });
      installed = [
        ...installed.filter((i) => i.kernel !== action.kernel),
        action.empty ? { ...patch, module: null, file: null } : patch,
      ];
    } else if (action.do === 'load')
      now = [...now, { module: action.module as string, enabled: true, transition: false }];
    else if (action.do === 'setting') settings = { ...settings, [action.setting.name]: action.setting.value };
  }
  return { ...w, installed, loaded: now, settings };
}

describe('every plan', () => {
  test('accounts for every kernel: an action, or exactly one reason', () => {
    fc.assert(
      fc.property(anyWorld, (w) => {
        const plan = auto(w);
        for (const { release: k } of w.kernels) {
          const acted = plan.actions.some((a) => a.do !== 'setting' && a.kernel === k);
          expect(plan.skipped.filter((s) => s.kernel === k)).toHaveLength(acted ? 0 : 1);
        }
      }),
    );
  });

  test('is empty once it has been carried out', () => {
    fc.assert(
      fc.property(anyWorld, (w) => {
        expect(auto(after(w)).actions).toEqual([]);
      }),
    );
  });

  test('does not depend on the order of what was observed', () => {
    fc.assert(
      fc.property(anyWorld, (w) => {
        const turned = {
          ...w,
          kernels: [...w.kernels].reverse(),
          offered: [...w.offered].reverse(),
          installed: [...w.installed].reverse(),
          loaded: [...w.loaded].reverse(),
        };
        expect(auto(turned)).toEqual(auto(w));
      }),
    );
  });

  test('never gives one package twice, never goes down', () => {
    fc.assert(
      fc.property(anyWorld, (w) => {
        const taken = auto(w).actions.flatMap((a) => (a.do === 'install' || a.do === 'upgrade' ? [a] : []));
        const keys = taken.map((a) => `${a.package.name}-${a.package.epoch}-${a.package.version}-${a.package.release}`);
        expect(new Set(keys).size).toBe(keys.length);
        for (const a of taken) expect(a.package.arch).toBe('x86_64');
      }),
    );
  });
});

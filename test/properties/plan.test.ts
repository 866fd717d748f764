import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planFor } from '../../src/decide/plan.ts';
import type { InstalledPatch } from '../../src/domain/livepatch.ts';
import type { World } from '../../src/domain/world.ts';
import { eq, ge, installedFrom, kernel, loaded, offer, repo, world } from '../support/world.ts';

const RELEASES = [
  '5.14.0-362.8.1.el9_3.x86_64',
  '5.14.0-362.8.1.el9_3.custom1.x86_64',
  '4.18.0-553.el8_10.x86_64',
  '6.5.6-300.fc39.x86_64',
  '5.14.0-1.el9.x86_64+debug',
];

const release = fc.constantFrom(...RELEASES);
const levelText = fc.constantFrom('0-0', '0-1', '1-1', '1-2', '1-9', '1-10', '2-1');
const anyOffer = fc
  .record({
    k: release,
    l: levelText,
    repo: fc.constantFrom('a', 'b'),
    epoch: fc.constantFrom(0, 0, 0, 1),
    bad: fc.constantFrom('', '', '', 'kpatch', 'excluded', 'arch', 'kernel'),
  })
  .map(({ k, l, repo: r, epoch, bad }) => {
    const pkg = offer(k, l, { repo: r, epoch });
    if (bad === 'kpatch') return { ...pkg, requires: [...pkg.requires, ge('kpatch', '99')] };
    if (bad === 'excluded') return { ...pkg, excludedBy: 'exclude=x' };
    if (bad === 'arch') return { ...pkg, arch: 'ppc64le' };
    if (bad === 'kernel') return { ...pkg, requires: [eq('kernel-uname-r', '1.0-1.el9.x86_64')] };
    return pkg;
  });

const anyWorld: fc.Arbitrary<World> = fc
  .record({
    releases: fc.uniqueArray(release, { minLength: 1 }),
    offered: fc.array(anyOffer, { maxLength: 12 }),
    installed: fc.array(fc.tuple(release, levelText), { maxLength: 3 }),
    loadedToo: fc.boolean(),
    runs: fc.nat(4),
    priority: fc.constantFrom(1, 99),
  })
  .map(({ releases, offered, installed, loadedToo, runs, priority }) => {
    const kernels = releases.map((r, n) => kernel(r, { running: n === runs }));
    const here = installed.filter(([r]) => releases.includes(r)).map(([r, l]) => [r, offer(r, l)] as const);
    return world({
      kernels,
      offered,
      installed: here.map(([r, pkg]) => installedFrom(pkg, r)),
      loaded: loadedToo
        ? here
            .filter(([r, p]) => kernels.some((k) => k.running && k.release === r) && p.version !== '0')
            .map(([, pkg]) => loaded(pkg))
        : [],
      repositories: [repo('a', { priority }), repo('b')],
    });
  });

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

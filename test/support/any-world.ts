// Worlds of every kind, for properties that hold in all of them.
import fc from 'fast-check';
import type { World } from '../../src/domain/world.ts';
import { eq, ge, installedFrom, kernel, loaded, offer, repo, world } from './world.ts';

export const RELEASES = [
  '5.14.0-362.8.1.el9_3.x86_64',
  '5.14.0-362.8.1.el9_3.custom1.x86_64',
  '4.18.0-553.el8_10.x86_64',
  '6.5.6-300.fc39.x86_64',
  '5.14.0-1.el9.x86_64+debug',
];

const release = fc.constantFrom(...RELEASES);
export const levelText = fc.constantFrom('0-0', '0-1', '1-1', '1-2', '1-9', '1-10', '2-1');
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

export const anyWorld: fc.Arbitrary<World> = fc
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

import { describe, expect, test } from '@jest/globals';
import { type Goal, planFor } from '../../../src/decide/plan.ts';
import { formatNevra } from '../../../src/domain/nevra.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import type { World } from '../../../src/domain/world.ts';
import { eq, ge, installedFrom, K, kernel, loaded, offer, world } from '../../support/world.ts';

const K2 = '5.14.0-284.11.1.el9_2.x86_64';
const K3 = '5.14.0-70.13.1.el9_0.x86_64';
const K4 = '6.5.6-300.fc39.x86_64';

const run = (w: World, verb: Goal['verb'] = 'auto', more: Partial<Goal> = {}): Plan =>
  planFor(w, { verb, kernels: [], load: true, ...more });

/** One line per action and skipped kernel: the plan in short. */
function short(plan: Plan): string[] {
  const actions = plan.actions.map((a) => {
    if (a.do === 'setting') return `setting ${a.setting.name}=${a.setting.value}`;
    if (a.do === 'install' || a.do === 'upgrade') return `${a.do} ${a.because.code} ${formatNevra(a.package)}`;
    if (a.do === 'remove') return `remove ${formatNevra(a.package)}`;
    if (a.do === 'load' || a.do === 'unload') return `${a.do} ${a.module}`;
    return a.do;
  });
  return [...actions, ...plan.skipped.map((s) => `skip ${s.kernel} ${s.because.code}`)];
}

describe('plan of auto', () => {
  test('four kernels, each in its own state', () => {
    const unusable = offer(K, '1-3', { requires: [eq('kernel-uname-r', K), ge('kpatch', '99')] });
    const w = world({
      kernels: [kernel(K4), kernel(K3), kernel(K2), kernel(K, { running: true })],
      offered: [offer(K, '1-1'), offer(K, '1-2'), unusable, offer(K2, '0-0')],
    });
    const plan = run(w);
    expect(short(plan)).toEqual([
      'install newest-level kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64',
      'install subscribe kpatch-patch-5_14_0-284_11_1-0-0.el9_3.x86_64',
      'setting autoupdate=true',
      'load kpatch_5_14_0_362_8_1_1_2',
      `skip ${K3} no-stream`,
      `skip ${K4} no-scheme`,
    ]);
    expect(plan.actions[0]?.rejected.map((r) => r.because.text)).toEqual([
      'requires kpatch >= 99, but no kpatch utility is installed and kpatch-pm counts as 0.9.11',
    ]);
  });

  test('nothing to do: everything is explained', () => {
    const one = offer(K, '1-1');
    const w = world({
      settings: { autoupdate: true, autofilter: false },
      offered: [one],
      installed: [installedFrom(one, K)],
      loaded: [loaded(one)],
    });
    expect(short(run(w))).toEqual([`skip ${K} up-to-date`]);
  });

  const one = offer(K, '1-1');
  const two = offer(K, '1-2');
  test.each<[string, Partial<World>, Partial<Goal>, string[]]>([
    [
      'an upgrade loads the new level',
      { offered: [one, two], installed: [installedFrom(one, K)], loaded: [loaded(one)] },
      {},
      ['upgrade newer-level kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64', 'load kpatch_5_14_0_362_8_1_1_2'],
    ],
    [
      'installed but not loaded',
      { offered: [one], installed: [installedFrom(one, K)] },
      {},
      ['load kpatch_5_14_0_362_8_1_1_1'],
    ],
    [
      'never a downgrade',
      { offered: [one], installed: [installedFrom(two, K)], loaded: [loaded(two)] },
      {},
      [`skip ${K} installed-is-newer`],
    ],
    [
      'an older level is never loaded over a newer one',
      { offered: [one], loaded: [loaded(two)] },
      {},
      ['install newest-level kpatch-patch-5_14_0-362_8_1-1-1.el9_3.x86_64'],
    ],
    [
      'a changed file is never loaded',
      { offered: [one], installed: [installedFrom(one, K, { changed: true })] },
      {},
      [`skip ${K} file-changed`],
    ],
    [
      'a missing file is not loaded',
      { offered: [one], installed: [installedFrom(one, K, { file: null })] },
      {},
      [`skip ${K} file-missing`],
    ],
    [
      '--no-load',
      { offered: [one] },
      { load: false },
      ['install newest-level kpatch-patch-5_14_0-362_8_1-1-1.el9_3.x86_64'],
    ],
    [
      'another root: nothing is loaded',
      { offered: [one], live: false },
      {},
      ['install newest-level kpatch-patch-5_14_0-362_8_1-1-1.el9_3.x86_64'],
    ],
    [
      'a hold is obeyed',
      { offered: [one], holds: [{ kernel: K, name: null, since: '', why: 'removed by root' }] },
      {},
      [`skip ${K} held`],
    ],
    [
      'an empty package is not loaded',
      { offered: [offer(K, '0-0')] },
      {},
      ['install subscribe kpatch-patch-5_14_0-362_8_1-0-0.el9_3.x86_64'],
    ],
    [
      '--kernel of another',
      { kernels: [kernel(K), kernel(K2)], offered: [one] },
      { kernels: [K2] },
      [`skip ${K2} no-stream`, `skip ${K} not-selected`],
    ],
    [
      'all levels rejected',
      { offered: [offer(K, '1-1', { excludedBy: 'exclude=kpatch*' })] },
      {},
      [`skip ${K} all-rejected`],
    ],
    ['no repository', { repositories: [] }, {}, [`skip ${K} no-metadata`]],
  ])('%s', (_, w, goal, expected) => {
    expect(short(run(world(w), 'install', goal))).toEqual(expected);
  });
});

describe('settings', () => {
  test('manual touches no package and accounts for every kernel', () => {
    const w = world({ settings: { autoupdate: true, autofilter: false }, offered: [offer(K, '1-1')] });
    expect(short(run(w, 'manual'))).toEqual(['setting autoupdate=false', `skip ${K} setting-only`]);
  });
  test('a setting that stands already is no action', () => {
    expect(short(run(world(), 'manual'))).toEqual([`skip ${K} setting-only`]);
  });
});

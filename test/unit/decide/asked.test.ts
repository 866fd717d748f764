// What a person names, against holds, priorities, locks and advisories.
import { describe, expect, test } from '@jest/globals';
import { planFor, type Verb } from '../../../src/decide/plan.ts';
import { parseSpecs, type Spec } from '../../../src/decide/spec.ts';
import type { Advisory } from '../../../src/domain/advisory.ts';
import { formatNevra } from '../../../src/domain/nevra.ts';
import { COMMAND_LINE } from '../../../src/domain/package.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import type { Hold, World } from '../../../src/domain/world.ts';
import { installedFrom, K, kernel, loaded, offer, repo, world } from '../../support/world.ts';

const OTHER = '5.14.0-427.13.1.el9_4.x86_64';
const [one, two, three] = [offer(K, '1-1'), offer(K, '1-2'), offer(K, '1-3')];
const hold = (name: string | null, why = 'removed'): Hold => ({ kernel: K, name, since: '2026-01-01T00:00:00Z', why });

/** `upgrade 1-2`, `load 1_2`, `unhold`, `remove 1-1`; then `skipped CODE`. */
function told({ actions, skipped, unmatched }: Plan): string[] {
  const done = actions.map((action) => {
    if (action.do === 'load') return `load ${action.module?.split('_').slice(-2).join('_')}`;
    if (!('package' in action)) return action.do;
    return `${action.do} ${action.package.version}-${action.package.release.split('.')[0]}`;
  });
  return [...done, ...skipped.map((s) => `skipped ${s.because.code}`), ...(unmatched ?? []).map(({ text }) => text)];
}

const plan = (w: Partial<World>, verb: Verb, ...words: string[]): string[] =>
  told(planFor(world(w), { verb, kernels: [], load: true, specs: parseSpecs(words, K) }));

describe('holds', () => {
  const offered = [one, two];
  const atOne = [installedFrom(one, K)];

  test.each<[string, Partial<World>, Verb, string[], string[]]>([
    ['keep what was removed away', { offered, holds: [hold(one.name)] }, 'auto', [], ['setting', 'skipped held']],
    [
      'are lifted by the name',
      { offered, holds: [hold(one.name)] },
      'install',
      [one.name],
      ['install 1-2', 'unhold', 'load 1_2'],
    ],
    [
      'keep a downgraded level, which may be loaded',
      { offered, installed: atOne, holds: [hold(one.name)] },
      'install',
      [],
      ['load 1_1'],
    ],
    [
      'of a whole kernel forbid loading too',
      { offered, installed: atOne, holds: [hold(null)] },
      'install',
      [],
      ['skipped held'],
    ],
    [
      'of another package do not matter',
      { offered, holds: [hold('kpatch-patch-mine')] },
      'install',
      [],
      ['install 1-2', 'load 1_2'],
    ],
    [
      'are lifted by upgrade',
      { offered, installed: atOne, holds: [hold(one.name)] },
      'upgrade',
      ['kpatch-patch'],
      ['upgrade 1-2', 'unhold', 'load 1_2'],
    ],
    [
      'are lifted although the level is installed',
      { offered: [one], installed: atOne, loaded: [loaded(one)], holds: [hold(one.name)] },
      'install',
      [one.name],
      ['unhold'],
    ],
    [
      'stay when something else is removed',
      { offered, installed: atOne, holds: [hold('kpatch-patch-mine')] },
      'remove',
      [one.name],
      ['remove 1-1'],
    ],
  ])('%s', (_, w, verb, words, expected) => {
    expect(plan(w, verb, ...words)).toEqual(expected);
  });
});

describe('which level', () => {
  const offered = [one, two, three];
  const installed = [installedFrom(two, K)];
  const active = [loaded(two)];
  const module = 'kpatch_5_14_0_362_8_1_1_2';

  test.each<[string, Partial<World>, Verb, string, string[]]>([
    ['the highest of a name', { offered }, 'install', two.name, ['install 1-3', 'load 1_3']],
    ['the very one that is named', { offered }, 'install', formatNevra(two), ['install 1-2', 'load 1_2']],
    [
      'none below the installed one for a name',
      { offered: [one], installed, loaded: active },
      'install',
      one.name,
      ['skipped installed-is-newer'],
    ],
    [
      'the older one where its version is named',
      { offered, installed, loaded: active },
      'install',
      formatNevra(one),
      ['downgrade 1-1'],
    ],
    ['the next lower one', { offered, installed, loaded: active }, 'downgrade', one.name, ['downgrade 1-1']],
    [
      'none where the installed one is named',
      { offered, installed, loaded: active },
      'downgrade',
      module,
      ['skipped up-to-date'],
    ],
    [
      'the newer one where the installed one is named',
      { offered, installed, loaded: active },
      'upgrade',
      module,
      ['upgrade 1-3', 'load 1_3'],
    ],
    ['the same one', { offered, installed, loaded: active }, 'reinstall', two.name, ['reinstall 1-2']],
    [
      'a locked one never',
      { offered: [one, { ...two, lockedBy: 'x' }] },
      'install',
      'kpatch-patch',
      ['install 1-1', 'load 1_1'],
    ],
    [
      'a file before a repository of better priority',
      {
        offered: [
          { ...two, repo: COMMAND_LINE, href: './two.rpm' },
          { ...three, repo: 'best' },
        ],
        repositories: [repo('best', { priority: 1 })],
      },
      'install',
      './two.rpm',
      ['install 1-2', 'load 1_2'],
    ],
    [
      'one of a kernel that is not installed never',
      { offered: [offer(OTHER, '1-1')] },
      'install',
      'kpatch-patch',
      ['skipped not-asked-for', `kpatch-patch-5_14_0-427_13_1 is for the kernel ${OTHER}, which is not installed.`],
    ],
  ])('%s', (_, w, verb, word, expected) => {
    expect(plan(w, verb, word)).toEqual(expected);
  });

  test('a kernel that is not named is left alone', () => {
    const both = world({ kernels: [kernel(K), kernel(OTHER)], offered: [one, offer(OTHER, '1-1')], live: false });
    const specs = parseSpecs([`kpatch-patch = ${OTHER}`], null);
    const { actions, skipped } = planFor(both, { verb: 'install', kernels: [], load: true, specs });
    expect(actions).toMatchObject([{ do: 'install', kernel: OTHER }]);
    expect(skipped).toMatchObject([{ kernel: K, because: { code: 'not-asked-for' } }]);
  });
});

describe('advisories', () => {
  const advisory = (id: string, cve: string, packages: Advisory['packages']): Advisory => ({
    repo: 'base',
    id,
    type: 'security',
    severity: 'Important',
    title: '',
    description: '',
    rights: '',
    issued: null,
    updated: null,
    references: [],
    cves: [cve],
    packages,
    signer: null,
  });
  const listed = (pkg: typeof one) => ({ ...pkg, rebootSuggested: false });
  const advisories = [
    advisory('FX-1', 'CVE-2024-90001', [listed(one)]),
    advisory('FX-2', 'CVE-2024-90002', [listed(two), listed(offer(OTHER, '1-9'))]),
    advisory('FX-K', 'CVE-2024-90003', []),
  ];
  const cve = (number: number): Spec => ({ kind: 'cve', text: `CVE-2024-${number}` });
  const ask = (w: Partial<World>, verb: Verb, spec: Spec): string[] =>
    told(
      planFor(world({ offered: [one, two, three], advisories, ...w }), {
        verb,
        kernels: [],
        load: false,
        specs: [spec],
      }),
    );

  test.each<[string, Partial<World>, Verb, Spec, string[]]>([
    ['levels are cumulative: the highest has the fix', {}, 'install', cve(90001), ['install 1-3']],
    [
      'a level below the fix does not do',
      { offered: [one] },
      'install',
      cve(90002),
      [
        'skipped not-asked-for',
        'CVE-2024-90002 is fixed by kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64, which no repository offers.',
      ],
    ],
    [
      'what is installed has it',
      { offered: [one, two], installed: [installedFrom(two, K)] },
      'install',
      cve(90002),
      ['skipped fix-installed'],
    ],
    [
      'a newer level is taken all the same',
      { installed: [installedFrom(two, K)] },
      'upgrade',
      cve(90002),
      ['upgrade 1-3'],
    ],
    [
      'only the kernel has it',
      {},
      'install',
      cve(90003),
      ['skipped not-asked-for', 'CVE-2024-90003 is not fixed by a live patch in any advisory that is on offer.'],
    ],
    ['nobody knows it', {}, 'install', cve(1), ['skipped not-asked-for', 'No advisory on offer names CVE-2024-1.']],
    [
      'nobody could look',
      { advisories: [], advisoryStates: [{ repo: 'base', state: 'unread', problem: null }] },
      'install',
      cve(90001),
      ['skipped not-asked-for', 'No advisory on offer names CVE-2024-90001; those of base could not be read.'],
    ],
    ['by its id, whatever the case', {}, 'install', { kind: 'advisory', text: 'fx-2' }, ['install 1-3']],
  ])('%s', (_, w, verb, spec, expected) => {
    expect(ask(w, verb, spec)).toEqual(expected);
  });
});

test('what belongs to no package is not removed', () => {
  const own = installedFrom(one, K, { package: null, module: 'kpatch_mine', source: 'foreign' });
  expect(plan({ installed: [own] }, 'remove', '*')).toEqual(['skipped not-asked-for', 'No match for argument: *']);
  expect(plan({ installed: [own] }, 'remove', 'kpatch-mine.ko')[1]).toContain('belongs to no package');
  expect(plan({ installed: [{ ...own, kernel: OTHER }] }, 'autoremove')).toEqual(['skipped nothing-installed']);
});

test.each<[readonly string[], string[]]>([
  [[], ['remove 1-1', 'remove 1-1', 'skipped not-asked-for']],
  [['6.1.0-1.el9.x86_64'], ['remove 1-1', 'skipped not-asked-for']],
  [[K], ['skipped nothing-installed']],
])('autoremove --kernel %j takes only what is left of that kernel', (kernels, expected) => {
  const gone = ['6.1.0-1.el9.x86_64', '6.1.0-2.el9.x86_64'];
  const installed = gone.map((release) => installedFrom(offer(release, '1-1'), release));
  expect(told(planFor(world({ installed }), { verb: 'autoremove', kernels, load: true }))).toEqual(expected);
});

test('autoremove with nothing to take: a kernel that was not asked about is not spoken of', () => {
  const kernels = [kernel(K), kernel(OTHER)];
  const { skipped } = planFor(world({ kernels }), { verb: 'autoremove', kernels: [OTHER], load: true });
  expect(Object.fromEntries(skipped.map((one) => [one.kernel, one.because.code]))).toEqual({
    [OTHER]: 'nothing-installed',
    [K]: 'not-selected',
  });
});

test('what is removed of a kernel that is gone is not kept away: there is nothing to keep it from', () => {
  const installed = ['6.1.0-1.el9.x86_64', K].map((release) => installedFrom(offer(release, '1-1'), release));
  const { actions } = planFor(world({ installed }), {
    verb: 'remove',
    kernels: [],
    load: true,
    specs: parseSpecs(['*'], K),
  });
  expect(actions.map((action) => action.do === 'remove' && [action.kernel, action.hold])).toEqual([
    ['6.1.0-1.el9.x86_64', false],
    [K, true],
  ]);
});

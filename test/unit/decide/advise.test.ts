// When a stream ends and how that is known; what an ordinary update would do to the coverage.
import { describe, expect, test } from '@jest/globals';
import { renderExclusions } from '../../../src/cli/render/exclusions.ts';
import { advise, type StreamPolicy } from '../../../src/decide/advise.ts';
import { exclusions } from '../../../src/decide/exclusions.ts';
import { unseen } from '../../../src/decide/unseen.ts';
import type { OfferedKernel } from '../../../src/domain/package.ts';
import type { World } from '../../../src/domain/world.ts';
import { K, kernel, offer, repo, world } from '../../support/world.ts';

const DAY = 86_400;
const NOW = Date.parse('2026-01-01T00:00:00Z') / 1000;

function offeredKernel(uname: string, more: Partial<OfferedKernel> = {}): OfferedKernel {
  const [version = '', rest = ''] = uname.split('-');
  const dot = rest.lastIndexOf('.');
  return {
    name: 'kernel-core',
    epoch: 0,
    version,
    release: rest.slice(0, dot),
    arch: rest.slice(dot + 1),
    repo: 'base',
    uname,
    excludedBy: null,
    ...more,
  };
}

const NEXT = '5.14.0-427.13.1.el9_4.x86_64';
const SAME = '5.14.0-362.24.1.el9_3.x86_64';
const usual = (more: Partial<World> = {}): World =>
  world({
    time: '2026-01-01T00:00:00Z',
    offered: [offer(K, '1-1', { buildTime: NOW - 100 * DAY }), offer(K, '1-2', { buildTime: NOW - 30 * DAY })],
    ...more,
  });
const endOf = (seen: World, policies: StreamPolicy[] = []) =>
  advise(seen, policies).streams.find(({ release }) => release === K)?.end;

describe('the end of a stream', () => {
  test.each<[string, World, StreamPolicy[], object]>([
    [
      'a policy that is to come',
      usual(),
      [{ fits: () => true, ends: '2026-06-01', note: 'n' }],
      { how: 'policy', date: '2026-06-01', ended: false, estimate: false },
    ],
    [
      'a policy of today',
      usual(),
      [{ fits: () => true, ends: '2026-01-01', note: '' }],
      { how: 'policy', ended: false },
    ],
    [
      'a policy of the past',
      usual(),
      [{ fits: () => true, ends: '2025-12-31', note: '' }],
      { how: 'policy', ended: true },
    ],
    [
      'the first that fits',
      usual(),
      [
        { fits: () => false, ends: '2020-01-01', note: '' },
        { fits: () => true, ends: '2027-01-01', note: '' },
      ],
      { date: '2027-01-01' },
    ],
    ['a year after the first level', usual(), [], { how: 'age', date: '2026-09-23', ended: false, estimate: true }],
    [
      'long after',
      usual({ offered: [offer(K, '1-1', { buildTime: NOW - 400 * DAY })] }),
      [],
      { how: 'age', ended: true, estimate: true },
    ],
    [
      'the next minor release is on offer',
      usual({ offeredKernels: [offeredKernel(NEXT)] }),
      [],
      { how: 'rule', ended: true, estimate: true },
    ],
    [
      'it is on offer, but hidden',
      usual({ offeredKernels: [offeredKernel(NEXT, { excludedBy: 'x' })] }),
      [],
      { how: 'age' },
    ],
    [
      'extended support is enabled',
      usual({ repositories: [repo('rhel-9-for-x86_64-baseos-eus-rpms')], offeredKernels: [offeredKernel(NEXT)] }),
      [],
      { how: 'age' },
    ],
    [
      'another major release',
      usual({ offeredKernels: [offeredKernel('6.12.0-55.1.1.el10_1.x86_64')] }),
      [],
      { how: 'age' },
    ],
    ['no build times', usual({ offered: [offer(K, '1-1')] }), [], { how: 'unknown', ended: null, estimate: true }],
    ['no stream', usual({ offered: [] }), [], { how: 'unknown', text: 'has no stream' }],
  ])('%s', (_what, seen, policies, expected) => {
    expect(endOf(seen, policies)).toMatchObject(expected);
  });
});

test('the age of the last level', () => {
  expect(advise(usual(), []).streams[0]).toMatchObject({ lastLevel: '2025-12-02T00:00:00.000Z', ageDays: 30 });
  expect(advise(usual({ offered: [] }), []).streams[0]).toMatchObject({ lastLevel: null, ageDays: null });
});

describe('an update', () => {
  const filter = { autoupdate: false, autofilter: true };
  test.each<[string, World, string | null, string, string[]]>([
    ['nothing newer', usual({ offeredKernels: [offeredKernel(K)] }), null, 'unchanged', []],
    [
      'a kernel with live patches',
      usual({ offered: [offer(K, '1-1'), offer(SAME, '1-1')], offeredKernels: [offeredKernel(SAME)] }),
      SAME,
      'kept',
      [],
    ],
    ['a kernel without', usual({ offeredKernels: [offeredKernel(SAME)] }), SAME, 'lost', ['kpatch-pm auto-filter']],
    ['the filter hides it', usual({ settings: filter, offeredKernels: [offeredKernel(SAME)] }), null, 'unchanged', []],
    [
      'an exclude hides it',
      usual({ offeredKernels: [offeredKernel(SAME, { excludedBy: 'x' })] }),
      null,
      'unchanged',
      [],
    ],
    ['neither has any', usual({ offered: [], offeredKernels: [offeredKernel(SAME)] }), SAME, 'none', []],
    [
      'only the new one has',
      usual({ offered: [offer(SAME, '1-1')], offeredKernels: [offeredKernel(SAME)] }),
      SAME,
      'gained',
      [`dnf install kernel-core-5.14.0-362.24.1.el9_3.x86_64`],
    ],
    [
      'a newer one is installed already',
      usual({ kernels: [kernel(K, { running: true }), kernel(NEXT)], offeredKernels: [offeredKernel(SAME)] }),
      null,
      'unchanged',
      [],
    ],
    [
      'another flavour',
      usual({ offeredKernels: [offeredKernel(SAME, { name: 'kernel-rt-core' })] }),
      null,
      'unchanged',
      [],
    ],
    [
      'another architecture',
      usual({ offeredKernels: [offeredKernel(SAME, { arch: 'ppc64le' })] }),
      null,
      'unchanged',
      [],
    ],
  ])('%s', (_what, seen, release, coverage, next) => {
    const advice = advise(seen, []);
    expect([advice.update.kernel, advice.update.coverage, advice.next]).toEqual([release, coverage, next]);
  });
});

describe('where a repository could not be read', () => {
  const unread = repo('base', { used: false, fetched: null, ageSeconds: null, stale: true });
  test.each<[string, World]>([
    ['none is enabled', usual({ repositories: [], offered: [] })],
    ['none was read', usual({ repositories: [unread], offered: [] })],
    ['one was not read', usual({ repositories: [repo('other'), unread], offered: [] })],
  ])('%s: nothing is claimed of what was not found', (_what, seen) => {
    const { streams, update, next } = advise(seen, []);
    expect(streams[0]).toMatchObject({ release: K, supported: false, known: false, end: { text: 'is not known' } });
    expect(update).toEqual({
      kernel: null,
      coverage: 'unknown',
      text: 'whether a newer kernel is on offer is not known',
    });
    expect(next).toEqual(seen.repositories.length > 0 ? ['kpatch-pm makecache'] : []);
  });

  test('that the running kernel can have none is known all the same, and another one recommended', () => {
    const odd = '6.5.6-300.fc39.x86_64';
    const running = [kernel(odd, { running: true })];
    const seen = usual({
      kernels: running,
      repositories: [repo('base'), repo('other', { used: false })],
      offeredKernels: [offeredKernel(K)],
    });
    expect(advise(seen, []).streams.find(({ release }) => release === odd)).toMatchObject({
      known: true,
      supported: false,
    });
    expect(advise(seen, []).next).toEqual([expect.stringMatching(/^dnf install kernel/)]);
  });

  test('a kernel whose live patches may be there is not called lost, and kept away until that is known', () => {
    const seen = usual({ repositories: [repo('other'), unread], offeredKernels: [offeredKernel(SAME)] });
    expect(advise(seen, []).update).toMatchObject({ kernel: SAME, coverage: 'unknown' });
    const away = exclusions(seen);
    expect(away).not.toEqual([]);
    expect(renderExclusions(away, 'exclude', unseen(seen))).toMatch(
      /^# .*: base could not be read\nexcludepkgs=kernel/,
    );
    expect(renderExclusions([], 'exclude', unseen(seen))).toMatch(/^# .*: base could not be read\n$/);
    expect(renderExclusions([], 'versionlock', null)).toBe(
      '# every kernel on offer has live patches, or is installed\n',
    );
  });
});

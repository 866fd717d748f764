import { describe, expect, test } from '@jest/globals';
import { kernelReports } from '../../../src/decide/verdict.ts';
import type { World } from '../../../src/domain/world.ts';
import { installedFrom, K, kernel, loaded, offer, repo, world } from '../../support/world.ts';

const one = offer(K, '1-1');
const two = offer(K, '1-2');
const empty = offer(K, '0-0');
const idle = [kernel(K)];
const ODD = '6.1.0-55-amd64';
const odd = offer(ODD, '1-1', { name: 'kpatch-patch-6_1_0-55_amd64', release: '1' });

const CASES: [string, string, Partial<World>][] = [
  [
    'transition-stalled',
    'a transition is running',
    { offered: [one], installed: [installedFrom(one, K)], loaded: [loaded(one, { transition: true })] },
  ],
  ['installed-not-loaded', 'nothing is active', { offered: [one], installed: [installedFrom(one, K)] }],
  [
    'installed-not-loaded',
    'disabled',
    { offered: [one], installed: [installedFrom(one, K)], loaded: [loaded(one, { enabled: false })] },
  ],
  [
    'installed-not-loaded',
    'only an older level is active',
    { installed: [installedFrom(two, K)], loaded: [loaded(one)] },
  ],
  [
    'update-available',
    'a higher level is on offer',
    { offered: [two], installed: [installedFrom(one, K)], loaded: [loaded(one)] },
  ],
  ['update-available', 'first fix after a subscription', { offered: [one], installed: [installedFrom(empty, K)] }],
  ['protected', 'active and newest', { offered: [one], installed: [installedFrom(one, K)], loaded: [loaded(one)] }],
  [
    'protected',
    'active and newer than on offer',
    { offered: [one], installed: [installedFrom(one, K)], loaded: [loaded(two)] },
  ],
  [
    'protected-stale',
    'old metadata',
    {
      offered: [one],
      repositories: [repo('base', { stale: true })],
      installed: [installedFrom(one, K)],
      loaded: [loaded(one)],
    },
  ],
  [
    'protected-stale',
    'an unreadable repository',
    {
      offered: [one],
      repositories: [repo('base'), repo('x', { used: false })],
      installed: [installedFrom(one, K)],
      loaded: [loaded(one)],
    },
  ],
  ['protected-stale', 'no metadata', { repositories: [], installed: [installedFrom(one, K)], loaded: [loaded(one)] }],
  ['patched-until-reboot', 'removed while active', { offered: [one], loaded: [loaded(one)] }],
  // The release of this kernel fits no vendor's scheme: what is on offer, or was removed, names its stream.
  [
    'patched-until-reboot',
    'removed while active, of a kernel that no scheme fits',
    { kernels: [kernel(ODD, { running: true })], offered: [odd], loaded: [loaded(odd)] },
  ],
  [
    'patched-until-reboot',
    'the same, and not on offer any more',
    {
      kernels: [kernel(ODD, { running: true })],
      loaded: [loaded(odd)],
      holds: [{ kernel: ODD, name: odd.name, since: '2026-01-01T00:00:00Z', why: 'removed' }],
    },
  ],
  [
    'patched-until-reboot',
    'file gone',
    { offered: [one], installed: [installedFrom(one, K, { file: null })], loaded: [loaded(one)] },
  ],
  [
    'patched-until-reboot',
    'file changed',
    { offered: [one], installed: [installedFrom(one, K, { changed: true })], loaded: [loaded(one)] },
  ],
  ['ready-at-boot', 'not running', { kernels: idle, offered: [one], installed: [installedFrom(one, K)] }],
  [
    'not-installed',
    'not running, file changed',
    { kernels: idle, offered: [one], installed: [installedFrom(one, K, { changed: true })] },
  ],
  ['not-installed', 'a stream and nothing installed', { offered: [one] }],
  ['not-installed', 'only an empty package on offer', { offered: [empty] }],
  ['subscribed-no-fix', 'subscribed', { offered: [empty], installed: [installedFrom(empty, K)] }],
  ['no-patch-stream', 'nothing on offer', {}],
  ['no-patch-stream', 'a Fedora kernel', { kernels: [kernel('6.5.6-300.fc39.x86_64', { running: true })] }],
  ['unknown', 'no metadata', { repositories: [repo('base', { used: false })] }],
  ['unknown', 'receipts hidden from this user', { offered: [one], receiptsHidden: true }],
  ['unknown', 'one of two repositories unreadable', { repositories: [repo('base'), repo('x', { used: false })] }],
];

describe('verdicts', () => {
  test.each(CASES)('%s: %s', (verdict, _, more) => {
    const [report] = kernelReports(world(more));
    expect(report?.verdict).toBe(verdict);
    expect(report?.because.text).not.toBe('');
  });

  test('the running kernel comes first', () => {
    const w = world({ kernels: [kernel('4.18.0-1.el8.x86_64'), kernel(K, { running: true })] });
    expect(kernelReports(w).map((r) => r.release)).toEqual([K, '4.18.0-1.el8.x86_64']);
  });
});

// The opposite of a recorded run, against worlds that went on since.
import { describe, expect, test } from '@jest/globals';
import { planFor } from '../../../src/decide/plan.ts';
import { HISTORY_FORMAT, type HistoryRecord, NO_ACTION, type RecordedAction } from '../../../src/domain/history.ts';
import type { Nevra } from '../../../src/domain/nevra.ts';
import type { OfferedPackage } from '../../../src/domain/package.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import type { Hold, World } from '../../../src/domain/world.ts';
import { installedFrom, K, kernel, loaded, offer, world } from '../../support/world.ts';

const OTHER = '5.14.0-427.13.1.el9_4.x86_64';
const [one, two, three] = [offer(K, '1-1'), offer(K, '1-2'), offer(K, '1-3')];
const hold: Hold = { kernel: K, name: one.name, since: '2026-01-01T00:00:00Z', why: 'removed' };

const NOTHING: RecordedAction = { ...NO_ACTION, do: 'install', kernel: K, repo: 'base', outcome: 'done' };

const key = { fingerprint: 'F00D', owner: 'somebody', stream: null, repo: null };

const pkg = ({ name, epoch, version, release, arch }: Nevra) => ({
  name,
  epoch,
  version,
  release,
  arch,
  sha256: null,
});

const action = (what: RecordedAction['do'], more: Partial<RecordedAction> = {}): RecordedAction => ({
  ...NOTHING,
  do: what,
  ...more,
});

const take = (what: RecordedAction['do'], level: OfferedPackage, replaces: OfferedPackage | null = null) =>
  action(what, { package: pkg(level), replaces: replaces && pkg(replaces) });

const record = (...actions: RecordedAction[]): HistoryRecord => ({
  format: HISTORY_FORMAT,
  id: 5,
  command: 'auto',
  user: 'admin',
  uid: 0,
  begun: '2026-01-01T00:00:00Z',
  ended: '2026-01-01T00:00:01Z',
  version: '1',
  actions,
  exit: 0,
  remarks: [],
});

/** `upgrade 1-2`, `load 1_2`, `setting true`; then what is refused. */
function told({ actions, unmatched }: Plan): string[] {
  const done = actions.map((one) => {
    if (one.do === 'load') return `load ${one.module?.split('_').slice(-2).join('_')}`;
    if (one.do === 'setting') return `${one.setting.name} ${one.setting.value}`;
    if (!('package' in one)) return one.do;
    return `${one.do} ${one.package.version}-${one.package.release.split('.')[0]}`;
  });
  return [...done, ...(unmatched ?? []).map(({ text }) => `refused: ${text}`)];
}

const undo = (w: Partial<World>, actions: RecordedAction[], kernels: string[] = []): Plan =>
  planFor(world(w), { verb: 'history', kernels, load: true, undo: record(...actions) });

const RUNNING = [kernel(K, { running: true })];
const offered = [one, two];

describe('undoing', () => {
  test.each<[string, Partial<World>, RecordedAction[], string[]]>([
    [
      'an installation removes',
      { offered, installed: [installedFrom(one, K)] },
      [take('install', one)],
      ['remove 1-1'],
    ],
    [
      'an upgrade goes back',
      { offered, installed: [installedFrom(two, K)] },
      [take('upgrade', two, one)],
      ['downgrade 1-1', 'load 1_1'],
    ],
    [
      'a downgrade goes up, to that level and no further, and lets go',
      { offered: [one, two, three], installed: [installedFrom(one, K)], holds: [hold] },
      [take('downgrade', one, two)],
      ['upgrade 1-2', 'unhold', 'load 1_2'],
    ],
    [
      'a removal installs that very level, and lets go',
      { offered: [one, two, three], holds: [hold] },
      [take('remove', two)],
      ['install 1-2', 'unhold', 'load 1_2'],
    ],
    [
      'a removal that was undone half: the hold goes too',
      { offered, installed: [installedFrom(two, K)], holds: [hold] },
      [action('remove', { package: pkg(two), hold })],
      ['unhold'],
    ],
    ['a setting', { settings: { autoupdate: true, autofilter: false } }, [setting(false)], ['autoupdate false']],
    [
      'a setting that is as it was',
      { settings: { autoupdate: false, autofilter: false } },
      [setting(false)],
      NOTHING_LEFT(),
    ],
    [
      'what was done and not what failed',
      { offered, installed: [installedFrom(two, K)] },
      [{ ...take('upgrade', two, one), outcome: 'failed' }],
      NOTHING_LEFT(),
    ],
    ['a lifted hold', { offered }, [action('unhold', { hold })], ['hold']],
    ['a hold that was recorded again', { offered, holds: [hold] }, [action('hold', { hold })], ['unhold']],
    [
      'an installation that lifted a hold removes, which holds anyway',
      { offered, installed: [installedFrom(two, K)] },
      [take('install', two), action('unhold', { hold })],
      ['remove 1-2'],
    ],
  ])('%s', (_, w, actions, expected) => {
    const plan = undo(w, actions);
    expect(told(plan)).toEqual(expected);
    if (actions.some(({ do: what }) => what === 'install')) {
      expect(plan.actions[0]).toMatchObject({ do: 'remove', hold: true });
    }
  });

  test.each<[string, Partial<World>, RecordedAction[], RegExp]>([
    [
      'a level that nobody offers',
      { offered: [two], installed: [installedFrom(two, K)] },
      [take('upgrade', two, one)],
      /1-1\.el9_3\.x86_64 is not to be had: no enabled repository offers it, and it is not in the cache/,
    ],
    [
      'a level that is hidden',
      { offered: [{ ...one, excludedBy: 'excludepkgs=x' }, two], installed: [installedFrom(two, K)] },
      [take('upgrade', two, one)],
      /cannot be used: hidden by excludepkgs=x/,
    ],
    [
      'what went on since',
      { offered: [one, two, three], installed: [installedFrom(three, K)] },
      [take('upgrade', two, one)],
      /is .*1-3.* now; transaction 5 left it .*1-2.*Undo what came later first.*install .*1-1/,
    ],
    [
      'an installation that went on since',
      { offered, installed: [installedFrom(two, K)] },
      [take('install', one)],
      /Undo what came later first, or say what you want instead: kpatch-pm remove /,
    ],
    ['a kernel that is gone', { offered, kernels: [kernel(OTHER)] }, [take('remove', one)], /which is not installed/],
    [
      'only a load',
      { offered },
      [action('load', { module: 'kpatch_x' })],
      /kpatch_x, which stays .* do not support unloading/,
    ],
    ['a module without package', {}, [action('module-install', { module: 'mine' })], /module uninstall -k .* mine/],
    ['a module that is gone', {}, [action('module-remove', { module: 'mine' })], /its file was not kept/],
    [
      'a key import',
      {},
      [action('key-import', { kernel: null, key })],
      /not changed by undoing\. .* keys remove F00D$/,
    ],
    [
      'a metadata key',
      {},
      [action('key-import', { kernel: null, key: { ...key, repo: 'base' } })],
      / keys --metadata base remove F00D$/,
    ],
    ['a key removal', {}, [action('key-remove', { kernel: null, key })], /was not kept; .* keys import FILE-OR-URL$/],
    ['a pin', {}, [action('pin', { kernel: null, key: { ...key, stream: 'rhel' } })], / keys unpin rhel F00D$/],
    ['an unpin', {}, [action('unpin', { kernel: null, key: { ...key, stream: 'rhel' } })], / keys pin rhel F00D$/],
    ['another chance', {}, [action('clear-quarantine', { module: 'mine' })], /mine was given another chance/],
    ['a reset', {}, [action('reset', { kernel: null })], /prepared a template image/],
  ])('is refused: %s', (_, w, actions, why) => {
    const plan = undo(w, actions);
    expect(plan.unmatched?.map(({ text }) => text)).toEqual([expect.stringMatching(why)]);
  });

  test('is all or nothing: one refusal is told beside the rest', () => {
    const elsewhere = offer(OTHER, '1-1');
    const w = { offered: [two], installed: [installedFrom(two, K), installedFrom(elsewhere, OTHER)] };
    const plan = undo({ ...w, kernels: [kernel(K), kernel(OTHER)] }, [
      take('upgrade', two, one),
      { ...take('install', elsewhere), kernel: OTHER },
    ]);
    expect(plan.unmatched).toHaveLength(1);
  });

  test('one kernel alone', () => {
    const elsewhere = offer(OTHER, '1-1');
    const w = { offered, installed: [installedFrom(two, K), installedFrom(elsewhere, OTHER)] };
    const actions = [take('upgrade', two, one), { ...take('install', elsewhere), kernel: OTHER }];
    const plan = undo({ ...w, kernels: [kernel(K), kernel(OTHER)] }, actions, [OTHER]);
    expect(told(plan)).toEqual(['remove 1-1']);
  });

  test('says what the running kernel keeps', () => {
    const running = { live: true, kernels: RUNNING, offered, installed: [installedFrom(two, K)] };
    const active = [loaded(two)];
    const down = undo({ ...running, loaded: active }, [take('upgrade', two, one)]);
    expect(told(down)).toEqual(['downgrade 1-1']);
    expect(down.actions[0]?.because.text).toMatch(/1_1_2 stays active .* reboot: vendors do not support unloading/);
    const installed = [installedFrom(one, K)];
    const away = undo({ ...running, installed, loaded: active }, [take('install', one)]);
    expect(away.actions[0]?.because.text).toMatch(/1_1_2 stays active .* reboot: vendors do not support unloading/);
  });

  test('a kernel that is as it was is told why', () => {
    const plan = undo({ offered, installed: [installedFrom(one, K)] }, [take('upgrade', two, one)]);
    expect(plan.actions).toEqual([]);
    expect(plan.skipped[0]?.because.text).toMatch(/is as it was before transaction 5/);
  });
});

function setting(before: boolean): RecordedAction {
  return action('setting', { kernel: null, setting: { name: 'autoupdate', before, value: !before } });
}

function NOTHING_LEFT(): string[] {
  return ['refused: Transaction 5 did nothing that could be undone.'];
}

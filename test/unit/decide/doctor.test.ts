import { describe, expect, test } from '@jest/globals';
import { CHECK_NAMES, diagnose, type Finding } from '../../../src/decide/doctor.ts';
import type { HostFacts } from '../../../src/domain/host-facts.ts';
import type { BootUnits, World } from '../../../src/domain/world.ts';
import { installedFrom, K, kernel, offer, repo, world } from '../../support/world.ts';

const HOST: HostFacts = {
  node: { version: '22.1.0', needs: '>=20.19', meets: true, ownOpenssl: false },
  fips: false,
  programs: { insmod: true, rmmod: true, rpm: true, xz: true, flock: true, chcon: true, restorecon: true },
  seesState: true,
  state: null,
  lock: null,
  keys: 2,
  keyFiles: [],
  unregistered: [],
  agreed: true,
  failedUnits: [],
  otherServices: [],
  kernel: { livepatch: true, signedOnly: null, switchedOff: null },
  selinux: 'enforcing',
  kernelBuilt: '2025-10-01T00:00:00.000Z',
  placed: { command: true, kernelInstall: true, byRpm: true, fapolicyd: true },
  dnf: { four: { there: true, acts: true }, five: { there: false, acts: false }, kpatch: true },
  arch: 'x86_64',
};
const UNITS = { utility: 'absent', own: 'enabled', timer: 'enabled' } as const;
const PATCH = installedFrom(offer(K, '1-1'), K);
const WORLD = world({
  kernels: [kernel(K, { running: true })],
  repositories: [repo('base')],
  settings: { autoupdate: true, autofilter: true },
  boot: UNITS,
});

const found = (host: Partial<HostFacts> = {}, more: Partial<World> = {}): Finding[] =>
  diagnose({ host: { ...HOST, ...host }, world: { ...WORLD, ...more }, failure: null });
/** What is not well: check, state, mend. */
const wrong = (...given: Parameters<typeof found>) =>
  found(...given)
    .filter(({ state }) => state !== 'ok')
    .map(({ check, state, mend }) => [check, state, mend]);

test('a sound host has nothing wrong, and every check that applies says so', () => {
  expect(wrong()).toEqual([]);
  const silent = [
    'configuration',
    'fips',
    'architecture',
    'lock',
    'registration',
    'modules',
    'quarantine',
    'services',
    'clock',
    'remarks',
  ];
  expect(found().map(({ check }) => check)).toEqual(CHECK_NAMES.filter((name) => !silent.includes(name)));
});

test('repositories in files that this user may not read are not known', () => {
  expect(wrong({}, { repositories: [], notices: [{ code: 'file-unreadable', text: 'No.' }] })).toEqual([
    ['repositories', 'unknown', 'sudo kpatch-pm doctor'],
    ['remarks', 'warning', null],
  ]);
});

describe('each thing that can be wrong, alone', () => {
  const rows: [string, Partial<HostFacts>, Partial<World>, unknown[]][] = [
    ['node is too old', { node: { ...HOST.node, meets: false } }, {}, ['node', 'fault', null]],
    [
      'FIPS with an OpenSSL of its own',
      { fips: true, node: { ...HOST.node, ownOpenssl: true } },
      {},
      ['fips', 'fault', 'dnf swap kpatch-pm-selfcontained kpatch-pm'],
    ],
    ['no insmod', { programs: { ...HOST.programs, insmod: false } }, {}, ['programs', 'fault', 'dnf install kmod']],
    ['no xz', { programs: { ...HOST.programs, xz: false } }, {}, ['programs', 'warning', 'dnf install xz']],
    [
      'no flock',
      { programs: { ...HOST.programs, flock: false } },
      {},
      ['programs', 'warning', 'dnf install util-linux'],
    ],
    ['no rpm', { programs: { ...HOST.programs, rpm: false } }, {}, ['programs', 'warning', 'dnf install rpm']],
    ['an architecture without streams', { arch: 'aarch64' }, {}, ['architecture', 'note', null]],
    [
      'a kernel that cannot',
      { kernel: { livepatch: false, signedOnly: null, switchedOff: null } },
      {},
      ['kernel', 'fault', null],
    ],
    [
      'switched off on the command line',
      { kernel: { livepatch: true, signedOnly: null, switchedOff: 'kpatch.enable=0' } },
      {},
      ['kernel', 'fault', 'grubby --update-kernel=ALL --remove-args=kpatch.enable=0'],
    ],
    [
      'signed modules only',
      { kernel: { livepatch: true, signedOnly: 'lockdown: integrity', switchedOff: null } },
      {},
      ['kernel', 'note', null],
    ],
    ['no repository', {}, { repositories: [] }, ['repositories', 'fault', 'kpatch-pm repolist --all']],
    [
      'no metadata',
      {},
      { repositories: [repo('a', { used: false })] },
      ['repositories', 'fault', 'kpatch-pm makecache'],
    ],
    [
      'old metadata',
      {},
      { repositories: [repo('a', { stale: true })] },
      ['repositories', 'warning', 'kpatch-pm makecache'],
    ],
    ['no key', { keys: 0 }, {}, ['keys', 'fault', 'kpatch-pm keys import FILE-OR-URL']],
    ['no key, but a file', { keys: 0, keyFiles: ['/k'] }, {}, ['keys', 'fault', 'kpatch-pm keys import /k']],
    ['keys that cannot be read', { keys: null }, {}, ['keys', 'unknown', 'kpatch-pm keys']],
    [
      'a key that ends',
      {},
      { notices: [{ code: 'key-expiring', text: 'Soon.' }] },
      ['keys', 'warning', 'kpatch-pm keys'],
    ],
    [
      'a directory of ours that others write',
      { state: { code: 'state-unsafe', text: '/x may be written by others.', mend: 'chmod go-w /x' } },
      {},
      ['state', 'fault', 'chmod go-w /x'],
    ],
    [
      'an open transaction',
      {},
      { notices: [{ code: 'unfinished', text: 'Open.' }] },
      ['journal', 'warning', 'kpatch-pm install'],
    ],
    [
      'a lock that is held',
      { lock: { pid: 7, command: 'kpatch-pm auto', since: '2026-01-01', alive: true } },
      {},
      ['lock', 'note', null],
    ],
    [
      'a package rpm does not know, and no utility it could require',
      { unregistered: ['kpatch-patch-1'] },
      {},
      ['registration', 'warning', 'dnf install kpatch'],
    ],
    [
      'a package rpm does not know',
      { unregistered: ['kpatch-patch-1', 'kpatch-patch-2'] },
      { utility: { version: '0.9.7', path: '/usr/sbin/kpatch' } },
      ['registration', 'warning', 'kpatch-pm reinstall kpatch-patch-1 kpatch-patch-2'],
    ],
    ['no rpm database', {}, { notices: [{ code: 'rpmdb-missing', text: 'None.' }] }, ['registration', 'note', null]],
    ...[
      { file: null, changed: null },
      { file: 'var/lib/kpatch/K/m.ko', changed: true },
    ].map((more): [string, Partial<HostFacts>, Partial<World>, unknown[]] => [
      `a module file that is ${more.file === null ? 'gone' : 'another'}`,
      {},
      { installed: [{ ...PATCH, ...more }] },
      ['modules', 'fault', `kpatch-pm reinstall ${PATCH.package?.name}`],
    ]),
    [
      'a quarantine',
      {},
      {
        quarantined: [
          {
            kernel: K,
            file: 'm.ko',
            module: 'm',
            sha256: '',
            since: '2026-01-01T00:00:00Z',
            why: 'crash',
            package: null,
          },
        ] as never,
      },
      ['quarantine', 'fault', 'kpatch-pm quarantine clear m'],
    ],
    [
      'a unit that failed',
      { failedUnits: ['kpatch-pm.service'] },
      {},
      ['boot', 'fault', 'journalctl -b -u kpatch-pm.service'],
    ],
    ['setting auto, no timer', {}, { boot: { ...UNITS, timer: 'disabled' } }, ['timer', 'warning', 'kpatch-pm auto']],
    [
      'setting auto, timer masked',
      {},
      { boot: { ...UNITS, timer: 'masked' } },
      ['timer', 'warning', 'systemctl unmask kpatch-pm.timer'],
    ],
    ['an image that was set to auto', { agreed: false }, {}, ['timer', 'warning', 'kpatch-pm auto']],
    [
      'setting manual, timer on',
      {},
      { settings: { autoupdate: false, autofilter: false } },
      ['timer', 'warning', 'kpatch-pm manual'],
    ],
    [
      'another service that patches',
      { otherServices: ['kcare.service'] },
      {},
      ['services', 'warning', 'systemctl disable --now kcare.service'],
    ],
    ['no command', { placed: { ...HOST.placed, command: false } }, {}, ['hooks', 'warning', null]],
    ['no hook', { placed: { ...HOST.placed, kernelInstall: false } }, {}, ['hooks', 'warning', null]],
    ['fapolicyd and no rpm', { placed: { ...HOST.placed, byRpm: false } }, {}, ['hooks', 'fault', null]],
    [
      'dnf 4 that does not wait',
      { dnf: { ...HOST.dnf, four: { there: true, acts: false } } },
      {},
      ['dnf', 'note', 'dnf install python3-dnf-plugin-post-transaction-actions'],
    ],
    [
      'dnf 5 that does not wait',
      { dnf: { ...HOST.dnf, five: { there: true, acts: false } } },
      {},
      ['dnf', 'note', 'dnf install libdnf5-plugin-actions'],
    ],
    [
      'autofilter that nobody obeys',
      { dnf: { ...HOST.dnf, kpatch: false } },
      {},
      ['dnf', 'warning', 'dnf install kpatch-dnf'],
    ],
    [
      'SELinux without its tools',
      { programs: { ...HOST.programs, restorecon: false } },
      {},
      ['selinux', 'fault', 'dnf install policycoreutils'],
    ],
    [
      'a clock behind the kernel',
      { kernelBuilt: '2026-02-01T00:00:00.000Z' },
      {},
      ['clock', 'fault', 'chronyc makestep'],
    ],
    [
      'a clock behind the metadata',
      {},
      { repositories: [repo('a', { fetched: '2026-03-01T00:00:00Z' })] },
      ['clock', 'fault', 'chronyc makestep'],
    ],
    [
      'a remark about a file',
      {},
      { notices: [{ code: 'option-unknown', text: 'What?' }] },
      ['remarks', 'warning', null],
    ],
  ];
  test.each(rows)('%s', (_, host, more, expected) => {
    expect(wrong(host, more)).toEqual([expected]);
  });
});

describe('what loads at boot', () => {
  const patch = installedFrom(offer(K, '1-2'), K);
  const rows: [Partial<typeof UNITS> | Record<string, string>, World['installed'], unknown[]][] = [
    [{ utility: 'disabled' }, [patch], [['boot', 'fault', 'systemctl enable kpatch.service']]],
    [{ utility: 'masked' }, [patch], [['boot', 'fault', 'systemctl unmask kpatch.service']]],
    [{ own: 'disabled' }, [patch], [['boot', 'fault', 'systemctl enable kpatch-pm-boot.service']]],
    [{ own: 'masked' }, [patch], [['boot', 'fault', 'systemctl unmask kpatch-pm-boot.service']]],
    [{ own: 'absent' }, [patch], [['boot', 'fault', null]]],
    [{ own: 'disabled' }, [], [['boot', 'note', null]]],
    [{ own: 'disabled', utility: 'enabled' }, [patch], []],
  ];
  test.each(rows)('%j', (units, patches, expected) => {
    expect(wrong({}, { boot: { ...UNITS, ...units } as BootUnits, installed: patches })).toEqual(expected);
  });
});

test('a configuration that cannot be read is a fault, and the rest is examined all the same', () => {
  const all = diagnose({ host: HOST, world: null, failure: { text: 'No.', hint: 'Mend it' } });
  expect(all[0]).toEqual({ check: 'configuration', state: 'fault', text: 'No.', mend: 'Mend it' });
  expect(all.filter(({ state }) => state === 'fault')).toHaveLength(1);
  expect(all.map(({ check }) => check)).toEqual(expect.arrayContaining(['node', 'programs', 'kernel', 'keys']));
});

test('who may not look is told so, not that all is well', () => {
  const states = Object.fromEntries(
    found({ seesState: false, agreed: null }).map(({ check, state }) => [check, state]),
  );
  expect(states).toMatchObject({ state: 'unknown', journal: 'unknown', registration: 'unknown', timer: 'ok' });
});

test('a file of ours that cannot be used is one fault, and nothing below it is called well', () => {
  const notice = { code: 'state-damaged', text: 'The journal is no usable journal.' };
  const all = found({}, { notices: [notice, notice] });
  expect(all.filter(({ check }) => ['state', 'journal', 'remarks'].includes(check))).toEqual([
    { check: 'state', state: 'fault', text: 'The journal is no usable journal', mend: null },
  ]);
  const unsafe = { code: 'state-unsafe', text: '/x may be written by others.' };
  expect(
    wrong({ state: { ...unsafe, mend: 'chmod go-w /x' }, seesState: false }, { notices: [unsafe, unsafe] }),
  ).toEqual([['state', 'fault', 'chmod go-w /x']]);
});

test('an offer alone is nothing to mend: that is what status tells', () => {
  expect(wrong({}, { offered: [offer(K, '1-2')] })).toEqual([]);
});

// Each layer broken alone is the one that is named; what cannot be told is never called broken, and never protected.
import { expect, test } from '@jest/globals';
import { verifyKernel } from '../../../src/decide/verify.ts';
import type { FunctionProof, Inspected } from '../../../src/domain/layers.ts';
import type { World } from '../../../src/domain/world.ts';
import { installedFrom, K, kernel, loaded, offer, repo, world } from '../../support/world.ts';

const two = offer(K, '1-2');
const NEVRA = 'kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64';
const FILE = `var/lib/kpatch/${K}/x.ko`;
const enabled = { utility: 'enabled', own: 'absent', timer: 'absent' } as const;

const usual = (more: Partial<World> = {}): World =>
  world({ offered: [two], installed: [installedFrom(two, K)], loaded: [loaded(two)], boot: enabled, ...more });

const functions = (more: Partial<FunctionProof> = {}) =>
  new Map([[loaded(two).module, { expected: 2, missing: [], unhooked: [], ...more }]]);

const seen = (more: Partial<Inspected> = {}): Inspected => ({
  rpmdb: 'rpm',
  registered: [NEVRA],
  receipts: [{ kernel: K, nevra: NEVRA, registered: true, signer: 'Vendor', when: '2026-01-01T00:00:00Z' }],
  labels: new Map([[FILE, 'system_u:object_r:modules_object_t:s0']]),
  switchedOff: null,
  functions: functions(),
  ...more,
});

const judge = (machine: World, inspected: Inspected = seen()) =>
  verifyKernel(kernel(K, { running: true }), machine, inspected);

test('all is well', () => {
  const found = judge(usual());
  expect([found.proof, found.first]).toEqual(['protected', null]);
  expect(found.layers.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'repository ok',
    'rpmdb ok',
    'receipt ok',
    'file ok',
    'label ok',
    'boot ok',
    'kernel ok',
    'functions ok',
  ]);
});

test.each<[string, string, string | null, World, Inspected]>([
  ['a higher level on offer', 'repository', 'kpatch-pm install', usual({ offered: [two, offer(K, '1-3')] }), seen()],
  ['nothing installed', 'repository', 'kpatch-pm install', usual({ installed: [], loaded: [] }), seen()],
  ['no stream', 'repository', 'kpatch-pm kernels --advise', usual({ installed: [], loaded: [], offered: [] }), seen()],
  [
    'only an empty package',
    'repository',
    null,
    usual({ offered: [], installed: [installedFrom(offer(K, '0-0'), K)], loaded: [] }),
    seen(),
  ],
  [
    'the database lost it',
    'rpmdb',
    'kpatch-pm reinstall kpatch-patch-5_14_0-362_8_1',
    usual(),
    seen({ registered: [] }),
  ],
  [
    'the database has another level',
    'rpmdb',
    'kpatch-pm reinstall kpatch-patch-5_14_0-362_8_1',
    usual(),
    seen({ registered: [NEVRA.replace('1-2', '1-1')] }),
  ],
  [
    'the file is gone',
    'file',
    'kpatch-pm reinstall kpatch-patch-5_14_0-362_8_1',
    usual({ installed: [installedFrom(two, K, { file: null })] }),
    seen(),
  ],
  [
    'the file was changed',
    'file',
    'kpatch-pm reinstall kpatch-patch-5_14_0-362_8_1',
    usual({ installed: [installedFrom(two, K, { changed: true })] }),
    seen(),
  ],
  [
    'a wrong label',
    'label',
    `chcon -t modules_object_t /${FILE}`,
    usual(),
    seen({ labels: new Map([[FILE, 'u:r:kpatch_var_lib_t:s0']]) }),
  ],
  [
    'nothing loads it at boot',
    'boot',
    'systemctl enable kpatch.service',
    usual({ boot: { ...enabled, utility: 'disabled' } }),
    seen(),
  ],
  [
    'our unit is off',
    'boot',
    'systemctl enable kpatch-pm-boot.service',
    usual({ boot: { utility: 'absent', own: 'disabled', timer: 'absent' } }),
    seen(),
  ],
  ['switched off on the command line', 'boot', null, usual(), seen({ switchedOff: 'kpatch.enable=0' })],
  ['not loaded', 'kernel', 'kpatch-pm install', usual({ loaded: [] }), seen()],
  ['disabled', 'kernel', 'kpatch-pm install', usual({ loaded: [loaded(two, { enabled: false })] }), seen()],
  [
    'in transition',
    'kernel',
    'kpatch-pm status --watch',
    usual({ loaded: [loaded(two, { transition: true })] }),
    seen(),
  ],
  [
    'another file runs',
    'kernel',
    'systemctl reboot',
    usual({ installed: [installedFrom(two, K, { buildId: 'aa' })], loaded: [loaded(two, { buildId: 'bb' })] }),
    seen(),
  ],
  [
    'a function is missing',
    'functions',
    'kpatch-pm status',
    usual(),
    seen({ functions: functions({ missing: ['f'] }) }),
  ],
  [
    'a function is not redirected',
    'functions',
    'systemctl reboot',
    usual(),
    seen({ functions: functions({ unhooked: ['f'] }) }),
  ],
])('%s: %s', (_what, name, mend, machine, inspected) => {
  const found = judge(machine, inspected);
  expect([found.proof, found.first?.name, found.first?.state, found.first?.mend]).toEqual([
    'not-protected',
    name,
    'broken',
    mend,
  ]);
});

test.each<[string, string, World, Inspected]>([
  ['stale metadata', 'repository', usual({ repositories: [repo('base', { stale: true })] }), seen()],
  [
    'a repository that could not be read',
    'repository',
    usual({ repositories: [repo('base'), repo('b', { used: false })] }),
    seen(),
  ],
  ['no repository', 'repository', usual({ repositories: [], offered: [] }), seen()],
  ['receipts of root', 'receipt', usual({ receiptsHidden: true }), seen({ receipts: [] })],
  ['a receipt that is gone meanwhile', 'receipt', usual(), seen({ receipts: [] })],
  [
    'a receipt that is damaged: the package is seen in the rpm database only',
    'receipt',
    usual({ installed: [installedFrom(two, K, { source: 'rpm', changed: null })] }),
    seen({
      receipts: [],
      unread: [{ hidden: false, text: `/s/receipts/${K}/${two.name}.json is no usable receipt.` }],
    }),
  ],
  ['a label that cannot be read', 'label', usual(), seen({ labels: new Map([[FILE, null]]) })],
])('not known: %s: %s', (_what, name, machine, inspected) => {
  const found = judge(machine, inspected);
  expect([found.proof, found.first?.name, found.first?.state]).toEqual(['cannot-tell', name, 'unknown']);
});

test.each<[string, World, Inspected]>([
  ['no rpm database', usual(), seen({ rpmdb: 'none', registered: [] })],
  [
    'never registered',
    usual(),
    seen({ registered: [], receipts: [{ kernel: K, nevra: NEVRA, registered: false, signer: null, when: '2026' }] }),
  ],
  [
    'installed by dnf',
    usual({ installed: [installedFrom(two, K, { source: 'rpm', changed: null })] }),
    seen({ receipts: [] }),
  ],
  ['no SELinux', usual(), seen({ labels: null })],
  ['no tracer', usual(), seen({ functions: functions({ unhooked: null }) })],
  ['a module that names no functions', usual(), seen({ functions: new Map() })],
])('is no fault: %s', (_what, machine, inspected) => {
  expect(judge(machine, inspected).proof).toBe('protected');
});

test('who may not read receipts is not told that dnf installed it; the damaged receipt of another package does not matter', () => {
  const byRpm = usual({ installed: [installedFrom(two, K, { source: 'rpm', changed: null })] });
  const receiptLayer = (unread: NonNullable<Inspected['unread']>) =>
    judge(byRpm, seen({ receipts: [], unread })).layers.find(({ name }) => name === 'receipt');
  expect(receiptLayer([{ hidden: true, text: 'permission denied' }])).toMatchObject({
    state: 'skipped',
    text: 'only root may read it',
  });
  expect(receiptLayer([{ hidden: false, text: '/s/receipts/other/x.json is no usable receipt.' }])).toMatchObject({
    state: 'skipped',
    text: `${NEVRA} was installed by rpm or dnf`,
  });
});

test('a held level is named in the command, for without a name the hold is obeyed', () => {
  const hold = { kernel: K, name: two.name, since: '2026-01-01T00:00:00Z', why: 'removed on 2026-01-01 by admin' };
  const found = judge(usual({ installed: [], loaded: [], holds: [hold] }), seen({ receipts: [], registered: [] }));
  expect(found.first).toMatchObject({ name: 'repository', mend: `kpatch-pm install ${two.name}` });
});

test('a broken layer weighs more than one that is not known', () => {
  const found = judge(usual({ repositories: [repo('base', { stale: true })], loaded: [] }));
  expect([found.proof, found.first?.name]).toEqual(['not-protected', 'kernel']);
});

test('a kernel that does not run is ready, not protected', () => {
  const found = verifyKernel(kernel(K), usual({ loaded: [] }), seen());
  expect([found.proof, found.layers.find(({ name }) => name === 'kernel')?.state]).toEqual(['ready', 'skipped']);
});

test('a module that was set aside after a crash: said before that its file is gone', () => {
  const { module } = loaded(two);
  const aside = {
    kernel: kernel(K).release,
    module,
    file: 'x.ko',
    sha256: '',
    package: NEVRA,
    since: '2026-01-01T00:00:00Z',
    why: 'a crash',
  };
  const found = judge(usual({ installed: [installedFrom(two, K, { file: null })], quarantined: [aside] }));
  expect(found.first).toEqual({
    name: 'file',
    state: 'broken',
    text: `${module} was set aside on 2026-01-01: a crash`,
    mend: 'kpatch-pm quarantine',
  });
});

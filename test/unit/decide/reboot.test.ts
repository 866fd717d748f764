// No, not yet, yes: with and without a newer kernel, a live patch, and CVEs that wait.
import { expect, test } from '@jest/globals';
import { rebootReport } from '../../../src/decide/reboot.ts';
import type { Verification } from '../../../src/decide/verify.ts';
import type { Advisory } from '../../../src/domain/advisory.ts';
import type { Layer } from '../../../src/domain/layers.ts';
import type { World } from '../../../src/domain/world.ts';
import { K, kernel, world } from '../../support/world.ts';

const NEWER = '5.14.0-362.24.1.el9_3.x86_64';
const running = kernel(K, { running: true });
const layer = (state: Layer['state'], mend: string | null = null): Layer => ({
  name: 'kernel',
  state,
  text: 'text',
  mend,
});

const proof = (kernelLayer: Layer): Verification => ({
  release: K,
  running: true,
  proof: 'protected',
  layers: [kernelLayer],
  first: null,
});
const patched = proof(layer('ok'));
const bare = proof(layer('skipped'));

const waits: Advisory = {
  repo: 'base',
  id: 'K-1',
  type: 'security',
  severity: 'Low',
  title: '',
  description: '',
  rights: '',
  issued: null,
  updated: null,
  references: [],
  cves: ['CVE-2025-0002', 'CVE-2025-0001'],
  packages: [
    {
      name: 'kernel-core',
      epoch: 0,
      version: '5.14.0',
      release: '362.24.1.el9_3',
      arch: 'x86_64',
      rebootSuggested: true,
    },
  ],
  signer: null,
};

const answer = (seen: World, verification: Verification | null) => {
  const report = rebootReport(seen, { patches: [], kernels: [] }, verification);
  return [report.answer, report.newer, report.waiting.length];
};
const both = [running, kernel(NEWER)];

test.each<[string, World, Verification | null, unknown[]]>([
  ['the newest runs', world({ kernels: [running] }), bare, ['no', null, 0]],
  [
    'an older one is installed too',
    world({ kernels: [running, kernel('5.14.0-70.el9_0.x86_64')] }),
    bare,
    ['no', null, 0],
  ],
  ['a newer one of another flavour', world({ kernels: [running, kernel(`${NEWER}+rt`)] }), bare, ['no', null, 0]],
  ['a newer debug kernel', world({ kernels: [running, kernel(`${NEWER}+debug`)] }), bare, ['no', null, 0]],
  ['a newer one, no live patch', world({ kernels: both }), bare, ['yes', NEWER, 0]],
  ['a newer one, live-patched', world({ kernels: both }), patched, ['not-yet', NEWER, 0]],
  [
    'a newer one, live-patched, CVEs wait',
    world({ kernels: both, advisories: [waits] }),
    patched,
    ['not-yet', NEWER, 2],
  ],
  [
    'CVEs wait for a kernel that is not installed',
    world({ kernels: [running], advisories: [waits] }),
    patched,
    ['not-yet', null, 2],
  ],
  [
    'another file runs than the one on disk',
    world({ kernels: [running] }),
    proof(layer('broken', 'systemctl reboot')),
    ['yes', null, 0],
  ],
  ['a root that does not run', world({ live: false, kernels: [kernel(K)] }), null, ['cannot-tell', null, 0]],
])('%s', (_what, seen, verification, expected) => {
  expect(answer(seen, verification)).toEqual(expected);
});

test('CVEs in order, each with its kernel', () => {
  const report = rebootReport(world({ kernels: both, advisories: [waits] }), { patches: [], kernels: [] }, patched);
  expect(report.waiting).toEqual([
    { cve: 'CVE-2025-0001', kernel: NEWER, severity: 'Low' },
    { cve: 'CVE-2025-0002', kernel: NEWER, severity: 'Low' },
  ]);
});

// Per CVE exactly one state, and "fixed" only where somebody signed.
import { describe, expect, test } from '@jest/globals';
import { blindSpots, type CveReport, cveReports, runs } from '../../../src/decide/cves.ts';
import { compareKernels, fixesFor, kernelEvr, kernelLine, kernelNames } from '../../../src/decide/fixes.ts';
import type { Advisory } from '../../../src/domain/advisory.ts';
import { compareCves, type Evidence, type PatchRecord } from '../../../src/domain/evidence.ts';
import { parseNevra } from '../../../src/domain/nevra.ts';
import type { World } from '../../../src/domain/world.ts';
import { installedFrom, K, kernel, loaded, offer, repo, world } from '../../support/world.ts';

const STREAM = 'kpatch-patch-5_14_0-362_8_1';
const level = (release: string) => `${STREAM}-${release}.el9_3.x86_64`;
const CVE = 'CVE-2025-0001';

function advisory(nevras: readonly string[], more: Partial<Advisory> = {}): Advisory {
  return {
    repo: 'base',
    id: 'A-1',
    type: 'security',
    severity: null,
    title: '',
    description: '',
    rights: '',
    issued: null,
    updated: null,
    references: [],
    cves: [CVE],
    packages: nevras.map((nevra) => {
      const parsed = parseNevra(nevra);
      if (parsed === null) throw new Error(nevra);
      return { ...parsed, rebootSuggested: false };
    }),
    signer: null,
    ...more,
  };
}

const one = offer(K, '1-1');
const two = offer(K, '1-2');
const three = offer(K, '1-3');

const record = (pkg: typeof one, more: Partial<PatchRecord> = {}): PatchRecord => ({
  kernel: K,
  package: pkg,
  modules: [loaded(pkg).module],
  kept: 'receipt',
  signer: 'Vendor',
  cves: [CVE],
  current: true,
  ...more,
});

const none: Evidence = { patches: [], kernels: [] };
/** 1-2 is installed and runs, 1-3 is on offer. */
const usual = (more: Partial<World> = {}): World =>
  world({ offered: [two, three], installed: [installedFrom(two, K)], loaded: [loaded(two)], ...more });

function judge(seen: World, evidence: Evidence = none, cve = CVE): CveReport {
  const [found] = cveReports(kernel(K, { running: true }), seen, evidence, [cve]);
  return found as CveReport;
}

const kernelRecord = (signer: string | null): Evidence => ({
  patches: [],
  kernels: [
    {
      kernel: K,
      package: { name: 'kernel-core', epoch: 0, version: '5', release: '1', arch: 'x86_64' },
      signer,
      cves: [CVE],
    },
  ],
});

describe('the state', () => {
  test.each<[string, CveReport['state'], World, Evidence]>([
    ['a signed changelog of what runs', 'fixed', usual(), { ...none, patches: [record(two)] }],
    ['an unsigned changelog of what runs', 'unproven', usual(), { ...none, patches: [record(two, { signer: null })] }],
    [
      'signed metadata, the level that runs',
      'fixed',
      usual({ advisories: [advisory([level('1-2')], { signer: 'KEY' })] }),
      { ...none, patches: [record(two, { cves: [] })] },
    ],
    [
      'signed metadata, a lower level',
      'fixed',
      usual({ advisories: [advisory([level('1-1')], { signer: 'KEY' })] }),
      { ...none, patches: [record(two, { cves: [] })] },
    ],
    [
      'signed metadata, a module nobody accounts for',
      'unproven',
      usual({ advisories: [advisory([level('1-2')], { signer: 'KEY' })] }),
      none,
    ],
    [
      'signed metadata, a module of a package nobody signed',
      'unproven',
      usual({ advisories: [advisory([level('1-2')], { signer: 'KEY' })] }),
      { ...none, patches: [record(two, { cves: [], signer: null })] },
    ],
    ['unsigned metadata, a lower level', 'unproven', usual({ advisories: [advisory([level('1-1')])] }), none],
    [
      'signed metadata, a higher level',
      'available',
      usual({ advisories: [advisory([level('1-3')], { signer: 'KEY' })] }),
      none,
    ],
    ['unsigned metadata, a higher level', 'available', usual({ advisories: [advisory([level('1-3')])] }), none],
    ['a level above everything on offer', 'out-of-reach', usual({ advisories: [advisory([level('1-9')])] }), none],
    ['nothing at all', 'unknown', usual(), none],
    ['installed and not loaded', 'on-disk', usual({ loaded: [] }), { ...none, patches: [record(two)] }],
    [
      'installed, and disabled',
      'on-disk',
      usual({ loaded: [loaded(two, { enabled: false })] }),
      { ...none, patches: [record(two)] },
    ],
    [
      'installed, in transition',
      'on-disk',
      usual({ loaded: [loaded(two, { transition: true })] }),
      { ...none, patches: [record(two)] },
    ],
    [
      'what runs is another file',
      'on-disk',
      usual({ installed: [installedFrom(two, K, { buildId: 'aa' })], loaded: [loaded(two, { buildId: 'bb' })] }),
      { ...none, patches: [record(two)] },
    ],
    [
      'what runs came from a file that was changed since',
      'unproven',
      usual({ installed: [installedFrom(two, K, { changed: true })] }),
      { ...none, patches: [record(two)] },
    ],
    [
      'what runs is the same file',
      'fixed',
      usual({ installed: [installedFrom(two, K, { buildId: 'aa' })], loaded: [loaded(two, { buildId: 'aa' })] }),
      { ...none, patches: [record(two)] },
    ],
    [
      'installed, the file gone',
      'unknown',
      usual({ installed: [installedFrom(two, K, { file: null })], loaded: [], offered: [] }),
      { ...none, patches: [record(two)] },
    ],
    [
      'installed, the file changed',
      'unknown',
      usual({ installed: [installedFrom(two, K, { changed: true })], loaded: [], offered: [] }),
      { ...none, patches: [record(two)] },
    ],
    [
      'the level before still runs and had it',
      'fixed',
      usual({ installed: [installedFrom(three, K)] }),
      { ...none, patches: [record(three), record(two, { current: false })] },
    ],
    [
      'the level before still runs and had it not',
      'on-disk',
      usual({ installed: [installedFrom(three, K)] }),
      { ...none, patches: [record(three), record(two, { current: false, cves: [] })] },
    ],
    [
      'the changelog of another kernel says nothing',
      'unknown',
      usual(),
      { ...none, patches: [record(two, { kernel: 'other' })] },
    ],
    ['signed changelog of the kernel', 'fixed-in-kernel', usual(), kernelRecord('Vendor')],
    ['unsigned changelog of the kernel', 'unproven', usual(), kernelRecord(null)],
    [
      'signed metadata, this kernel',
      'fixed-in-kernel',
      usual({ advisories: [advisory(['kernel-core-5.14.0-362.8.1.el9_3.x86_64'], { signer: 'KEY' })] }),
      none,
    ],
    [
      'signed metadata, a lower kernel of the line',
      'fixed-in-kernel',
      usual({ advisories: [advisory(['kernel-5.14.0-362.2.1.el9_3.x86_64'], { signer: 'KEY' })] }),
      none,
    ],
    [
      'a lower kernel of another line',
      'unknown',
      usual({ advisories: [advisory(['kernel-5.14.0-284.99.1.el9_2.x86_64'], { signer: 'KEY' })] }),
      none,
    ],
    [
      'a higher kernel',
      'reboot',
      usual({ advisories: [advisory(['kernel-5.14.0-362.24.1.el9_3.x86_64'], { signer: 'KEY' })] }),
      none,
    ],
    [
      'a higher kernel with an epoch',
      'reboot',
      usual({ advisories: [advisory(['kernel-1:5.14.0-362.24.1.el9_3.x86_64'])] }),
      none,
    ],
    [
      'a kernel of another flavour',
      'unknown',
      usual({ advisories: [advisory(['kernel-rt-core-5.14.0-362.24.1.el9_3.x86_64'])] }),
      none,
    ],
    [
      'a kernel of another architecture',
      'unknown',
      usual({ advisories: [advisory(['kernel-core-5.14.0-362.24.1.el9_3.ppc64le'])] }),
      none,
    ],
    [
      'a live patch before a reboot',
      'available',
      usual({ advisories: [advisory(['kernel-core-5.14.0-362.24.1.el9_3.x86_64', level('1-3')])] }),
      none,
    ],
  ])('%s: %s', (_what, state, seen, evidence) => {
    expect(judge(seen, evidence).state).toBe(state);
  });
});

test('a local rebuild shares the name of the vendor, and none of its fixes', () => {
  const rebuild = '5.14.0-362.8.1.el9_3.custom1.x86_64';
  const seen = world({
    kernels: [kernel(rebuild, { running: true })],
    offered: [two],
    advisories: [advisory([level('1-1')], { signer: 'KEY' })],
  });
  const [found] = cveReports(kernel(rebuild, { running: true }), seen, none, [CVE]);
  expect(found?.state).toBe('unknown');
});

test('signed sources come first, and the answer names who says it', () => {
  const seen = usual({ advisories: [advisory([level('1-1')], { severity: 'Important' })] });
  expect(judge(seen, { ...none, patches: [record(two)] })).toEqual({
    cve: CVE,
    state: 'fixed',
    by: loaded(two).module,
    severity: 'Important',
    text: `the loaded ${loaded(two).module} fixes it`,
    sources: [
      { kind: 'changelog', name: level('1-2'), repo: null, signer: 'Vendor' },
      { kind: 'updateinfo', name: 'A-1', repo: 'base', signer: null },
    ],
  });
});

test('10 is above 9, in levels as in CVE numbers', () => {
  const ten = offer(K, '1-10');
  const seen = world({
    installed: [installedFrom(ten, K)],
    loaded: [loaded(ten)],
    advisories: [advisory([level('1-9')], { signer: 'K' })],
  });
  expect(judge(seen, { ...none, patches: [record(ten, { cves: [] })] }).state).toBe('fixed');
  expect(['CVE-2025-10000', 'CVE-2025-9999', 'CVE-2024-99999', 'odd'].sort(compareCves)).toEqual([
    'CVE-2024-99999',
    'CVE-2025-9999',
    'CVE-2025-10000',
    'odd',
  ]);
});

test('of several kernels with the fix, the lowest of the same line is named', () => {
  const kernels = ['5.14.0-427.1.1.el9_4', '5.14.0-362.24.1.el9_3', '5.14.0-362.18.1.el9_3'];
  const seen = usual({ advisories: [advisory(kernels.map((one) => `kernel-core-${one}.x86_64`))] });
  expect(judge(seen).by).toBe('5.14.0-362.18.1.el9_3.x86_64');
});

test('a root that does not run: what is on disk is loaded at its boot', () => {
  const seen = usual({ live: false, loaded: [] });
  const [found] = cveReports(kernel(K), seen, { ...none, patches: [record(two)] });
  expect([found?.state, found?.text]).toEqual([
    'on-disk',
    `the installed ${level('1-2')} fixes it and is loaded when this kernel boots`,
  ]);
});

test('blind spots', () => {
  const state = (id: string, is: 'read' | 'none' | 'unread') => ({ repo: id, state: is, problem: null });
  expect(blindSpots(world({ advisoryStates: [state('base', 'read')] }))).toBeNull();
  expect(blindSpots(world({ advisoryStates: [state('base', 'none')] }))).toBeNull();
  expect(blindSpots(world({ advisoryStates: [state('base', 'unread')] }))).toBe('the advisories of base are not known');
  expect(blindSpots(world({ repositories: [repo('a', { used: false })] }))).toBe('the advisories of a are not known');
  expect(blindSpots(world({ repositories: [] }))).toBe('no repository is enabled');
});

test('what runs', () => {
  const seen = usual();
  expect([runs(loaded(two).module, seen), runs(loaded(three).module, seen)]).toEqual([true, false]);
});

describe('kernels', () => {
  test.each([
    [{ release: K }, ['kernel', 'kernel-core']],
    [{ release: `${K}+debug` }, ['kernel', 'kernel-core']],
    [{ release: `${K}+rt` }, ['kernel-rt', 'kernel-rt-core']],
    [{ release: `${K}+64k-debug` }, ['kernel-64k', 'kernel-64k-core']],
    [{ release: K, packageName: 'kernel-uek-core' }, ['kernel-uek', 'kernel-uek-core']],
    [{ release: K, packageName: 'kernel6.12' }, ['kernel', 'kernel-core']],
  ])('names of %j', ({ release, ...more }, names) => {
    expect(kernelNames(kernel(release, more))).toEqual(names);
  });

  test.each([
    [K, '5.14.0-362'],
    ['4.18.0-553.el8_10.x86_64', '4.18.0-553'],
    ['6.1.134-150.224.amzn2023.x86_64', '6.1'],
    ['6.5.6-300.fc39.x86_64', '6.5'],
  ])('line of %s: %s', (release, line) => {
    expect(kernelLine(kernelEvr(kernel(release)))).toBe(line);
  });

  test('the epoch of a package is not in uname -r', () => {
    const evr = { epoch: 1, version: '6.1.134', release: '150.224.amzn2023' };
    expect(compareKernels(evr, kernelEvr(kernel('6.1.134-150.224.amzn2023.x86_64')))).toBe(0);
  });

  test('fixes are sorted, the lowest level first', () => {
    const seen = usual({ advisories: [advisory([level('1-10')], { id: 'B' }), advisory([level('1-9')], { id: 'A' })] });
    const found = fixesFor(kernel(K, { running: true }), seen).get(CVE);
    expect(found?.levels.map((fix) => fix.package.release)).toEqual(['9.el9_3', '10.el9_3']);
  });
});

import { describe, expect, test } from '@jest/globals';
import { candidatesFor } from '../../../src/decide/match.ts';
import {
  isLivePatchName,
  levelOfModule,
  looksEmpty,
  moduleName,
  shortName,
  targetOf,
} from '../../../src/decide/schemes/rhel.ts';
import { formatEvr } from '../../../src/domain/evr.ts';
import type { World } from '../../../src/domain/world.ts';
import { eq, ge, K, kernel, offer, repo, world } from '../../support/world.ts';

describe('the RHEL naming scheme', () => {
  test.each([
    ['5.14.0-362.8.1.el9_3.x86_64', '5_14_0-362_8_1'],
    ['4.18.0-147.el8.x86_64', '4_18_0-147'],
    ['4.18.0-553.el8_10.x86_64', '4_18_0-553'],
    ['3.10.0-1062.1.1.el7.x86_64', '3_10_0-1062_1_1'],
    ['5.14.0-70.13.1.el9_0.something.el9.x86_64', '5_14_0-70_13_1'],
    ['6.12.0-55.9.1.el10_0.ppc64le', '6_12_0-55_9_1'],
    ['6.5.6-300.fc39.x86_64', null],
    ['6.1.134-150.224.amzn2023.x86_64', null],
    ['5.14.0-362.8.1.el9_3.x86_64+debug', null],
    ['nonsense', null],
  ])('short name of %s is %s', (release, short) => {
    expect(shortName(release)).toBe(short);
  });

  test.each([
    ['kpatch-patch-5_14_0-362_8_1', true],
    ['kpatch-patch-5_14_0-362_8_1-debuginfo', false],
    ['kpatch-patch-5_14_0-362_8_1-debugsource', false],
    ['kpatch', false],
    ['kpatch-dnf', false],
  ])('%s can be a live patch: %s', (name, yes) => {
    expect(isLivePatchName(name)).toBe(yes);
  });

  test('module names and the levels in them', () => {
    expect(moduleName(offer(K, '1-3'))).toBe('kpatch_5_14_0_362_8_1_1_3');
    const stream = 'kpatch-patch-5_14_0-362_8_1';
    expect(formatEvr(levelOfModule('kpatch_5_14_0_362_8_1_1_10', stream) as never)).toBe('1-10');
    expect(levelOfModule('kpatch_5_14_0_362_8_10_1_1', stream)).toBeNull();
    expect(levelOfModule('livepatch_CVE_2022_36946', stream)).toBeNull();
  });

  test.each([
    ['size above zero is never empty', { version: '0', installedSize: 10 }, false],
    ['size zero is empty, whatever the version', { version: '1', installedSize: 0 }, true],
    [
      'no size: what it requires',
      { version: '0', installedSize: null, requires: [{ name: '/bin/sh', flags: null, evr: null }] },
      false,
    ],
    ['no size, no scriptlets: version 0', { version: '0', installedSize: null, requires: [] }, true],
    ['no size, no scriptlets: version 1', { version: '1', installedSize: null, requires: [] }, false],
  ] as const)('%s', (_, more, empty) => {
    expect(looksEmpty(offer(K, '1-1', more as object))).toBe(empty);
  });
});

describe('the kernel a package is for', () => {
  test.each([
    ['the new form', offer(K, '1-1'), K],
    ['the old form, without arch', offer(K, '1-1', { requires: [eq('kernel', '5.14.0-362.8.1.el9_3')] }), K],
    ['epoch 0 written out', offer(K, '1-1', { requires: [eq('kernel-uname-r', `0:${K}`)] }), K],
    ['no kernel at all', offer(K, '1-1', { requires: [] }), null],
    ['Provides of another kernel', offer(K, '1-1', { provides: [eq('kpatch-patch', '5.14.0-1.el9.x86_64')] }), null],
    ['two kernels', offer(K, '1-1', { requires: [eq('kernel-uname-r', K), eq('kernel-uname-r', `${K}x`)] }), null],
  ])('%s', (_, pkg, target) => {
    expect(targetOf(pkg)).toEqual(target === null ? { problem: expect.any(String) } : { kernel: target });
  });
});

const levels = (w: World, k = w.kernels[0] as never) => candidatesFor(k, w).usable.map(formatEvr);
const reasons = (w: World) => candidatesFor(w.kernels[0] as never, w).rejected.map((r) => [r.nevra, r.because.code]);

describe('candidates', () => {
  test('rpm order, the highest first, epoch before everything', () => {
    const offered = ['1-9', '1-10', '1-2'].map((level) => offer(K, level));
    expect(levels(world({ offered: [...offered, offer(K, '0-1', { epoch: 1 })] }))).toEqual([
      '1:0-1.el9_3',
      '1-10.el9_3',
      '1-9.el9_3',
      '1-2.el9_3',
    ]);
  });

  test('one package in two repositories is one candidate, from the cheaper one', () => {
    const offered = [offer(K, '1-1', { repo: 'dear' }), offer(K, '1-1', { repo: 'cheap' })];
    const w = world({ offered, repositories: [repo('dear', { cost: 1500 }), repo('cheap')] });
    expect(candidatesFor(w.kernels[0] as never, w).usable.map((pkg) => pkg.repo)).toEqual(['cheap']);
  });

  test.each([
    ['excluded', [offer(K, '1-2', { excludedBy: 'excludepkgs=x' })]],
    ['wrong-arch', [offer(K, '1-2', { arch: 'ppc64le' })]],
    // Its short Provides then seem to name another kernel: what is wrong is the architecture.
    ['wrong-arch', [offer(K, '1-2', { arch: 'noarch', provides: [eq('kpatch-patch', K.replace('.x86_64', ''))] })]],
    ['requires-unmet', [offer(K, '1-2', { requires: [eq('kernel-uname-r', K), ge('kpatch', '0.99')] })]],
    [
      'requires-unmet',
      [offer(K, '1-2', { requires: [eq('kernel-uname-r', K), { name: 'libfoo.so.1', flags: null, evr: null }] })],
    ],
    ['kernel-mismatch', [offer(K, '1-2', { requires: [] })]],
    ['other-kernel', [offer('5.14.0-362.8.1.el9_3.custom1.x86_64', '1-2')]],
  ])('steps down over %s', (code, extra) => {
    const w = world({ offered: [offer(K, '1-1'), ...extra] });
    expect(levels(w)).toEqual(['1-1.el9_3']);
    expect(reasons(w).map(([, c]) => c)).toEqual([code]);
  });

  test('a withdrawn level is no candidate, unless what obsoletes it is hidden', () => {
    const eraser = offer(K, '9-9', {
      name: 'kpatch-patch-withdrawn',
      obsoletes: [eq('kpatch-patch-5_14_0-362_8_1', '1-2.el9_3')],
    });
    const offered = [offer(K, '1-1'), offer(K, '1-2')];
    const other = { ...eraser, requires: [], provides: [] };
    expect(levels(world({ offered: [...offered, other] }))).toEqual(['1-1.el9_3']);
    expect(levels(world({ offered: [...offered, { ...other, excludedBy: 'x' }] }))).toEqual(['1-2.el9_3', '1-1.el9_3']);
  });

  test('priority beats version, but a hidden package has none', () => {
    const repositories = [repo('vendor', { priority: 10 }), repo('base')];
    const offered = [offer(K, '1-1', { repo: 'vendor' }), offer(K, '1-2')];
    expect(levels(world({ offered, repositories }))).toEqual(['1-1.el9_3']);
    const hidden = offered.map((pkg) => (pkg.repo === 'vendor' ? { ...pkg, excludedBy: 'x' } : pkg));
    expect(levels(world({ offered: hidden, repositories }))).toEqual(['1-2.el9_3']);
  });

  test('a newer installed utility meets a higher requirement', () => {
    const offered = [offer(K, '1-2', { requires: [eq('kernel-uname-r', K), ge('kpatch', '0.9.20-1')] })];
    expect(levels(world({ offered }))).toEqual([]);
    expect(levels(world({ offered, utility: { version: '0.9.21', path: null } }))).toEqual(['1-2.el9_3']);
  });

  test('two kernels of one short name each get their own', () => {
    const local = '5.14.0-362.8.1.el9_3.custom1.x86_64';
    const w = world({ kernels: [kernel(K), kernel(local)], offered: [offer(K, '1-1'), offer(local, '1-2')] });
    expect(levels(w, w.kernels[0] as never)).toEqual(['1-1.el9_3']);
    expect(levels(w, w.kernels[1] as never)).toEqual(['1-2.el9_3']);
  });
});

// The el9 world: zstd payloads, gzip metadata. The demonstration and most tests use it.
import type { PackageSource, RepositorySource, UpdateSource } from '../builder/source.ts';
import {
  EMPTY_0_1,
  K1,
  K2,
  K3,
  kernelPackage,
  MODULE_0_1,
  PAST_NINE,
  REALTIME,
  REBUILD,
  WITHDRAWN,
} from './kernels.ts';
import { debugPackages, emptyPatch, fixes, livePatch } from './livepatch.ts';
import { bystanders, utility } from './utility.ts';

const payload = 'zstd';
const k1Fixes = fixes(5);
const upTo = (level: string) => k1Fixes.filter((fix) => fix.level <= level);

export const k1Levels = [
  livePatch(K1, '1-1', { why: 'K1: the first level', payload, fixes: upTo('1-1') }),
  livePatch(K1, '1-2', {
    why: 'K1: the newest usable level, what `install` must take',
    payload,
    fixes: upTo('1-2'),
    module: { signed: true },
  }),
  livePatch(K1, '1-3', {
    why: 'K1: the newest level, unusable: no kpatch utility is as new as it wants',
    payload,
    fixes: upTo('1-3'),
    requires: ['kpatch >= 99'],
  }),
] as const;
export const k2Empty = emptyPatch(K2, '0-0', { why: 'K2: a subscription and nothing else', payload });

const pastNineFixes = fixes(12, 2024, 91001).map((fix, index) => ({ ...fix, level: `1-${Math.min(index + 1, 10)}` }));
const pastNine = (n: number, why: string) =>
  livePatch(PAST_NINE, `1-${n}`, {
    why,
    payload,
    fixes: pastNineFixes.filter((fix) => Number(fix.level.slice(2)) <= n),
  });
const pastNineLevels = [
  emptyPatch(PAST_NINE, '0-0', { why: 'the start of a long stream', payload }),
  pastNine(1, 'the lowest level of a long stream'),
  pastNine(2, 'as text above 1-10; as version below it'),
  pastNine(9, '1-9 is below 1-10'),
  {
    ...pastNine(10, 'the newest of a long stream; more fixes than other.xml keeps entries; brings a build-id link'),
    buildIdLinks: true,
  },
];

const withdrawnFirst = livePatch(WITHDRAWN, '1-1', {
  why: 'the level to fall back to',
  payload,
  fixes: fixes(1, 2024, 92001),
});
const withdrawnSecond = livePatch(WITHDRAWN, '1-2', {
  why: 'withdrawn: another package obsoletes exactly this level',
  payload,
  fixes: fixes(2, 2024, 92001),
});
const withdrawal: PackageSource = {
  why: 'withdraws a level by obsoleting it',
  name: 'livepatch-withdrawals',
  version: '2024.5',
  release: '1.el9',
  arch: 'noarch',
  summary: 'Live patches that were withdrawn',
  obsoletes: [`${withdrawnSecond.name} = 1-2.el9_3`],
  payload,
  signing: { key: 'release' },
};

const updates: UpdateSource[] = [
  ...k1Levels.map((level, index): UpdateSource => {
    const severity = ['Important', 'Moderate', 'Critical'][index] ?? 'Low';
    const cve = k1Fixes[index];
    return {
      id: `FXSA-2024:100${index + 1}`,
      type: 'security',
      severity,
      title: `${severity}: kpatch-patch security update`,
      issued: `${cve?.date} 00:00:00`,
      cves: cve ? [cve.cve] : [],
      packages: index === 0 ? [level, pastNineLevels[1] as PackageSource] : [level],
    };
  }),
  {
    id: 'FXSA-2024:1010',
    type: 'security',
    severity: 'Important',
    title: 'Important: kpatch-patch security update',
    issued: '2024-03-20',
    cves: pastNineFixes.slice(9).map((fix) => fix.cve),
    packages: [pastNineLevels[4] as PackageSource],
  },
  {
    id: 'FXEA-2024:1020',
    type: 'newpackage',
    title: 'new packages: kpatch-patch',
    issued: '2024-01-08 00:00:00',
    cves: [],
    packages: [k2Empty, pastNineLevels[0] as PackageSource],
  },
];

export const EL9: RepositorySource = {
  id: 'el9',
  why: 'the ordinary case: every state a stream can be in',
  metadata: 'gz',
  signedBy: 'release',
  updates,
  packages: [
    kernelPackage(K1, 'gzip', 'K1 as the repository offers it'),
    kernelPackage(K2, 'gzip', 'K2 as the repository offers it'),
    kernelPackage(K3, 'gzip', 'K3: a kernel without a stream'),
    kernelPackage(EMPTY_0_1, 'gzip', 'its stream holds a rebuilt empty package'),
    kernelPackage(MODULE_0_1, 'gzip', 'its stream holds a 0-1 that has a module'),
    kernelPackage(PAST_NINE, 'gzip', 'its stream goes past level 9'),
    kernelPackage(WITHDRAWN, 'gzip', 'a level of its stream was withdrawn'),
    kernelPackage(REBUILD, 'gzip', 'a local rebuild whose short name is the one of K1'),
    kernelPackage(REALTIME, 'gzip', 'another flavour: package kernel-rt-core, +rt in uname -r'),
    utility('0.9.7', '3.el9', payload),
    ...bystanders(payload),
    ...k1Levels,
    ...debugPackages(k1Levels[1]),
    k2Empty,
    emptyPatch(EMPTY_0_1, '0-1', { why: 'release 1 and still empty: a rebuild', payload }),
    livePatch(MODULE_0_1, '0-1', { why: 'version 0 and yet a module', payload, fixes: [] }),
    ...pastNineLevels,
    withdrawnFirst,
    withdrawnSecond,
    withdrawal,
  ],
};

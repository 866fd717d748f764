// Live-patch packages of the fixtures, verified and extracted, as the pipeline hands them to a transaction.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Extracted, extractModules } from '../../src/apply/extract.ts';
import { Spool } from '../../src/apply/spool.ts';
import type { InstallRequest } from '../../src/apply/transactions.ts';
import { type VerifiedPackage, verifyPackage } from '../../src/apply/verify.ts';
import type { KernelRelease } from '../../src/domain/kernel.ts';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { Root } from '../../src/host/root.ts';
import { realRun } from '../../src/host/run.ts';
import { FIXTURES, KERNELS } from './fixtures.ts';

export const K1 = KERNELS.K1 as KernelRelease;
export const K2 = KERNELS.K2 as KernelRelease;

/** The kernel of the levels `linked` and `below linked`; the ready-made root does not have it. */
export const KL = '5.14.0-362.18.1.el9_3.x86_64' as KernelRelease;

/** A fixture package by its path below repo-fixtures/built, verified with the release key. */
export function verifiedPackage(file: string): VerifiedPackage {
  const keys = parseKeys(readFileSync(path.join(FIXTURES, 'keys', 'RPM-GPG-KEY-fixtures')));
  const bytes = readFileSync(path.join(FIXTURES, file));
  return verifyPackage(parseRpm(bytes), { keys, allowUnsigned: false, now: new Date('2026-01-01T00:00:00Z') });
}

const LEVELS = {
  '1-1': ['el9/Packages/kpatch-patch-5_14_0-427_13_1-1-1.el9_4.x86_64.rpm', K1],
  '1-2': ['el9/Packages/kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64.rpm', K1],
  /** With a build-id link beside the module. */
  linked: ['el9/Packages/kpatch-patch-5_14_0-362_18_1-1-10.el9_3.x86_64.rpm', KL],
  'below linked': ['el9/Packages/kpatch-patch-5_14_0-362_18_1-1-9.el9_3.x86_64.rpm', KL],
  empty: ['el9/Packages/kpatch-patch-5_14_0-427_16_1-0-0.el9_4.x86_64.rpm', K2],
} as const;

/** A level as it comes out of its package. */
export function extractedLevel(level: keyof typeof LEVELS): Promise<Extracted> {
  const [file, kernel] = LEVELS[level];
  return extractModules(verifiedPackage(file), kernel, realRun.filter);
}

/** What installs a level: `1-1` and `1-2` for K1, `empty` for K2, the linked ones for KL. */
export async function levelRequest(level: keyof typeof LEVELS): Promise<InstallRequest> {
  const [file, kernel] = LEVELS[level];
  return {
    kernel,
    ...(await new Spool(new Root('/'), { inMemory: Number.POSITIVE_INFINITY }).keep(await extractedLevel(level))),
    repo: 'el9',
    url: `https://cdn.example.com/${file}`,
    replaces: [],
    now: new Date('2026-01-01T00:00:00Z'),
    by: '0.0.0-test',
    askedBy: 'kpatch-pm auto (admin)',
    register: false,
    keep: false,
  };
}

import { describe, expect, test } from '@jest/globals';
import { kernelRelease } from '../../../src/domain/kernel.ts';
import type { InstalledPatch } from '../../../src/domain/livepatch.ts';
import { parseNevra } from '../../../src/domain/nevra.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import type { Rpmdb } from '../../../src/observe/system/rpmdb.ts';
import { withSupport } from '../../../src/observe/system/support.ts';

const K = '5.14.0-427.13.1.el9_4.x86_64';
const PATCH = 'kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64';
const VENDOR = '199E2F91FD431D51';
const OTHER = '0F6AB0C2B5D41D1B';

const nevra = (text: string) => parseNevra(text) as NonNullable<ReturnType<typeof parseNevra>>;

/** A database with the kernel, and the patch where `patch` is said; each with the key that signed it. */
function database(kernel: string | null | undefined, patch?: string | null): Rpmdb {
  const one = (name: string, keyid: string | null | undefined, provides: Rpmdb['packages'][number]['provides']) => ({
    nevra: nevra(name),
    provides,
    hasFiles: true,
    ...(keyid === undefined ? {} : { keyid }),
  });
  const brings = [{ name: 'kernel-uname-r', flags: 'EQ', evr: K } as const];
  const packages = [one(`kernel-core-${K}`, kernel, brings), ...(patch === undefined ? [] : [one(PATCH, patch, [])])];
  return { how: 'rpm', path: 'var/lib/rpm', packages, notices: [] };
}

const installed = (more: Partial<InstalledPatch> = {}): InstalledPatch => ({
  kernel: K,
  package: nevra(PATCH),
  module: 'kpatch_5_14_0_427_13_1_1_2',
  file: `var/lib/kpatch/${K}/kpatch-5_14_0-427_13_1-1-2.ko`,
  source: 'rpm',
  support: 'unknown',
  changed: null,
  ...more,
});

const receipt = (keyid: string): Receipt => ({
  format: 1,
  kernel: kernelRelease(K) as Receipt['kernel'],
  package: nevra(PATCH),
  repo: 'base',
  url: null,
  signer: { fingerprint: keyid.repeat(2), keyid, owner: 'somebody' },
  packageSha256: '',
  files: [],
  installedAt: '',
  by: '',
  askedBy: '',
  registered: true,
});

describe('who stands behind a live patch', () => {
  test.each<[string, string, Rpmdb, InstalledPatch, Receipt[]]>([
    ['one key signed kernel and patch', 'vendor', database(VENDOR, VENDOR), installed(), []],
    ['another key signed the patch', 'third-party', database(VENDOR, OTHER), installed(), []],
    ['nobody signed the patch', 'unknown', database(VENDOR, null), installed(), []],
    ['nobody signed the kernel', 'unknown', database(null, VENDOR), installed(), []],
    ['a database that was read without rpm', 'unknown', database(undefined, undefined), installed(), []],
    ['only the receipt knows the key, and it is the one', 'vendor', database(VENDOR), installed(), [receipt(VENDOR)]],
    ['only the receipt knows the key, and it is not', 'unknown', database(VENDOR), installed(), [receipt(OTHER)]],
    ['it says of itself that it is own', 'own', database(VENDOR, VENDOR), installed({ support: 'own' }), []],
    ['no package', 'unknown', database(VENDOR, VENDOR), installed({ package: null }), []],
    ['the kernel is of another release', 'unknown', database(VENDOR, VENDOR), installed({ kernel: '5.14.0-1.x' }), []],
  ])('%s: %s', (_, support, rpmdb, patch, receipts) => {
    expect(withSupport([patch], rpmdb, receipts)).toEqual([{ ...patch, support }]);
  });
});

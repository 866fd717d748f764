import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KernelRelease } from '../../../src/domain/kernel.ts';
import { parseNevra } from '../../../src/domain/nevra.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { Root } from '../../../src/host/root.ts';
import { installedPatches } from '../../../src/observe/system/installed.ts';
import type { Rpmdb } from '../../../src/observe/system/rpmdb.ts';
import { livePatch } from '../../support/elf.ts';

const K = '5.14.0-1.el9.x86_64' as KernelRelease;
const STREAM = 'kpatch-patch-5_14_0-1';
let top = '';
beforeEach(() => {
  top = mkdtempSync(path.join(os.tmpdir(), 'kpm-installed-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function put(relative: string, bytes: Buffer): void {
  mkdirSync(path.dirname(path.join(top, relative)), { recursive: true });
  writeFileSync(path.join(top, relative), bytes);
}

const module = (level: string, name = `kpatch_5_14_0_1_${level.replace('-', '_')}`): Buffer =>
  livePatch({ name, release: K });
const fileOf = (level: string) => `kpatch-5_14_0-1-${level}.ko`;
const install = (level: string, bytes = module(level)) => put(`var/lib/kpatch/${K}/${fileOf(level)}`, bytes);

function receipt(level: string, more: Partial<Receipt> = {}): Receipt {
  const [version = '', release = ''] = level.split('-');
  const bytes = module(level);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const file = { file: fileOf(level), module: `kpatch_5_14_0_1_${version}_${release}`, size: bytes.length, sha256 };
  return {
    format: 1,
    kernel: K,
    package: { name: STREAM, epoch: 0, version, release: `${release}.el9`, arch: 'x86_64' },
    repo: 'r',
    url: null,
    signer: null,
    packageSha256: '',
    files: [file],
    installedAt: '',
    by: '',
    askedBy: '',
    registered: false,
    ...more,
  };
}

/** A database with packages; `files` false is an empty package; null is what the parser knows. */
function rpmdb(list: Record<string, boolean | null> = {}): Rpmdb {
  const packages = Object.entries(list).map(([text, hasFiles]) => {
    const nevra = parseNevra(text);
    if (!nevra) throw new Error(text);
    const claims = [K, K.replace('.x86_64', '')].map((evr) => ({ name: 'kpatch-patch', flags: 'EQ' as const, evr }));
    return { nevra, provides: hasFiles === null ? [] : claims, hasFiles };
  });
  return { how: 'rpm', path: 'var/lib/rpm', packages, notices: [] };
}

const seen = (db = rpmdb(), receipts: Receipt[] = []) =>
  installedPatches(new Root(top), db, receipts).map((patch) => [
    patch.package ? `${patch.package.version}-${patch.package.release}` : null,
    patch.module,
    patch.file === null ? null : path.posix.basename(patch.file),
    patch.source,
    patch.changed,
  ]);

test('nothing', () => expect(seen()).toEqual([]));

test('a file larger than any module is shown by its name, and keeps nothing from being seen', () => {
  install('1-1');
  put(`var/lib/kpatch/${K}/huge-one.ko`, Buffer.alloc(0));
  truncateSync(path.join(top, `var/lib/kpatch/${K}/huge-one.ko`), 300 * 1024 * 1024);
  const found = installedPatches(new Root(top), rpmdb(), [receipt('1-1')]);
  expect(found.map((patch) => [patch.module, patch.changed])).toEqual([
    ['huge_one', null],
    ['kpatch_5_14_0_1_1_1', false],
  ]);
});

describe('ours', () => {
  test('as the receipt says', () => {
    install('1-1');
    expect(seen(rpmdb(), [receipt('1-1')])).toEqual([
      ['1-1.el9', 'kpatch_5_14_0_1_1_1', fileOf('1-1'), 'kpatch-pm', false],
    ]);
  });

  test('changed on disk', () => {
    install('1-1', module('1-2'));
    expect(seen(rpmdb(), [receipt('1-1')])[0]?.[4]).toBe(true);
  });

  test('gone from the disk', () => {
    expect(seen(rpmdb(), [receipt('1-1')])).toEqual([['1-1.el9', 'kpatch_5_14_0_1_1_1', null, 'kpatch-pm', null]]);
  });

  test('a subscription', () => {
    expect(seen(rpmdb(), [receipt('0-0', { files: [] })])).toEqual([['0-0.el9', null, null, 'kpatch-pm', null]]);
  });

  test('registered, and in the database once', () => {
    install('1-1');
    const db = rpmdb({ [`${STREAM}-1-1.el9.x86_64`]: true });
    expect(seen(db, [receipt('1-1', { registered: true })])).toHaveLength(1);
  });

  test('registered, then removed by dnf', () => {
    expect(seen(rpmdb(), [receipt('1-1', { registered: true })])).toEqual([]);
  });

  test('a subscription, then removed by dnf', () => {
    expect(seen(rpmdb(), [receipt('0-0', { registered: true, files: [] })])).toEqual([]);
  });

  test('registered, and the database cannot be read: still there', () => {
    const unreadable: Rpmdb = { how: 'none', path: null, packages: [], notices: [] };
    expect(seen(unreadable, [receipt('0-0', { registered: true, files: [] })])).toHaveLength(1);
  });

  test('registered, then upgraded by dnf', () => {
    install('1-2');
    const db = rpmdb({ [`${STREAM}-1-2.el9.x86_64`]: true });
    expect(seen(db, [receipt('1-1', { registered: true })])).toEqual([
      ['1-2.el9', 'kpatch_5_14_0_1_1_2', fileOf('1-2'), 'rpm', null],
    ]);
  });
});

describe('of the rpm database', () => {
  test('with its module', () => {
    install('1-2');
    expect(seen(rpmdb({ [`${STREAM}-1-2.el9.x86_64`]: true }))).toEqual([
      ['1-2.el9', 'kpatch_5_14_0_1_1_2', fileOf('1-2'), 'rpm', null],
    ]);
  });

  test('whose module is gone', () => {
    expect(seen(rpmdb({ [`${STREAM}-1-2.el9.x86_64`]: true }))).toEqual([
      ['1-2.el9', 'kpatch_5_14_0_1_1_2', null, 'rpm', null],
    ]);
  });

  test.each([
    ['0-0', false],
    ['0-1', false],
    ['1-1', false],
  ] as const)('empty, whatever its version: %s', (level, files) => {
    expect(seen(rpmdb({ [`${STREAM}-${level}.el9.x86_64`]: files }))[0]?.slice(1, 4)).toEqual([null, null, 'rpm']);
  });

  test('0-1 with a module', () => {
    install('0-1');
    expect(seen(rpmdb({ [`${STREAM}-0-1.el9.x86_64`]: true }))[0]?.[2]).toBe(fileOf('0-1'));
  });

  test('debug packages are no patches', () => {
    expect(seen(rpmdb({ [`${STREAM}-debuginfo-1-1.el9.x86_64`]: true }))).toEqual([]);
  });

  test('without provides, the kernel is found by the name', () => {
    install('1-2');
    expect(seen(rpmdb({ [`${STREAM}-1-2.el9.x86_64`]: null }))[0]?.slice(0, 3)).toEqual([
      '1-2.el9',
      'kpatch_5_14_0_1_1_2',
      fileOf('1-2'),
    ]);
  });
});

describe('foreign', () => {
  test('a module nobody accounts for, by the name inside it', () => {
    put(`var/lib/kpatch/${K}/mine.ko`, module('1-1', 'my_fix'));
    expect(seen()).toEqual([[null, 'my_fix', 'mine.ko', 'foreign', null]]);
  });

  test('a file that is no module, by its name', () => {
    put(`var/lib/kpatch/${K}/not-a.module.ko`, Buffer.from('text'));
    expect(seen()).toEqual([[null, 'not_a_module', 'not-a.module.ko', 'foreign', null]]);
  });

  test('of a kernel that is gone', () => {
    put('var/lib/kpatch/4.18.0-1.el8.x86_64/a.ko', module('1-1', 'a'));
    expect(installedPatches(new Root(top), rpmdb(), [])).toMatchObject([
      { kernel: '4.18.0-1.el8.x86_64', module: 'a' },
    ]);
  });

  test('what is no module file is not one', () => {
    put(`var/lib/kpatch/${K}/.hidden.ko`, module('1-1'));
    put(`var/lib/kpatch/${K}/readme`, module('1-1'));
    put('var/lib/kpatch/stray.ko', module('1-1'));
    mkdirSync(path.join(top, `var/lib/kpatch/${K}/directory.ko`));
    expect(seen()).toEqual([]);
  });
});

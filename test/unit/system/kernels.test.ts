import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseNevra } from '../../../src/domain/nevra.ts';
import { Root } from '../../../src/host/root.ts';
import { installedKernels, type Surroundings } from '../../../src/observe/system/kernels.ts';
import type { Rpmdb, RpmdbPackage } from '../../../src/observe/system/rpmdb.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(path.join(os.tmpdir(), 'kpm-kernels-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function files(...names: string[]): void {
  for (const name of names) {
    mkdirSync(path.dirname(path.join(top, name)), { recursive: true });
    writeFileSync(path.join(top, name), '');
  }
}

const NOWHERE: Surroundings = { live: false, uname: null, arch: 'x86_64' };

/** Packages as rpm (with what they provide) or as the parser (without) has them. */
function rpmdb(how: 'rpm' | 'parser', list: Record<string, string | null>): Rpmdb {
  const packages = Object.entries(list).map(([text, release]): RpmdbPackage => {
    const nevra = parseNevra(text);
    if (!nevra) throw new Error(text);
    const provides = [
      { name: nevra.name, flags: 'EQ' as const, evr: '1' },
      ...(release ? [{ name: 'kernel-uname-r', flags: 'EQ' as const, evr: release }] : []),
    ];
    return { nevra, provides: how === 'rpm' ? provides : [], hasFiles: how === 'rpm' ? true : null };
  });
  return { how, path: 'var/lib/rpm', packages, notices: [] };
}

const NONE = rpmdb('rpm', {});
const releases = (db: Rpmdb, host = NOWHERE) =>
  installedKernels(new Root(top), db, host).map(({ release }) => String(release));

describe('from the rpm database', () => {
  test('by what provides kernel-uname-r, of any flavour', () => {
    const db = rpmdb('rpm', {
      'kernel-core-5.14.0-1.el9.x86_64': '5.14.0-1.el9.x86_64',
      'kernel-rt-core-5.14.0-1.el9.x86_64': '5.14.0-1.el9.x86_64+rt',
      'kernel-64k-core-5.14.0-1.el9.aarch64': '5.14.0-1.el9.aarch64+64k',
      'kernel-core-1:6.12.0-5.amzn2023.x86_64': '6.12.0-5.amzn2023.x86_64',
      'kernel-5.14.0-1.el9.x86_64': null,
      'kernel-modules-5.14.0-2.el9.x86_64': null,
      'bash-5.1-1.el9.x86_64': null,
    });
    expect(releases(db)).toEqual([
      '5.14.0-1.el9.aarch64+64k',
      '5.14.0-1.el9.x86_64',
      '5.14.0-1.el9.x86_64+rt',
      '6.12.0-5.amzn2023.x86_64',
    ]);
  });

  test('by name where the provides are not known', () => {
    files('lib/modules/5.14.0-1.el9.x86_64+rt/modules.builtin');
    const db = rpmdb('parser', {
      'kernel-core-5.14.0-1.el9.x86_64': null,
      'kernel-rt-core-5.14.0-1.el9.x86_64': null,
      'kernel-rt-core-4.18.0-305.rt7.72.el8.x86_64': null,
      'kernel-3.10.0-1160.el7.x86_64': null,
      'kernel-uek-core-5.15.0-1.el9uek.x86_64': null,
      'kernel-headers-5.14.0-3.el9.x86_64': null,
      'kernel-tools-5.14.0-3.el9.x86_64': null,
      'kernel-rt-debug-devel-5.14.0-3.el9.x86_64': null,
    });
    expect(releases(db)).toEqual([
      '3.10.0-1160.el7.x86_64',
      '4.18.0-305.rt7.72.el8.x86_64',
      '5.14.0-1.el9.x86_64',
      '5.14.0-1.el9.x86_64+rt',
      '5.15.0-1.el9uek.x86_64',
    ]);
  });

  test('a release that could be a path is left out', () => {
    expect(releases(rpmdb('rpm', { 'kernel-core-5-1.x86_64': '../../etc' }))).toEqual([]);
  });
});

describe('from the module directories', () => {
  test.each([
    ['lib/modules/5.14.0-1.el9.x86_64/vmlinuz', true],
    ['usr/lib/modules/5.14.0-1.el9.x86_64/modules.builtin', true],
    ['lib/modules/5.14.0-1.el9.x86_64/weak-updates/x.ko', false],
    ['lib/modules/not a release/vmlinuz', false],
  ])('%s: %s', (file, counts) => {
    files(file);
    expect(releases(NONE)).toEqual(counts ? ['5.14.0-1.el9.x86_64'] : []);
  });

  test('a directory counts when the kernel is in /boot', () => {
    files('lib/modules/5.14.0-1.el9.x86_64/x', 'boot/vmlinuz-5.14.0-1.el9.x86_64');
    expect(releases(NONE)).toEqual(['5.14.0-1.el9.x86_64']);
  });
});

test('one kernel found in several places is one kernel', () => {
  files('lib/modules/5.14.0-1.el9.x86_64/vmlinuz', 'usr/lib/modules/5.14.0-1.el9.x86_64/vmlinuz');
  const db = rpmdb('rpm', { 'kernel-core-5.14.0-1.el9.x86_64': '5.14.0-1.el9.x86_64' });
  const host = { live: true, uname: '5.14.0-1.el9.x86_64', arch: 'x86_64' };
  expect(installedKernels(new Root(top), db, host)).toEqual([
    {
      release: '5.14.0-1.el9.x86_64',
      arch: 'x86_64',
      running: true,
      defaultBoot: null,
      foundIn: ['rpm', 'modules', 'running'],
      packageName: 'kernel-core',
    },
  ]);
});

test('the running kernel counts where it lives, and nowhere else', () => {
  const uname = '6.5.6-300.fc39.x86_64';
  expect(releases(NONE, { live: true, uname, arch: 'x86_64' })).toEqual([uname]);
  files(`lib/modules/${uname}/vmlinuz`);
  const [kernel] = installedKernels(new Root(top), NONE, { live: false, uname, arch: 'x86_64' });
  expect(kernel?.running).toBe(false);
});

describe('the kernel that boots next', () => {
  const K = ['5.14.0-1.el9.x86_64', '5.14.0-2.el9.x86_64', '5.14.0-10.el9.x86_64'];
  const ID = '0123456789abcdef0123456789abcdef';
  const entry = (release: string) =>
    `title Red Hat Enterprise Linux (${release}) 9.4\nversion ${release}\nlinux /vmlinuz-${release}\noptions $kernelopts\n`;
  const put = (name: string, text: string) => {
    files(name);
    writeFileSync(path.join(top, name), text);
  };
  const next = () =>
    installedKernels(new Root(top), NONE, NOWHERE)
      .filter(({ defaultBoot }) => defaultBoot)
      .map(({ release }) => String(release));

  beforeEach(() => {
    for (const release of K) {
      files(`lib/modules/${release}/vmlinuz`);
      put(`boot/loader/entries/${ID}-${release}.conf`, entry(release));
    }
    put(`boot/loader/entries/${ID}-0-rescue.conf`, 'title rescue\nversion 0-rescue\n');
  });

  test.each([
    ['an entry', `saved_entry=${ID}-${K[0]}`, [K[0]]],
    ['an entry for one boot', `saved_entry=${ID}-${K[0]}\nnext_entry=${ID}-${K[1]}`, [K[1]]],
    ['an empty next_entry', `saved_entry=${ID}-${K[0]}\nnext_entry=`, [K[0]]],
    ['a number, highest version first', 'saved_entry=0', [K[2]]],
    ['another number', 'saved_entry=2', [K[0]]],
    ['a title', `saved_entry=Red Hat Enterprise Linux (${K[1]}) 9.4`, [K[1]]],
    ['an entry that is gone', `saved_entry=${ID}-9.9.9`, []],
    ['the rescue kernel', `saved_entry=${ID}-0-rescue`, []],
    ['nothing', '# GRUB Environment Block', []],
  ])('%s', (_, environment, expected) => {
    put('boot/grub2/grubenv', `# GRUB Environment Block\n${environment}\n${'#'.repeat(100)}`);
    expect(next()).toEqual(expected);
    const told = installedKernels(new Root(top), NONE, NOWHERE).map(({ defaultBoot }) => defaultBoot);
    expect(told.every((one) => one === null)).toBe(expected.length === 0);
  });

  test('without entries, by the title of el7', () => {
    rmSync(path.join(top, 'boot/loader'), { recursive: true });
    put('boot/grub2/grubenv', `saved_entry=Red Hat Enterprise Linux Server (${K[1]}) 7.9 (Maipo)\n`);
    expect(next()).toEqual([K[1]]);
  });

  test('no environment block: not known', () => expect(next()).toEqual([]));
});

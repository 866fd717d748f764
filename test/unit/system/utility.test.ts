// The kpatch utility of a root: the vendor's, and never ourselves under its name.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseNevra } from '../../../src/domain/nevra.ts';
import { Root } from '../../../src/host/root.ts';
import type { Rpmdb } from '../../../src/observe/system/rpmdb.ts';
import { installedUtility } from '../../../src/observe/system/utility.ts';

let top: string;
beforeEach(() => {
  top = mkdtempSync(path.join(os.tmpdir(), 'kpm-utility-'));
  mkdirSync(path.join(top, 'usr/sbin'), { recursive: true });
});
afterEach(() => rmSync(top, { recursive: true }));

const rpmdb = (...names: string[]): Rpmdb => ({
  how: 'rpm',
  path: 'var/lib/rpm',
  packages: names.map((name) => ({ nevra: parseNevra(name) as never, provides: [], hasFiles: true })),
  notices: [],
});

test('the utility of the vendor', () => {
  writeFileSync(path.join(top, 'usr/sbin/kpatch'), '');
  expect(installedUtility(new Root(top), rpmdb('kpatch-0.9.7-3.el9.noarch'))).toEqual({
    version: '0.9.7-3.el9',
    path: '/usr/sbin/kpatch',
  });
});

test('kpatch-pm-kpatch is no utility to load through: it would wait for the lock of the run that calls it', () => {
  mkdirSync(path.join(top, 'usr/libexec/kpatch-pm'), { recursive: true });
  writeFileSync(path.join(top, 'usr/libexec/kpatch-pm/kpatch'), '');
  chmodSync(path.join(top, 'usr/libexec/kpatch-pm/kpatch'), 0o755);
  symlinkSync('../libexec/kpatch-pm/kpatch', path.join(top, 'usr/sbin/kpatch'));
  expect(installedUtility(new Root(top), rpmdb('kpatch-pm-kpatch-0.1.0-1.noarch'))).toEqual({
    version: null,
    path: null,
  });
});

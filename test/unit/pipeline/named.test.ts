// Package files that are named by their path: what memory has no room for is read again when it is taken, and must then
// still be what was looked at.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { carryOut } from '../../../src/pipeline.ts';
import { rootForEach } from '../../support/hooks.ts';
import { largePackage } from '../../support/large.ts';
import { listener, machineOver } from '../../support/machine.ts';
import { request } from '../../support/verb-runs.ts';

const KERNEL = '5.14.0-1.el9.x86_64';
const { file, data, bytes } = largePackage(KERNEL, Buffer.alloc(20 * 1024 * 1024, 'ballast'));
const root = rootForEach(() => ({ kernels: [KERNEL], rpmdb: false, repos: '' }));
const placed = () => root.at(`var/lib/kpatch/${KERNEL}/${file}`);
let directory: string;
let named: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-named-'));
  named = path.join(directory, 'large.rpm');
  writeFileSync(named, bytes);
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Installs the named file; `meanwhile` is done while somebody thinks about the question. */
async function install(meanwhile: () => void) {
  const plain = request('install', [named]);
  const asked = { ...plain, config: { ...plain.config, nogpgcheck: true } };
  const { report } = await carryOut(machineOver(root.path), asked, listener(), async () => {
    meanwhile();
    return true;
  });
  return report?.outcomes.find(({ outcome }) => outcome !== 'not-run');
}

test('a large file is read again', async () => {
  expect(await install(() => undefined)).toMatchObject({ outcome: 'done' });
  expect(readFileSync(placed()).equals(data)).toBe(true);
});

test.each([
  ['changed', () => writeFileSync(named, largePackage(KERNEL, Buffer.alloc(20 * 1024 * 1024, 'other')).bytes)],
  ['cut off', () => writeFileSync(named, bytes.subarray(0, 5000))],
])('one that was %s meanwhile is refused', async (_, meanwhile) => {
  expect(await install(meanwhile)).toMatchObject({ outcome: 'failed', error: { code: 'package-mismatch' } });
  expect(existsSync(placed())).toBe(false);
});

test('one that is gone meanwhile is refused', async () => {
  const outcome = await install(() => rmSync(named));
  expect(outcome).toMatchObject({ outcome: 'failed', error: { code: 'file-unreadable' } });
  expect(existsSync(placed())).toBe(false);
});

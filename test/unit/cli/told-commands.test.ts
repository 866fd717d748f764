// Commands that a screen tells of another root are typed for that root.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { main } from '../../../src/cli/main.ts';
import { surroundings } from '../../support/surroundings.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'kpm-told-'));
  const state = path.join(root, 'var/lib/kpatch-pm');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const entry = { module: 'm', kernel: '5.14.0-1.el9.x86_64', file: 'm.ko', sha256: '00', package: null };
  const modules = [{ ...entry, since: '2026-01-01T00:00:00.000Z', why: 'it crashed' }];
  writeFileSync(path.join(state, 'quarantine.json'), JSON.stringify({ format: 1, modules }), { mode: 0o600 });
});
afterAll(() => rmSync(root, { recursive: true }));

test('quarantine', async () => {
  const around = surroundings({ hostPath: root });
  expect(await main(['--installroot', root, 'quarantine'], around)).toBe(0);
  expect(around.stdout.text).toContain(`kpatch-pm --installroot ${root} quarantine clear m\n`);
});

test('kernels, where no repository can be read', async () => {
  const url = '--repofrompath=gone,/nowhere';
  const around = surroundings({ hostPath: root });
  mkdirSync(path.join(root, 'lib/modules/5.14.0-427.13.1.el9_4.x86_64'), { recursive: true });
  writeFileSync(path.join(root, 'lib/modules/5.14.0-427.13.1.el9_4.x86_64/vmlinuz'), '');
  expect(await main(['--installroot', root, url, 'kernels'], around)).toBe(0);
  expect(around.stdout.text.replace(/\s+/g, ' ')).toContain(`run \`kpatch-pm --installroot ${root} makecache\``);
});

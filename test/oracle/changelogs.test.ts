// Changelogs out of a real rpm database, and what our receipts keep: the same fixes, and the same signer.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { installSteps } from '../../src/apply/transactions.ts';
import { changelogFixes, cvesOf } from '../../src/formats/rpm/fixes.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { rpmChangelogs } from '../../src/observe/system/changelogs.ts';
import { readReceipts } from '../../src/state/receipts.ts';
import { FIXTURES, matrixCells, type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { machineOver } from '../support/machine.ts';
import { levelRequest } from '../support/packages.ts';
import { needs } from '../support/programs.ts';
import { changingRun } from '../support/transactions.ts';

const NAME = 'kpatch-patch-5_14_0-427_13_1';
let root: ScratchRoot;
beforeAll(() => {
  root = scratchRoot();
});
afterAll(() => root.remove());
const machine = () => machineOver(root.path);

needs('rpm')('the rpm database', () => {
  test('keeps the whole changelog and who signed it', async () => {
    const file = path.join(FIXTURES, 'el9', 'Packages', `${NAME}-1-2.el9_4.x86_64.rpm`);
    const args = ['-i', '--justdb', '--nodeps', '--nosignature', '--noscripts', '--notriggers', file];
    spawnSync('rpm', ['--dbpath', root.at('var/lib/rpm'), ...args], {
      env: { PATH: process.env.PATH, HOME: root.path },
    });
    const [kept, ...more] = await rpmChangelogs(machine().root, machine().run, [NAME, 'nobody', '--eval=%(id)']);
    expect(more).toEqual([]);
    expect(kept?.package).toEqual({ name: NAME, epoch: 0, version: '1', release: '2.el9_4', arch: 'x86_64' });
    expect(kept?.keyid).toBe('0F6AB0C2B5D41D1B');
    const { changelog } = (await levelRequest('1-2')).verified;
    expect(kept?.entries).toEqual(changelog);
    expect(cvesOf(changelogFixes(kept?.entries ?? []))).toEqual(['CVE-2024-90001', 'CVE-2024-90002']);
  });

  test('a package that nobody signed has no key', async () => {
    const bare = scratchRoot();
    const unsigned = matrixCells().find(({ key, signature }) => key === null && signature === 'unsigned');
    const file = path.join(FIXTURES, 'matrix', unsigned?.file ?? 'no unsigned package');
    const args = ['-i', '--justdb', '--nodeps', '--nosignature', '--noscripts', '--notriggers', file];
    const env = { PATH: process.env.PATH, HOME: bare.path };
    expect(spawnSync('rpm', ['--dbpath', bare.at('var/lib/rpm'), ...args], { env }).status).toBe(0);
    const over = machineOver(bare.path);
    const name = parseRpm(readFileSync(file)).nevra.name;
    const [kept] = await rpmChangelogs(over.root, over.run, [name]);
    expect([kept?.package.name, kept?.keyid]).toEqual([name, null]);
    bare.remove();
  });
});

test('no database, or nothing asked: no changelogs', async () => {
  const bare = scratchRoot({ rpmdb: false });
  expect(await rpmChangelogs(machineOver(bare.path).root, machineOver(bare.path).run, [NAME])).toEqual([]);
  expect(await rpmChangelogs(machine().root, machine().run, [])).toEqual([]);
  bare.remove();
});

test('a receipt keeps the changelog of its package', async () => {
  const bare = scratchRoot({ rpmdb: false });
  const over = machineOver(bare.path);
  await changingRun(over, installSteps(await levelRequest('1-2')));
  const [receipt] = readReceipts(over.root, over.uid);
  expect(cvesOf(changelogFixes(receipt?.changelog ?? []))).toEqual(['CVE-2024-90001', 'CVE-2024-90002']);
  expect([receipt?.earlier, receipt?.signer?.keyid]).toEqual([[], '0F6AB0C2B5D41D1B']);
  bare.remove();
});

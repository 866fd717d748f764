// Somebody else gets his hands on our directory, or on one above it: nothing in it is believed, replayed or written, the run
// says whose it is in one sentence, and what changes while a run is under way is seen at the next use.
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { openPartial } from '../../src/apply/partial.ts';
import { installSteps } from '../../src/apply/transactions.ts';
import { main } from '../../src/cli/main.ts';
import { Root } from '../../src/host/root.ts';
import { KERNELS } from '../support/fixtures.ts';
import { rootForEach } from '../support/hooks.ts';
import { levelRequest } from '../support/packages.ts';
import { needsThat } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';
import { changingRun, machineOver } from '../support/transactions.ts';
import { treeOf } from '../support/tree.ts';

const { K1 } = KERNELS;
const STATE = 'var/lib/kpatch-pm';
const MALLORY = 4242;
const root = rootForEach(() => ({ rpmdb: false }));
beforeEach(async () => {
  await changingRun(machineOver(root.path), null);
});

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const around = surroundings({ hostPath: '/' });
  const status = await main([...args, '--installroot', root.path, '-C'], around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}

/** A journal that would change a file of the system, were it replayed. */
function plantJournal(): void {
  const step = { do: 'setting', path: 'etc/passwd', before: null, text: 'mallory::0:0::/:/bin/sh\n', mode: 0o644 };
  const journal = {
    format: 1,
    command: 'kpatch-pm auto',
    since: '2026-01-01T00:00:00.000Z',
    by: '0.1.0',
    steps: [step],
  };
  writeFileSync(root.at(`${STATE}/journal.json`), JSON.stringify(journal), { mode: 0o600 });
}

needsThat(process.getuid?.() === 0, 'root, to give files to other users')('somebody else', () => {
  const spoils: [string, () => void, RegExp][] = [
    ['owns the directory', () => chownSync(root.at(STATE), MALLORY, 0), /kpatch-pm belongs to user 4242\./],
    ['owns the one above', () => chownSync(root.at('var/lib'), MALLORY, 0), /var\/lib belongs to user 4242\./],
    [
      'may write into the one above, by its group',
      () => {
        chownSync(root.at('var/lib'), 0, MALLORY);
        chmodSync(root.at('var/lib'), 0o775);
      },
      /var\/lib may be written by others\./,
    ],
    [
      'may write into the one above, as everybody',
      () => chmodSync(root.at('var'), 0o1777),
      /var may be written by others\./,
    ],
    [
      'put a link in its place',
      () => {
        renameSync(root.at(STATE), root.at('var/theirs'));
        chownSync(root.at('var/theirs'), MALLORY, 0);
        symlinkSync('../theirs', root.at(STATE));
      },
      /belongs to user 4242\.|kpatch-pm is a link\./,
    ],
    [
      'owns the link that leads there',
      () => {
        renameSync(root.at('var/lib'), root.at('var/real'));
        symlinkSync('real', root.at('var/lib'));
        lchownSync(root.at('var/lib'), MALLORY, 0);
      },
      /var\/lib belongs to user 4242\./,
    ],
  ];

  test.each(spoils)('%s: no verb that changes something goes on', async (_, spoil, why) => {
    plantJournal();
    spoil();
    const was = treeOf(root.path);
    for (const verb of [
      ['auto', '-y'],
      ['install', '-y'],
      ['remove', '-y', 'kpatch-patch-5_14_0-427_13_1'],
      ['manual'],
    ]) {
      const { status, err } = await run(...verb);
      expect([verb[0], status]).toEqual([verb[0], 1]);
      expect(err.split('\n').filter((line) => line.startsWith('Error: '))).toEqual([expect.stringMatching(why)]);
      expect(err).not.toMatch(/^\s+at |should not/m);
    }
    expect(treeOf(root.path)).toEqual(was);
    expect(existsSync(root.at('etc/passwd'))).toBe(false);
  });

  test.each(spoils)('%s: its receipts are not believed', async (_, spoil) => {
    await changingRun(machineOver(root.path), installSteps(await levelRequest('1-1')));
    const kernels = async () =>
      (
        JSON.parse((await run('status', '--json')).out) as {
          kernels: { release: string; installed: { source: string }[] }[];
        }
      ).kernels
        .find(({ release }) => release === K1)
        ?.installed.map(({ source }) => source);
    expect(await kernels()).toEqual(['kpatch-pm']);
    spoil();
    expect(await kernels()).not.toContain('kpatch-pm');
  });
});

describe('while a run is under way', () => {
  test.each([
    ['after the lock was taken', 'var/lib/kpatch-pm/staging'],
    ['after the bytes were staged', 'var/lib/kpatch-pm/journal.json'],
  ])('opened to others %s: the next use sees it', async (_, moment) => {
    const before = treeOf(root.path).filter((line) => line.startsWith('var/lib/kpatch/'));
    const spoiling = machineOver(root.path, (_what, relative) => {
      if (relative === moment) chmodSync(root.at('var/lib'), 0o777);
    });
    const first = changingRun(spoiling, installSteps(await levelRequest('1-1')));
    // What was staged and committed by this very run is finished; what another run would replay is not.
    await first.catch(() => undefined);
    await expect(changingRun(machineOver(root.path), null)).rejects.toMatchObject({ code: 'state-unsafe' });
    chmodSync(root.at('var/lib'), 0o755);
    await changingRun(machineOver(root.path), null);
    const after = treeOf(root.path).filter((line) => line.startsWith('var/lib/kpatch/'));
    expect([before.length, before.length + 2]).toContain(after.length);
  });
});

describe('a download', () => {
  const place = () => ({ root: new Root(root.path), base: 'var/cache/kpatch-pm', mode: 0o755 });
  const part = 'var/cache/kpatch-pm/k/packages/p.rpm.part';
  beforeEach(() => {
    mkdirSync(path.dirname(root.at(part)), { recursive: true });
  });

  test('goes on in its own file', () => {
    writeFileSync(root.at(part), 'begun ');
    const partial = openPartial(place(), 'k/packages/p.rpm');
    partial.append(Buffer.from('and ended'));
    partial.commit();
    partial.close();
    expect(readFileSync(root.at('var/cache/kpatch-pm/k/packages/p.rpm'), 'utf8')).toBe('begun and ended');
  });

  test.each<[string, (victim: string) => void]>([
    ['a second name of another file', (victim: string) => linkSync(victim, root.at(part))],
    ['a link', (victim: string) => symlinkSync(victim, root.at(part))],
  ])('%s in its place is not written through', (_, plant) => {
    const victim = root.at('etc/victim');
    writeFileSync(victim, 'untouched');
    plant(victim);
    const partial = openPartial(place(), 'k/packages/p.rpm');
    partial.append(Buffer.from('package'));
    expect(partial.bytes().toString()).toBe('package');
    partial.commit();
    partial.close();
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
  });
});

test('it is told once, however many readers stumble over it', async () => {
  chmodSync(root.at(STATE), 0o777);
  const { err } = await run('status');
  expect(err.match(/may be written by others/g)).toHaveLength(1);
});

// Writing an archive where there is no room for it, or where what goes into it cannot be read: the cause is told, whatever
// it makes fail after it, and nothing is left behind.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { Root } from '../../../src/host/root.ts';
import { type ArchiveEntry, writeArchive } from '../../../src/usecases/bundle/archive.ts';
import { Mounts, mayMount } from '../../support/mounts.ts';
import { needsThat } from '../../support/programs.ts';

const mounts = new Mounts();
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-archive-'));
});
afterEach(() => {
  mounts.unmount();
  rmSync(directory, { recursive: true, force: true });
});
afterAll(() => mounts.unmount());

const entry = (name: string, read: () => Promise<Buffer> = async () => Buffer.alloc(10_000, name)): ArchiveEntry => ({
  name,
  read,
});
const write = (entries: readonly ArchiveEntry[]): Promise<void> =>
  writeArchive(new Root('/'), `${directory}/a.tar`, entries, 0, false);

needsThat(mayMount(), 'the right to mount')('on a full disk', () => {
  test.each(['4k', '8k', '12k', '16k', '24k', '32k'])('of %s', async (size) => {
    mounts.tmpfs(directory, `size=${size}`);
    await expect(write(['a', 'b', 'c', 'd'].map((name) => entry(name)))).rejects.toMatchObject({ code: 'no-space' });
    expect(readdirSync(directory)).toEqual([]);
  });
});

test.each([0, 1, 2])('entry %i cannot be read', async (bad) => {
  const why = new KpmError('blob-missing', { text: 'It is gone.' });
  const entries = ['a', 'b', 'c'].map((name, n) => entry(name, n === bad ? () => Promise.reject(why) : undefined));
  await expect(write(entries)).rejects.toBe(why);
  expect(readdirSync(directory)).toEqual([]);
});

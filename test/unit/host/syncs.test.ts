// Syncing once for many changes: what is synced when, and that nothing is forgotten where it fails.
import fs, { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';

let directory: string;
let root: Root;
/** What was synced, below the root, in order; a file that is still called by its temporary name as `*`. */
let synced: string[];
let failing: RegExp | null;
beforeEach(() => {
  directory = fs.realpathSync(mkdtempSync(path.join(os.tmpdir(), 'kpm-syncs-')));
  root = new Root(directory);
  synced = [];
  failing = null;
  const note = (fd: number): Error | null => {
    const real = path.relative(directory, fs.readlinkSync(`/proc/self/fd/${fd}`)) || '.';
    const name = real.replace(/[^/]+\.tmp$/, '*');
    if (failing?.test(name))
      return Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO', syscall: 'fsync' });
    synced.push(name);
    return null;
  };
  const { fsyncSync, fsync } = fs;
  jest.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
    const error = note(fd);
    if (error) throw error;
    fsyncSync(fd);
  });
  jest.spyOn(fs, 'fsync').mockImplementation(((fd: number, told: fs.NoParamCallback) => {
    const error = note(fd);
    if (error) setImmediate(told, error);
    else fsync(fd, told);
  }) as never);
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

const write = (name: string, durable: boolean | 'together' = true): void => root.write(name, name, { durable });
/** Open descriptors of what lies in the directory, or lay there. */
const open = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
    } catch {
      // The one by which they were listed.
      return false;
    }
  }).length;

test('by itself a change is synced at once: the file, then its directory', () => {
  root.mkdirs('a');
  write('a/x');
  expect(synced).toEqual(['.', 'a/*', 'a']);
  write('a/y', 'together');
  expect(synced.slice(3)).toEqual(['a/*', 'a']);
});

test('together, a directory is synced once for all its changes, after the contents', async () => {
  root.mkdirs('a');
  root.mkdirs('b');
  synced = [];
  await root.syncs.together(async () => {
    write('b/1');
    write('a/1', 'together');
    write('a/2', 'together');
    write('b/2');
    root.remove('a/1');
    // The content of what replaces a file at once is synced before it has its name.
    expect(synced).toEqual(['b/*', 'b/*']);
    await root.syncs.settle();
    expect(synced.slice(2)).toEqual([expect.stringMatching(/^a\/1/), 'a/2', 'b', 'a']);
    await root.syncs.settle();
    expect(synced).toHaveLength(6);
    root.rename('a/2', 'b/3');
  });
  expect(synced.slice(6)).toEqual(['b', 'a']);
  write('a/3');
  expect(synced.slice(8)).toEqual(['a/*', 'a']);
});

test('inside of another, the outer one ends it', async () => {
  await root.syncs.together(async () => {
    await root.syncs.together(async () => root.mkdirs('a'));
    expect(synced).toEqual([]);
  });
  expect(synced).toEqual(['.']);
});

test('what waits is synced too when the work fails, and its own error is told', async () => {
  const work = root.syncs.together(async () => {
    root.mkdirs('a');
    throw new Error('of the work');
  });
  await expect(work).rejects.toThrow('of the work');
  expect(synced).toEqual(['.']);
});

test('what is more than a process may hold open is synced at once, and no descriptor is left', async () => {
  const before = open();
  await root.syncs.together(async () => {
    for (let n = 0; n < 300; n++) write(`${n}`, 'together');
    expect(open() - before).toBeLessThan(140);
  });
  // By its temporary name, or later by its own: every file; and the directory behind the last of them.
  expect(synced.filter((name) => name !== '.')).toHaveLength(300);
  expect(synced.at(-1)).toBe('.');
  expect(open()).toBe(before);
});

test('where one cannot be synced the others are, and the error names it; no descriptor is left', async () => {
  for (const name of ['a', 'b', 'c']) root.mkdirs(name);
  synced = [];
  const before = open();
  failing = /^b$/;
  const work = root.syncs.together(async () => {
    for (const name of ['a', 'b', 'c']) write(`${name}/x`);
  });
  await expect(work).rejects.toMatchObject({
    code: 'file-unwritable',
    message: `${directory}/b could not be written: i/o error.`,
  });
  expect(synced.filter((name) => !name.includes('*'))).toEqual(['a', 'c']);
  expect(open()).toBe(before);
});

test("a file that comes when those before it cannot be synced is told of in the disk's words", async () => {
  const before = open();
  const work = root.syncs.together(async () => {
    for (let n = 0; n < 300; n++) {
      failing = n > 100 ? /^\d+$/ : null;
      write(`${n}`, 'together');
    }
  });
  await expect(work).rejects.toMatchObject({ code: 'file-unwritable', message: expect.stringContaining('i/o error') });
  expect(open()).toBe(before);
});

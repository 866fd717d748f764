// What was verified, until it is installed: in memory while there is little, else in files of ours, which a transaction
// takes over by a second name.
import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { recover, runTransaction } from '../../../src/apply/install.ts';
import { Spool } from '../../../src/apply/spool.ts';
import { type InstallRequest, installSteps } from '../../../src/apply/transactions.ts';
import { roomAt } from '../../../src/host/room.ts';
import { Root } from '../../../src/host/root.ts';
import { openState } from '../../../src/state/directory.ts';
import { lockState } from '../../../src/state/lock.ts';
import type { BlobSource } from '../../../src/state/steps.ts';
import { withFault } from '../../support/faults.ts';
import { rootForEach } from '../../support/hooks.ts';
import { listener, machineOver } from '../../support/machine.ts';
import { extractedLevel, K1, levelRequest } from '../../support/packages.ts';

const root = rootForEach();
const SPOOL = 'var/lib/kpatch-pm/spool';
const STAGING = 'var/lib/kpatch-pm/staging';
const MODULE = 'kpatch-5_14_0-427_13_1-1-2.ko';

const extracted = () => extractedLevel('1-2');
const sources = ({ verified, modules }: Awaited<ReturnType<Spool['keep']>>): BlobSource[] => [
  verified.source,
  ...modules.map(({ source }) => source),
];

/** Notes what is synced, in order, while work is done. */
async function withSyncs<T>(synced: string[], work: () => Promise<T>): Promise<T> {
  const real = fs.fsync;
  const spy = jest.spyOn(fs, 'fsync').mockImplementation(((fd: number, done: fs.NoParamCallback) => {
    synced.push(path.relative(root.path, readlinkSync(`/proc/self/fd/${fd}`)));
    real(fd, done);
  }) as typeof fs.fsync);
  try {
    return await work();
  } finally {
    spy.mockRestore();
  }
}

/** What installs 1-2 for K1, its bytes in files. */
async function spooledRequest(spool: Spool): Promise<InstallRequest> {
  return { ...(await levelRequest('1-2')), ...(await spool.keep(await extracted())) };
}

describe('the spool', () => {
  test('keeps little in memory, and touches no file', async () => {
    openState(machineOver(root.path));
    const kept = await new Spool(new Root(root.path)).keep(await extracted());
    expect(sources(kept).map(({ file }) => file)).toEqual([null, null]);
    expect(() => statSync(root.at(SPOOL))).toThrow('ENOENT');
  });

  test('keeps in files what memory has no room for, with the attributes they will have', async () => {
    openState(machineOver(root.path));
    const content = await extracted();
    const [module] = content.modules;
    // Room for the package, not for its module as well.
    const spool = new Spool(new Root(root.path), { inMemory: content.verified.pkg.bytes.length });
    const kept = await spool.keep(content);
    expect(sources(kept).map(({ file }) => file)).toEqual([
      `${SPOOL}/${content.verified.sha256}`,
      `${SPOOL}/${module?.sha256}`,
    ]);
    expect(kept.modules[0]).not.toHaveProperty('bytes');
    expect(sources(kept).map((source) => source.read())).toEqual([content.verified.pkg.bytes, module?.bytes]);
    expect(sources(kept).map(({ size }) => size)).toEqual([content.verified.pkg.bytes.length, module?.size]);
    const there = statSync(root.at(`${SPOOL}/${module?.sha256}`));
    expect([there.mode & 0o7777, there.mtimeMs / 1000]).toEqual([module?.mode, module?.mtime]);
    expect(statSync(root.at(SPOOL)).mode & 0o7777).toBe(0o700);
    // What comes next may still find room.
    const empty = await spool.keep(await extractedLevel('empty'));
    expect(sources(empty).map(({ file }) => file)).toEqual([null]);
    expect(spool.close()).toBeNull();
    expect(() => statSync(root.at(SPOOL))).toThrow('ENOENT');
    // A run that ends does not begin anew.
    expect(sources(await spool.keep(content)).map(({ file }) => file)).toEqual([null, null]);
  });

  test('files are synced, contents before names, before what was kept is given', async () => {
    openState(machineOver(root.path));
    const content = await extracted();
    const synced: string[] = [];
    await withSyncs(synced, () => new Spool(new Root(root.path), { inMemory: 0 }).keep(content));
    const hashes = [content.verified.sha256, content.modules[0]?.sha256];
    expect(synced).toEqual([...hashes.map((hash) => `${SPOOL}/${hash}`), SPOOL]);
  });

  test('leaves room for what the plan will write', async () => {
    openState(machineOver(root.path));
    const { bytes } = roomAt(new Root(root.path), 'var');
    const spool = new Spool(new Root(root.path), { inMemory: 0, reserve: bytes });
    expect(sources(await spool.keep(await extracted())).map(({ file }) => file)).toEqual([null, null]);
  });

  test('a file that is not what was written is never taken', async () => {
    openState(machineOver(root.path));
    const [, source] = sources(await new Spool(new Root(root.path), { inMemory: 0 }).keep(await extracted()));
    const file = root.at(source?.file ?? '');
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]));
    expect(() => source?.read()).toThrow(expect.objectContaining({ code: 'blob-missing' }));
    truncateSync(file, 10);
    expect(() => source?.read()).toThrow(expect.objectContaining({ code: 'blob-missing' }));
  });

  test('what cannot be removed is no error of what was done', async () => {
    openState(machineOver(root.path));
    const spool = new Spool(new Root(root.path), { inMemory: 0 });
    await spool.keep(await extracted());
    const fault = { at: 1, errno: 'EIO', kind: 'change', lasting: true, only: /^unlinkSync .*spool/ } as const;
    const { ended } = await withFault(root.path, fault, async () => spool.close());
    expect(ended).toMatchObject({ value: { code: 'file-unwritable' } });
    const unread = { at: 1, errno: 'EIO', kind: 'look', lasting: true, only: /^readdirSync .*spool/ } as const;
    expect((await withFault(root.path, unread, async () => spool.close())).ended).toMatchObject({
      value: { code: 'file-unreadable' },
    });
    expect(spool.close()).toBeNull();
    expect(() => statSync(root.at(SPOOL))).toThrow('ENOENT');
  });

  test.each([
    ['written', 'ENOSPC', /spool/],
    ['synced', 'EIO', /^fsync .*spool\/[0-9a-f]{64}/],
  ] as const)('what cannot be %s stays in memory, and leaves nothing', async (_, errno, only) => {
    openState(machineOver(root.path));
    const content = await extracted();
    const spool = new Spool(new Root(root.path), { inMemory: 0 });
    const fault = { at: 1, errno, kind: 'change', lasting: errno === 'ENOSPC', only } as const;
    const { failed, ended } = await withFault(root.path, fault, () => spool.keep(content));
    expect(failed).toContain('spool');
    if ('error' in ended) throw ended.error;
    expect(sources(ended.value).map(({ file }) => file)).toEqual([null, null]);
    expect(ended.value.modules[0]?.source.read()).toEqual(content.modules[0]?.bytes);
    expect(existsSync(root.at(SPOOL)) ? readdirSync(root.at(SPOOL)) : []).toEqual([]);
  });

  test('of two at once the one whose file cannot be synced stays in memory', async () => {
    openState(machineOver(root.path));
    const spool = new Spool(new Root(root.path), { inMemory: 0 });
    const both = [await extracted(), await extractedLevel('1-1')];
    const fault = { at: 1, errno: 'EIO', kind: 'change', lasting: false, only: /^fsync .*spool/ } as const;
    const { ended } = await withFault(root.path, fault, () => Promise.all(both.map((one) => spool.keep(one))));
    if ('error' in ended) throw ended.error;
    expect(ended.value.map((kept) => kept.verified.source.file === null)).toEqual([true, false]);
  });
});

describe('a transaction with files of the spool', () => {
  async function run(begin: (spool: Spool) => void = () => undefined): Promise<{ readonly changes: string[] }> {
    const changes: string[] = [];
    const machine = machineOver(root.path, (what, at) => void changes.push(`${what} ${at}`));
    const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'kpatch-pm test' });
    const spool = new Spool(machine.root, { inMemory: 0 });
    try {
      const { steps, blobs } = installSteps(await spooledRequest(spool));
      begin(spool);
      await withSyncs(changes, () => runTransaction(machine, locked, steps, blobs));
    } finally {
      locked.release();
      spool.close();
    }
    return { changes };
  }

  test('gives them a second name in place of writing them again', async () => {
    const { changes } = await run();
    const [module] = (await extracted()).modules;
    expect(changes).toContain(`link ${STAGING}/${module?.sha256}`);
    expect(changes.filter((line) => line.startsWith(`write ${STAGING}`))).toEqual([]);
    // The journal relies on the name.
    const [named, synced, journal] = [
      `link ${STAGING}/${module?.sha256}`,
      STAGING,
      'write var/lib/kpatch-pm/journal.json',
    ].map((line) => changes.indexOf(line));
    expect([named, synced, journal]).toEqual([named, synced, journal].sort((a = -1, b = -1) => a - b));
    expect(named).not.toBe(-1);
    const placed = root.at(`var/lib/kpatch/${K1}/${MODULE}`);
    expect(readFileSync(placed)).toEqual(module?.bytes);
    expect(statSync(placed).nlink).toBe(1);
    expect(readdirSync(root.at('var/lib/kpatch-pm'))).not.toContain('spool');
  });

  test('that are gone ends before anything changed', async () => {
    const gone = run((spool) => void spool.close());
    await expect(gone).rejects.toMatchObject({ code: 'blob-missing' });
    expect(() => statSync(root.at(`var/lib/kpatch/${K1}`))).toThrow('ENOENT');
  });

  test('that have another mode than a step wants, or cannot have a second name, are copied', async () => {
    const machine = machineOver(root.path);
    const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'kpatch-pm test' });
    const spool = new Spool(machine.root, { inMemory: 0 });
    const { steps, blobs } = installSteps(await spooledRequest(spool));
    const [put] = steps;
    if (put?.do !== 'put') throw new Error('a put comes first');
    await runTransaction(machine, locked, [{ ...put, mode: 0o600 }], blobs);
    expect(statSync(root.at(`var/lib/kpatch/${K1}/${MODULE}`)).mode & 0o7777).toBe(0o600);
    const fault = { at: 1, errno: 'EACCES', kind: 'change', lasting: true, only: /^linkSync/ } as const;
    const { failed, ended } = await withFault(root.path, fault, () => runTransaction(machine, locked, [put], blobs));
    expect(failed).toContain('linkSync');
    expect(ended).toMatchObject({ value: { results: [{ outcome: 'done' }] } });
    expect(statSync(root.at(`var/lib/kpatch/${K1}/${MODULE}`)).mode & 0o7777).toBe(put.mode);
    spool.close();
    locked.release();
  });

  test('a run that was killed leaves files, which the next one removes', async () => {
    const machine = machineOver(root.path);
    const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'kpatch-pm test' });
    await new Spool(machine.root, { inMemory: 0 }).keep(await extracted());
    expect(readdirSync(root.at(SPOOL))).toHaveLength(2);
    await recover(machine, locked, listener());
    expect(() => statSync(root.at(SPOOL))).toThrow('ENOENT');
    // What cannot be removed is told, and holds nothing up.
    mkdirSync(root.at(`${SPOOL}/directory`), { recursive: true });
    writeFileSync(root.at(`${SPOOL}/file`), '');
    const ui = listener();
    await recover(machine, locked, ui);
    expect(ui.warnings).toEqual([
      expect.stringMatching(/^What an earlier run kept .* could not be removed: .*directory/),
    ]);
    expect(readdirSync(root.at(SPOOL))).toEqual(['directory']);
    locked.release();
  });
});

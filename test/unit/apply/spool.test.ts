// What was verified, until it is installed: in memory while there is little, else in files of ours, which a transaction
// takes over by a second name.
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { recover, runTransaction } from '../../../src/apply/install.ts';
import { Spool } from '../../../src/apply/spool.ts';
import { type InstallRequest, installSteps } from '../../../src/apply/transactions.ts';
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
    const spool = new Spool(new Root(root.path), content.verified.pkg.bytes.length);
    const kept = await spool.keep(content);
    expect(sources(kept).map(({ file }) => file)).toEqual([null, `${SPOOL}/${module?.sha256}`]);
    expect(kept.modules[0]).not.toHaveProperty('bytes');
    expect(kept.modules[0]?.source.read()).toEqual(module?.bytes);
    expect(kept.modules[0]?.source.size).toBe(module?.size);
    const there = statSync(root.at(`${SPOOL}/${module?.sha256}`));
    expect([there.mode & 0o7777, there.mtimeMs / 1000]).toEqual([module?.mode, module?.mtime]);
    expect(statSync(root.at(SPOOL)).mode & 0o7777).toBe(0o700);
    spool.close();
    expect(() => statSync(root.at(SPOOL))).toThrow('ENOENT');
  });

  test('a file that is not what was written is never taken', async () => {
    openState(machineOver(root.path));
    const [, source] = sources(await new Spool(new Root(root.path), 0).keep(await extracted()));
    const file = root.at(source?.file ?? '');
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]));
    expect(() => source?.read()).toThrow(expect.objectContaining({ code: 'blob-missing' }));
    truncateSync(file, 10);
    expect(() => source?.read()).toThrow(expect.objectContaining({ code: 'blob-missing' }));
  });

  test('what cannot be removed is no error of what was done', async () => {
    openState(machineOver(root.path));
    const spool = new Spool(new Root(root.path), 0);
    await spool.keep(await extracted());
    const fault = { at: 1, errno: 'EIO', kind: 'change', lasting: true, only: /^unlinkSync .*spool/ } as const;
    const { ended } = await withFault(root.path, fault, async () => spool.close());
    expect(ended).toMatchObject({ value: { code: 'file-unwritable' } });
    expect(spool.close()).toBeNull();
    expect(() => statSync(root.at(SPOOL))).toThrow('ENOENT');
  });

  test('what cannot be written stays in memory', async () => {
    openState(machineOver(root.path));
    const content = await extracted();
    const fault = { at: 1, errno: 'ENOSPC', kind: 'change', lasting: true, only: /spool/ } as const;
    const { failed, ended } = await withFault(root.path, fault, () => new Spool(new Root(root.path), 0).keep(content));
    expect(failed).toContain('spool');
    if ('error' in ended) throw ended.error;
    expect(sources(ended.value).map(({ file }) => file)).toEqual([null, null]);
    expect(ended.value.modules[0]?.source.read()).toEqual(content.modules[0]?.bytes);
  });
});

describe('a transaction with files of the spool', () => {
  async function run(begin: (spool: Spool) => void = () => undefined): Promise<{ readonly changes: string[] }> {
    const changes: string[] = [];
    const machine = machineOver(root.path, (what, at) => void changes.push(`${what} ${at}`));
    const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'kpatch-pm test' });
    const spool = new Spool(machine.root, 0);
    try {
      const { steps, blobs } = installSteps(await spooledRequest(spool));
      begin(spool);
      await runTransaction(machine, locked, steps, blobs);
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

  test('a run that was killed leaves files, which the next one removes', async () => {
    const machine = machineOver(root.path);
    const locked = await lockState(machine, openState(machine), { timeout: 0, command: 'kpatch-pm test' });
    await new Spool(machine.root, 0).keep(await extracted());
    expect(readdirSync(root.at(SPOOL))).toHaveLength(2);
    await recover(machine, locked, listener());
    locked.release();
    expect(() => statSync(root.at(SPOOL))).toThrow('ENOENT');
  });
});

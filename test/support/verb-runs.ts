// Whole verbs as a person types them, over a root whose changes are counted and can be stopped. The repository is that of
// the fixtures, by file:.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from '../../src/host/machine.ts';
import type { ChangeHook } from '../../src/host/root.ts';
import { realRun } from '../../src/host/run.ts';
import { carryOut, observe, type Request } from '../../src/pipeline.ts';
import { openCache, writeCached } from '../../src/state/cache.ts';
import { openState } from '../../src/state/directory.ts';
import { readHistory } from '../../src/state/history.ts';
import { readReceipts } from '../../src/state/receipts.ts';
import { writeUnattended } from '../../src/state/unattended.ts';
import { resetMachine } from '../../src/usecases/machine/reset.ts';
import { FIXTURES, KERNELS, type ScratchRoot, scratchRoot } from './fixtures.ts';
import { type Heard, listener, machineOver } from './machine.ts';
import { changingRun } from './transactions.ts';
import { treeOf } from './tree.ts';

type VerbRun = (machine: Machine, ui?: Heard) => Promise<void>;

/** What a verb asks for. */
export const request = (
  verb: Request['verb'],
  words: readonly string[] = [],
  more: Partial<Request> = {},
): Request => ({
  verb,
  config: {
    setopt: [],
    enablerepo: [],
    disablerepo: [],
    repo: [],
    repofrompath: [],
    disableexcludes: [],
    nogpgcheck: false,
  } as unknown as Request['config'],
  kernels: [],
  words,
  fixes: [],
  commandLine: [verb, ...words].join(' '),
  refresh: false,
  cacheOnly: false,
  load: false,
  lockTimeout: null,
  assumeYes: true,
  assumeNo: false,
  unattended: false,
  dryRun: false,
  ...more,
});

/** Carries out a verb and answers yes. */
export const verb =
  (name: Request['verb'], words: readonly string[] = [], more: Partial<Request> = {}): VerbRun =>
  async (machine, ui = listener()) => {
    const { world } = await carryOut(machine, request(name, words, more), ui, async () => true);
    for (const { text } of world.notices) ui.warn(text);
  };

/** What a run warned of, and what it noticed. */
export async function seen(machine: Machine, run: VerbRun): Promise<string[]> {
  const ui = listener();
  await run(machine, ui);
  return ui.warnings;
}

const NAME = 'kpatch-patch-5_14_0-427_13_1';
const undo = (id: string): VerbRun => verb('history', [], { undo: id });

/** A level that rpm installed: in its database, nothing of ours beside it. */
const byRpm: VerbRun = async ({ root, run }) => {
  const file = path.join(FIXTURES, 'el9', 'Packages', `${NAME}-1-1.el9_4.x86_64.rpm`);
  const database = ['--dbpath', path.join(root.path, 'var/lib/rpm')];
  const how = ['--justdb', '--nodeps', '--noscripts', '--ignorearch', '--ignoresize', '--nosignature'];
  const { status, stderr } = await run.run('rpm', [...database, '-i', ...how, file]);
  if (status !== 0) throw new Error(`rpm -i failed: ${stderr}`);
};

/** Unattended loading allowed, something in the cache that only a reset takes. */
const ofThisMachine: VerbRun = async (machine) => {
  writeUnattended(openState(machine), { since: '2026-01-01T00:00:00.000Z', by: 'admin' });
  const problem = writeCached(openCache(machine), 'repo-0/floor.json', '{"made":1}');
  if (problem) throw problem;
};

/** Each verb with what happened before it; `rpm`: the rpm database is told. */
export const VERBS: Readonly<Record<string, { before: readonly VerbRun[]; run: VerbRun; rpm?: boolean }>> = {
  auto: { before: [], run: verb('auto') },
  'install by name': { before: [], run: verb('install', [`${NAME}-1-1.el9_4`]) },
  upgrade: { before: [verb('install', [`${NAME}-1-1.el9_4`])], run: verb('upgrade') },
  'upgrade, registered': { before: [verb('install', [`${NAME}-1-1.el9_4`])], run: verb('upgrade'), rpm: true },
  downgrade: { before: [verb('install', [NAME])], run: verb('install', [`${NAME}-1-1.el9_4`]) },
  remove: { before: [verb('install')], run: verb('remove', ['kpatch-patch']) },
  'adopt what rpm installed': { before: [byRpm], run: verb('upgrade'), rpm: true },
  'undo an upgrade': {
    before: [verb('install', [`${NAME}-1-1.el9_4`]), verb('upgrade')],
    run: undo('2'),
  },
  'undo auto': { before: [verb('auto')], run: undo('1') },
  'undo a removal': { before: [verb('install', [NAME]), verb('remove', [NAME])], run: undo('2'), rpm: true },
  'cache refresh': {
    before: [],
    run: async (machine) => void (await observe(machine, request('makecache', [], { refresh: true }), listener())),
  },
  manual: { before: [verb('auto')], run: verb('manual') },
  'auto-filter': { before: [], run: verb('auto-filter') },
  'machine reset': {
    before: [verb('install'), ofThisMachine],
    run: async (machine) => {
      await resetMachine(machine, request('machine', ['reset']), listener(), async () => true);
    },
  },
};

/** A root with K1 and K2 and the fixture repository; without `rpm`, nobody has a database. */
export function rootFor(rpm: boolean): ScratchRoot {
  const url = `file://${FIXTURES}`;
  return rpm ? scratchRoot({ url }) : scratchRoot({ url, kernels: [KERNELS.K1, KERNELS.K2], rpmdb: false });
}

export function machineIn(root: string, hook: ChangeHook | null = null): Machine {
  return machineOver(root, hook, { arch: 'x86_64' });
}

/** What the next run that changes something does first. */
export async function recovered(root: string): Promise<void> {
  await changingRun(machineIn(root), null);
}

/** Everything that counts: not the cache, and of rpm what it answers. */
export async function essence(root: string, rpm: boolean): Promise<string[]> {
  const skip = ['var/lib/rpm', 'var/cache', 'var/lib/kpatch-pm/history', 'var/lib/kpatch-pm/lock'];
  const keys = ['var/lib/kpatch-pm/keys', 'var/lib/kpatch-pm/pins.json'];
  const machine = machineIn(root);
  // A package that a stopped run left in the cache has no address any more; all else of a receipt is the same.
  const receipts = readReceipts(machine.root, machine.uid).map((receipt) => JSON.stringify({ ...receipt, url: null }));
  const lines = [...treeOf(root, [...skip, ...keys, 'var/lib/kpatch-pm/receipts']), ...receipts];
  if (!rpm) return lines;
  const { stdout } = await realRun.run('rpm', ['--dbpath', path.join(root, 'var/lib/rpm'), '-qa']);
  const known = stdout.toString('utf8').trim().split('\n').sort();
  return [...lines, ...known.filter((name) => !name.startsWith('gpg-pubkey'))];
}

/** Every record, checked; its file's name is its number. */
export function doneActions(root: string): number {
  const machine = machineIn(root);
  const records = readHistory(machine.root, machine.uid);
  const place = path.join(root, 'var/lib/kpatch-pm/history');
  const files = existsSync(place) ? readdirSync(place).filter((name) => !name.startsWith('.')) : [];
  if (files.length !== records.length) throw new Error(`${files.join(' ')} for ${records.length} records`);
  for (const { id } of records) {
    if (JSON.parse(readFileSync(path.join(place, `${id}.json`), 'utf8')).id !== id) throw new Error(`record ${id}`);
  }
  return records.flatMap(({ actions }) => actions).filter(({ outcome }) => outcome === 'done').length;
}

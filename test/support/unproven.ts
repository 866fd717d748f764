// A level that waits to be proven by the running kernel, and that kernel as sysfs shows it.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type InstallRequest, installSteps } from '../../src/apply/transactions.ts';
import type { Machine } from '../../src/host/machine.ts';
import { Root } from '../../src/host/root.ts';
import { readReceipts } from '../../src/state/receipts.ts';
import type { ScratchRoot } from './fixtures.ts';
import { K1, levelRequest } from './packages.ts';
import { changingRun, installed, machineOver } from './transactions.ts';

/** 1-1 is installed and registered; a run put 1-2 in its place and was killed before it loaded it. Gives what that run wanted. */
export async function killedBeforeLoad(root: Pick<ScratchRoot, 'path' | 'at'>): Promise<InstallRequest> {
  const machine = machineOver(root.path);
  await changingRun(machine, installSteps({ ...(await levelRequest('1-1')), register: true }));
  const [before = null] = readReceipts(machine.root, machine.uid);
  const level = await levelRequest('1-2');
  const request = { ...level, replaces: await installed(machine), keep: true, pending: true, before };
  await changingRun(machine, installSteps(request));
  return request;
}

/** A module as sysfs shows one that is active. */
export function showActive(root: Pick<ScratchRoot, 'path' | 'at'>, module: string): void {
  const place = root.at(`sys/kernel/livepatch/${module}`);
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, 'enabled'), '1\n');
  writeFileSync(path.join(place, 'transition'), '0\n');
}

/** The running system: K1 runs, and these modules are in its kernel. */
export function liveWith(root: Pick<ScratchRoot, 'path' | 'at'>, ...modules: string[]): Partial<Machine> {
  for (const module of modules) showActive(root, module);
  return { host: new Root(root.path), live: true, uname: K1 };
}

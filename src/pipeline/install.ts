// One staged package into the root: a transaction of its own, and what must follow it.
import { createHash } from 'node:crypto';
import { runTransaction } from '../apply/install.ts';
import type { Receipt } from '../domain/receipt.ts';
import { readReceipts } from '../state/receipts.ts';
import type { Blobs, Step } from '../state/steps.ts';
import type { Application } from './apply.ts';
import type { StagedPatch } from './stage.ts';
import { type FileOnDisk, installSteps, revertSteps, type StepContext, settleSteps, supersededBy } from './steps.ts';

/** What is needed to settle an installation, or to take it back. */
export interface Installation {
  readonly staged: StagedPatch;
  readonly context: StepContext;
  /** The receipt of the level before; null when there was none. */
  readonly before: Receipt | null;
}

/**
 * Installs one staged package. Where it is to be loaded next, the rpm database is told only after the kernel took it
 * (settle), so that a refused level leaves no trace there.
 */
export async function installOne(application: Application, staged: StagedPatch): Promise<void> {
  const { observed, plan } = application;
  const { kernel, package: pkg } = staged.action;
  const context = contextFor(application, staged);
  const before =
    readReceipts(observed.machine.root, observed.machine.uid).find(
      (receipt) => receipt.kernel === kernel && receipt.package.name === pkg.name,
    ) ?? null;
  const installation: Installation = { staged, context, before };
  const loads =
    plan.actions.some((action) => action.do === 'load' && action.kernel === kernel) && staged.modules.length > 0;
  const settle = loads ? [] : settleSteps(staged, context, application.observed.rpmdb.how === 'rpm');
  await transact(application, [...installSteps(staged, context, loads), ...settle], staged);
  application.installations.set(kernel, installation);
}

/** The new level was taken by the kernel (or only stalled): it stays. */
export function settle(application: Application, { staged, context }: Installation): Promise<void> {
  return transact(application, settleSteps(staged, context, application.observed.rpmdb.how === 'rpm'), staged);
}

/** The kernel refused the new level: the one before returns on disk. */
export function revert(application: Application, { staged, context, before }: Installation): Promise<void> {
  return transact(application, revertSteps(staged, context, before), staged);
}

async function transact(application: Application, steps: readonly Step[], staged: StagedPatch): Promise<void> {
  const { observed, locked, ui } = application;
  const { pkg, sha256 } = staged.verified;
  const blobs: Blobs = new Map([
    [sha256, pkg.bytes],
    ...staged.modules.map(({ sha256: sum, bytes }) => [sum, bytes] as const),
  ]);
  const { notices } = await runTransaction(observed.machine, locked, steps, blobs);
  for (const { text } of notices) ui.warn(text);
}

function contextFor({ observed, request }: Application, staged: StagedPatch): StepContext {
  const { machine, world } = observed;
  return {
    time: machine.now().toISOString(),
    version: machine.version,
    askedBy: `kpatch-pm ${request.verb} (${machine.user})`,
    superseded: supersededBy(staged, world.installed).flatMap((file) => onDisk(observed, staged.action.kernel, file)),
  };
}

function onDisk({ machine }: Application['observed'], kernel: string, file: string): FileOnDisk[] {
  const path = `var/lib/kpatch/${kernel}/${file}`;
  const bytes = machine.root.read(path);
  const stat = machine.root.stat(path);
  if (bytes === null || stat === null) return [];
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return [{ file, sha256, size: bytes.length, mode: stat.mode & 0o777, mtime: Math.floor(stat.mtimeMs / 1000) }];
}

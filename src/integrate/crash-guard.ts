// The crash guard at boot: markers of earlier boots are judged, quarantined files kept out, healthy modules remembered.
import { enforceQuarantine, quarantine } from '../apply/aside.ts';
import { markHealthy } from '../apply/guard.ts';
import { runTransaction } from '../apply/install.ts';
import { hasLevelBefore, keptFiles } from '../apply/retired.ts';
import { restoreSteps } from '../apply/transactions.ts';
import { judgeAttempts } from '../decide/guard.ts';
import type { Attempt } from '../domain/crashguard.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { Receipt } from '../domain/receipt.ts';
import { attribute } from '../host/livepatch.ts';
import type { Machine, Ui } from '../host/machine.ts';
import type { Root } from '../host/root.ts';
import { crashEvidence } from '../observe/system/crashes.ts';
import { readAttempts, writeAttempts } from '../state/attempts.ts';
import type { LockedState } from '../state/lock.ts';
import { readReceipts } from '../state/receipts.ts';

/** What this boot loaded proved healthy: some time after boot, or at an orderly shutdown. */
export function noteHealthy({ host }: Machine, { state }: LockedState, ui: Ui): void {
  for (const module of markHealthy(state, host)) ui.note(`${module} proved healthy.`);
}

/** Markers of earlier boots: told, struck, or quarantined; the level before a quarantined one returns where it was kept. */
export async function judge(machine: Machine, locked: LockedState, ui: Ui): Promise<void> {
  const { root, host, uid, now } = machine;
  const { state } = locked;
  const file = readAttempts(root, uid);
  if (file.attempts.length === 0) return;
  const bootId = attribute(host, 'proc/sys/kernel/random/boot_id') ?? '';
  const verdicts = judgeAttempts(file.attempts, bootId, crashEvidence(root, host));
  const left: Attempt[] = [];
  const back: Receipt[] = [];
  for (const [n, attempt] of file.attempts.entries()) {
    const verdict = verdicts[n];
    if (verdict?.do === 'quarantine') {
      const { kernel, module, file: name, sha256 } = attempt;
      const since = now().toISOString();
      const receipt = receiptOf(root, uid, attempt);
      quarantine(state, {
        kernel,
        module,
        file: name,
        sha256,
        package: receipt && formatNevra(receipt.package),
        since,
        why: verdict.why,
      });
      ui.warn(`${module} is quarantined: ${verdict.why}.`);
      if (receipt !== null && hasLevelBefore(root, receipt)) back.push(receipt);
    } else if (verdict?.do === 'strike') {
      ui.warn(
        `The last boot ended while ${attempt.module} was being loaded, without a trace of a crash; it is tried again.`,
      );
      left.push({ ...attempt, bootId: null, strikes: verdict.strikes });
    } else {
      left.push(attempt);
    }
  }
  // The markers go last: whatever stops this boot, the next one judges them again.
  for (const failed of back) await bringBack(machine, locked, failed, ui);
  writeAttempts(state, { ...file, attempts: left });
}

/** The receipt of the level a marker is about. */
function receiptOf(root: Root, uid: number, { kernel, sha256 }: Attempt): Receipt | null {
  const receipts = readReceipts(root, uid, () => undefined);
  return receipts.find((one) => one.kernel === kernel && one.files.some((file) => file.sha256 === sha256)) ?? null;
}

/** It was never proven, so what it had taken the place of is still there. */
async function bringBack(machine: Machine, locked: LockedState, failed: Receipt, ui: Ui): Promise<void> {
  const { steps, blobs } = restoreSteps(failed, keptFiles(machine.root, failed.kernel));
  const { results, notices } = await runTransaction(machine, locked, steps, blobs);
  for (const { text } of notices) ui.warn(text);
  const problems = results.flatMap(({ problem }) => problem ?? []);
  for (const { text } of problems) ui.warn(text);
  if (problems.length === 0) ui.warn(`The level before ${formatNevra(failed.package)} is installed again.`);
}

/** Quarantined files are taken out of their directory, however they came back there. */
export function keepOut({ state }: LockedState, ui: Ui): void {
  for (const { module, kernel } of enforceQuarantine(state)) {
    ui.warn(
      `${module} of ${kernel} was taken out of the directory from which modules are loaded: it is in quarantine.`,
    );
  }
}

// The crash guard at boot: markers of earlier boots are judged, quarantined files kept out, healthy modules remembered.
import { enforceQuarantine, quarantine } from '../apply/aside.ts';
import { markHealthy } from '../apply/guard.ts';
import { judgeAttempts } from '../decide/guard.ts';
import type { Attempt } from '../domain/crashguard.ts';
import { formatNevra } from '../domain/nevra.ts';
import { attribute } from '../host/livepatch.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { crashEvidence } from '../observe/system/crashes.ts';
import { readAttempts, writeAttempts } from '../state/attempts.ts';
import type { LockedState } from '../state/lock.ts';
import { readReceipts } from '../state/receipts.ts';

/** What this boot loaded proved healthy: some time after boot, or at an orderly shutdown. */
export function noteHealthy({ host }: Machine, { state }: LockedState, ui: Ui): void {
  for (const module of markHealthy(state, host)) ui.note(`${module} proved healthy.`);
}

/** Markers of earlier boots: told, struck, or quarantined. */
export function judge({ root, host, uid, now }: Machine, { state }: LockedState, ui: Ui): void {
  const file = readAttempts(root, uid);
  if (file.attempts.length === 0) return;
  const bootId = attribute(host, 'proc/sys/kernel/random/boot_id') ?? '';
  const verdicts = judgeAttempts(file.attempts, bootId, crashEvidence(root, host));
  const left: Attempt[] = [];
  for (const [n, attempt] of file.attempts.entries()) {
    const verdict = verdicts[n];
    if (verdict?.do === 'quarantine') {
      const { kernel, module, file: name, sha256 } = attempt;
      const since = now().toISOString();
      quarantine(state, {
        kernel,
        module,
        file: name,
        sha256,
        package: packageOf(root, uid, attempt),
        since,
        why: verdict.why,
      });
      ui.warn(`${module} is quarantined: ${verdict.why}.`);
    } else if (verdict?.do === 'strike') {
      ui.warn(
        `The last boot ended while ${attempt.module} was being loaded, without a trace of a crash; it is tried again.`,
      );
      left.push({ ...attempt, bootId: null, strikes: verdict.strikes });
    } else {
      left.push(attempt);
    }
  }
  writeAttempts(state, { ...file, attempts: left });
}

function packageOf(root: Machine['root'], uid: number, { kernel, sha256 }: Attempt): string | null {
  const receipt = readReceipts(root, uid, () => undefined).find(
    (one) => one.kernel === kernel && one.files.some((file) => file.sha256 === sha256),
  );
  return receipt ? formatNevra(receipt.package) : null;
}

/** Quarantined files are taken out of their directory, however they came back there. */
export function keepOut({ state }: LockedState, ui: Ui): void {
  for (const { module, kernel } of enforceQuarantine(state)) {
    ui.warn(
      `${module} of ${kernel} was taken out of the directory from which modules are loaded: it is in quarantine.`,
    );
  }
}

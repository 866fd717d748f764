// `kpatch-pm service wait`: what the actions of dnf do after a transaction, so that `dnf -y update && reboot` boots patched.
// The rpm lock is free by then, and the service, which kernel-install started, is at work.
import type { Machine, Ui } from '../host/machine.ts';
import { systemctl, systemdRuns } from '../host/systemd.ts';
import { readQueue } from '../state/queue.ts';
import { SERVICE } from './kernel-install.ts';

/** Seconds. A live patch is some hundred kilobytes; a repository that does not answer must not hold dnf for long. */
const PATIENCE = 300;

/**
 * Starts the service and waits until it has ended, at most `seconds`. True when the queue is empty then. Where systemd does
 * not run (an image build, a container) nothing is waited for: the queue is worked off by the first boot.
 */
export async function waitForQueue(machine: Machine, seconds: number | null, ui: Ui): Promise<boolean> {
  const waiting = (): number => readQueue(machine.root, machine.uid, ({ text }) => ui.warn(text)).length;
  if (waiting() === 0) return true;
  if (!machine.root.isHost || !machine.live || !systemdRuns(machine.host)) {
    ui.note('The queued kernels get their live patches when this system boots.');
    return true;
  }
  // `start` waits for a oneshot service to end, also for one that runs already.
  const problem = await systemctl(machine.run, ['start', SERVICE], (seconds ?? PATIENCE) * 1000);
  const left = waiting();
  if (left === 0) return true;
  const why = problem ?? 'it ended without having done everything';
  ui.warn(
    `${left} new kernel${left === 1 ? ' has' : 's have'} no live patch yet (${SERVICE}: ${why}). See: journalctl -u ${SERVICE}`,
  );
  return false;
}

// kernel-install's hook: a kernel came or went. It runs inside an rpm transaction that holds the rpm lock, so it only
// notes the kernel and pokes the service; it must never fail, never wait and never use the network.
// Source: kernel-install(8): any status but 0 and 77 ends kernel-install, and 77 skips the hooks after ours.
import { kernelRelease } from '../domain/kernel.ts';
import { KpmError } from '../errors.ts';
import type { Machine } from '../host/machine.ts';
import { systemctl, systemdRuns } from '../host/systemd.ts';
import { readKpatchConf } from '../observe/config/kpatchconf.ts';
import { openState } from '../state/directory.ts';
import { enqueue } from '../state/queue.ts';

export const SERVICE = 'kpatch-pm.service';

type Surroundings = Pick<Machine, 'root' | 'host' | 'run' | 'now' | 'env' | 'uid' | 'live'>;

/** What the hook did, in words for KERNEL_INSTALL_VERBOSE=1. */
export type Say = (text: string) => void;

/** Milliseconds: systemctl --no-block answers at once, or not at all. */
const PATIENCE = 5_000;

/**
 * `add KVER ...` and `remove KVER ...`; further arguments are kernel-install's and do not matter here.
 * Nothing is raised but what nobody expects; everything else is said and passed over.
 */
export async function kernelInstall(words: readonly string[], machine: Surroundings, say: Say): Promise<void> {
  const [event = '', text = ''] = words;
  if (event !== 'add' && event !== 'remove') return say(`nothing to do for ${JSON.stringify(event)}`);
  const kernel = kernelRelease(text);
  if (kernel === null) return say(`${JSON.stringify(text)} is no kernel release`);
  if (machine.host.exists('run/ostree-booted')) return say('an image-based system takes kernels with its image');
  if (!readKpatchConf(machine.root).autoupdate) return say('autoupdate is off, so nothing is queued');
  try {
    enqueue(openState(machine), kernel, event, machine.now());
    say(`${event} ${kernel} is queued`);
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    await complain(machine, `${event} ${kernel} could not be queued: ${error.reason}`);
    return say(error.message);
  }
  const why = whyNotNow(machine);
  if (why !== null) return say(`the service is not started: ${why}`);
  const problem = await systemctl(machine.run, ['--no-block', 'start', SERVICE], PATIENCE);
  say(problem === null ? `${SERVICE} is started` : `${SERVICE} could not be started: ${problem}`);
}

/** Why the service cannot be started from here; null when it can. */
function whyNotNow({ root, host, env, live }: Surroundings): string | null {
  if (!root.isHost) return `${root.path} is not the running system`;
  if (!live) return 'this is a container, a chroot or an image build';
  if (env.SYSTEMD_OFFLINE && !['0', 'no', 'false'].includes(env.SYSTEMD_OFFLINE)) return 'SYSTEMD_OFFLINE is set';
  if (env.LEAPP_IPU_IN_PROGRESS) return 'a system upgrade is in progress';
  if (!systemdRuns(host)) return 'systemd does not run here';
  return null;
}

/** A failure nobody would see otherwise: kernel-install's output goes nowhere. */
async function complain({ run, live }: Surroundings, text: string): Promise<void> {
  if (!live || run.which('logger') === null) return;
  try {
    await run.run('logger', ['-t', 'kpatch-pm', '-p', 'user.warning', '--', text], { timeout: PATIENCE });
  } catch (error) {
    // No log daemon: then nobody can be told, and the kernel's installation goes on.
    if (!(error instanceof KpmError)) throw error;
  }
}

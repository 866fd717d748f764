// Where and when no module may be loaded, whatever the plan says.
import type { Problem } from '../../domain/because.ts';
import { attribute } from '../../host/livepatch.ts';
import type { Machine } from '../../host/machine.ts';

/** Kernel parameters that switch loading off: the utility's own (kpatch.service honours it) and ours. */
const OFF = ['kpatch.enable=0', 'kpatch-pm.enable=0'];

/**
 * Why nothing may be loaded into the kernel on this machine now; null when loading is fine.
 * Sources: kpatch.service (ConditionKernelCommandLine), kdump (elfcorehdr= is given to the crash kernel), leapp's upgrade environment.
 */
export function loadingForbidden(machine: Machine): Problem | null {
  const forbidden = (text: string): Problem => ({ code: 'loading-forbidden', text });
  if (!machine.live) {
    return forbidden(
      machine.root.isHost
        ? 'This is a container or a chroot, and the kernel is not its own; --host says otherwise.'
        : `${machine.root.path} is not the running system; its live patches are loaded when it boots.`,
    );
  }
  if (machine.uname === null) return forbidden('The release of the running kernel is not known.');
  if (machine.env.LEAPP_IPU_IN_PROGRESS) {
    return forbidden('A system upgrade is in progress (LEAPP_IPU_IN_PROGRESS is set); nothing is loaded meanwhile.');
  }
  const parameters = (attribute(machine.host, 'proc/cmdline') ?? '').split(/\s+/);
  const off = parameters.find((parameter) => OFF.includes(parameter));
  if (off) return forbidden(`Loading is switched off on the kernel command line (${off}).`);
  if (parameters.some((parameter) => parameter.startsWith('elfcorehdr=')) || machine.host.exists('proc/vmcore')) {
    return forbidden('This is the crash kernel (kdump), which saves a dump and reboots; nothing is loaded into it.');
  }
  return null;
}

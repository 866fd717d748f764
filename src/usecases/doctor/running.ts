// What the running system says: its kernel, its units, its SELinux, and how late it must be.
import type { HostFacts, KernelFacts } from '../../domain/host-facts.ts';
import { KpmError } from '../../errors.ts';
import { attribute } from '../../host/livepatch.ts';
import type { Machine } from '../../host/machine.ts';
import { systemdRuns, unitState } from '../../host/systemd.ts';

const OWN_UNITS = ['kpatch-pm-boot.service', 'kpatch-pm.service', 'kpatch-pm-healthy.service'];

/**
 * Services of others that change the running kernel. Source: the unit files of KernelCare (kcare), Ksplice (uptrack,
 * ksplice), Canonical Livepatch (a snap), and SUSE's klp tools.
 */
const OTHER_SERVICES = [
  'kcare.service',
  'uptrack.service',
  'uptrack-prefetch.service',
  'ksplice.service',
  'snap.canonical-livepatch.canonical-livepatchd.service',
  'klp.service',
];

/** Kernel parameters that switch loading off. */
const OFF = ['kpatch.enable=0', 'kpatch-pm.enable=0'];

/** Null where the root is not the running system. */
export function kernelFacts({ host, live }: Machine): KernelFacts | null {
  if (!live) return null;
  const words = (attribute(host, 'proc/cmdline') ?? '').split(/\s+/);
  return {
    livepatch: host.lstat('sys/kernel/livepatch') !== null,
    signedOnly: signedOnly(host),
    switchedOff: words.find((word) => OFF.includes(word)) ?? null,
  };
}

/** Source: the kernel's module-signing documentation (sig_enforce) and kernel_lockdown(7). */
function signedOnly(host: Machine['host']): string | null {
  if (attribute(host, 'sys/module/module/parameters/sig_enforce') === 'Y') return 'module.sig_enforce';
  const lockdown = /\[(integrity|confidentiality)\]/.exec(attribute(host, 'sys/kernel/security/lockdown') ?? '')?.[1];
  return lockdown === undefined ? null : `lockdown: ${lockdown}`;
}

/** Labels matter on the running system only. */
export function selinux({ host, live }: Machine): HostFacts['selinux'] {
  const enforce = live ? attribute(host, 'sys/fs/selinux/enforce') : null;
  if (enforce === null) return 'off';
  return enforce === '1' ? 'enforcing' : 'permissive';
}

/** Units from their files; which of ours failed, from systemd where it runs. */
export async function unitFacts(machine: Machine): Promise<Pick<HostFacts, 'failedUnits' | 'otherServices'>> {
  const otherServices = OTHER_SERVICES.filter((unit) => unitState(machine.root, unit) === 'enabled');
  const failedUnits: string[] = [];
  if (machine.live && machine.root.isHost && systemdRuns(machine.host)) {
    for (const unit of OWN_UNITS) if (await isFailed(machine, unit)) failedUnits.push(unit);
  }
  return { failedUnits, otherServices };
}

/** systemctl(1): is-failed ends with 0 when the unit is in the state "failed". */
async function isFailed({ run }: Machine, unit: string): Promise<boolean> {
  try {
    const { status, stdout } = await run.run('systemctl', ['is-failed', unit], { timeout: 10_000 });
    return status === 0 && stdout.toString('utf8').trim() === 'failed';
  } catch (error) {
    if (error instanceof KpmError) return false;
    throw error;
  }
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/**
 * When the running kernel was built, to the day, as its version line says: `#1 SMP ... Wed Nov  1 12:00:00 UTC 2023`, Debian's
 * `#1 SMP ... (2023-11-01)`. Source: proc_sys_kernel(5), version.
 */
export function kernelBuilt({ host, live }: Machine): string | null {
  const text = live ? (attribute(host, 'proc/sys/kernel/version') ?? '') : '';
  const day = /\((\d{4}-\d{2}-\d{2})\)/.exec(text)?.[1];
  if (day !== undefined) return `${day}T00:00:00.000Z`;
  const [, month, date, year] = /\b([A-Z][a-z]{2}) +(\d{1,2}) [\d:]{8} \S+ (\d{4})$/.exec(text) ?? [];
  const n = MONTHS.indexOf(month ?? '?');
  if (date === undefined || year === undefined || n < 0 || n % 3 !== 0) return null;
  return new Date(Date.UTC(Number(year), n / 3, Number(date))).toISOString();
}

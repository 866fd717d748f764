// systemd as process 1 of a guest: the host's own systemd, a handful of targets, and the units as they are shipped.
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { top } from '../support/top.ts';
import { command } from './command.ts';
import type { Guest, GuestOptions } from './machine.ts';
import { which } from './place.ts';

type Files = NonNullable<GuestOptions['files']>;

const PROGRAMS = [
  '/usr/lib/systemd/systemd',
  '/usr/lib/systemd/systemd-shutdown',
  'systemctl',
  'systemd-run',
  'kernel-install',
];
const TARGETS = `basic final local-fs local-fs-pre multi-user network network-online network-pre paths poweroff reboot
  shutdown slices sockets sysinit time-set time-sync timers umount`.split(/\s+/);
const POWER = ['systemd-poweroff.service', 'systemd-reboot.service'];
const UNITS = path.join(top, 'packaging/systemd');

/** Kernel parameters that make systemd process 1. With a disk, /etc is kept on it: what is enabled stays enabled. */
export const SYSTEMD = 'rdinit=/kpm-systemd systemd.log_target=console systemd.show_status=0';

/** kpatch.service as the utility's package brings it, in our words. Source: contrib/kpatch.service of the kpatch utility. */
const KPATCH_SERVICE = `[Unit]
Description=Load the installed live patches (the kpatch utility)
ConditionKernelCommandLine=!kpatch.enable=0
Before=network-pre.target
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/kpatch load --all
StandardOutput=append:/run/kpatch.service.log
StandardError=append:/run/kpatch.service.log
[Install]
WantedBy=multi-user.target
`;

/** The kpatch utility and its service, not enabled. */
export function utilityFiles(): Files {
  const utility = process.env.KPATCH_PM_KPATCH ?? path.join(top, 'test/vm/guest/kpatch.sh');
  return {
    '/usr/sbin/kpatch': { text: readFileSync(utility, 'utf8'), mode: 0o755 },
    '/usr/lib/systemd/system/kpatch.service': { text: KPATCH_SERVICE },
  };
}

/** Keeps the timer from firing by itself, at a random moment, in the middle of something else. */
export const QUIET_TIMER: Files = {
  '/etc/systemd/system/kpatch-pm.timer.d/quiet.conf': {
    text: '[Timer]\nOnCalendar=\nOnBootSec=\nOnActiveSec=1d\nRandomizedDelaySec=0\n',
  },
};

/** What systemd needs in the guest, our units, the kernel-install plug-in, and a unit for the agent. */
export function systemdFiles(): Files {
  const files: Record<string, Files[string]> = {};
  for (const program of PROGRAMS) {
    const found = program.startsWith('/') ? program : which(program);
    if (found === null || !existsSync(found))
      throw new Error(`the guest needs ${program}, which this machine does not have`);
    files[found] = realpathSync(found);
    for (const library of libraries(found)) files[library.replace(/^\/lib\//, '/usr/lib/')] = realpathSync(library);
  }
  for (const unit of [...TARGETS.map((target) => `${target}.target`), ...POWER]) {
    const file = `/usr/lib/systemd/system/${unit}`;
    files[file] = realpathSync(file);
  }
  for (const name of readdirSync(UNITS).filter((one) => /\.(service|timer)$/.test(one))) {
    files[`/usr/lib/systemd/system/${name}`] = path.join(UNITS, name);
    // There is no log daemon: what the units say goes to files.
    const lines = ['[Service]', `StandardOutput=append:/run/${name}.log`, `StandardError=append:/run/${name}.log`];
    if (name.endsWith('.service')) files[`/etc/systemd/system/${name}.d/log.conf`] = { text: `${lines.join('\n')}\n` };
  }
  const plugin = 'kernel-install/95-kpatch-pm.install';
  files['/usr/lib/kernel/install.d/95-kpatch-pm.install'] = path.join(top, 'packaging', plugin);
  files['/etc/machine-id'] = { text: '0123456789abcdef0123456789abcdef\n' };
  files['/etc/systemd/system/kpm-agent.service'] = {
    text: '[Unit]\nAfter=kpatch-pm-boot.service\n[Service]\nExecStart=/bin/bash /usr/lib/kpm-test/agent.sh\n',
  };
  const wanted = '/etc/systemd/system/multi-user.target.wants';
  const enable = [
    // What an earlier boot changed in /etc counts, as on any machine.
    'if grep -qw kpm.disk /proc/cmdline; then',
    '  mkdir -p /var/lib/kpm-etc && cp -a -n /etc/. /var/lib/kpm-etc/ && mount --bind /var/lib/kpm-etc /etc',
    'fi',
    `mkdir -p ${wanted}`,
    `ln -sf /etc/systemd/system/kpm-agent.service ${wanted}/`,
    // A policy is loaded before anybody has a domain to lose; it is switched to enforcing by the test.
    'if [ -f /usr/lib/kpm-test/policy ]; then',
    '  mount -t selinuxfs selinuxfs /sys/fs/selinux && cat /usr/lib/kpm-test/policy >/sys/fs/selinux/load',
    'fi',
    'exec /usr/lib/systemd/systemd --unit=multi-user.target',
  ];
  const init = readFileSync(path.join(top, 'test/vm/guest/init.sh'), 'utf8');
  files['/kpm-systemd'] = { text: init.replace(/^exec \/bin\/bash .*agent\.sh$/m, enable.join('\n')), mode: 0o755 };
  return files;
}

/** An orderly shutdown, as a person orders it. The agent answers first, for it goes down with the rest. */
export async function shutDown(guest: Guest): Promise<void> {
  await guest.must("setsid bash -c 'sleep 1; systemctl --no-block poweroff' </dev/null >/dev/null 2>&1 &");
  if (!(await guest.ends(240))) throw new Error(`the machine does not go down:\n${guest.console(30)}`);
  await guest.off();
}

function libraries(program: string): string[] {
  if (!readFileSync(program).subarray(0, 4).equals(Buffer.from('\x7fELF'))) return [];
  const text = command('ldd', [program]).toString('utf8');
  return [...text.matchAll(/(\/[^\s]+) \(0x/g)].map((match) => match[1] as string);
}

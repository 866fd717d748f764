// docs/man/kpatch-pm-boot.service.8, made from the units themselves: what they run, when, and what keeps them from it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DATE, list, literal, prose, wrapped } from './man-pages.ts';
import { top } from './top.ts';

export const UNITS = [
  'kpatch-pm-boot.service',
  'kpatch-pm-healthy.service',
  'kpatch-pm-healthy.timer',
  'kpatch-pm-metrics.service',
  'kpatch-pm-metrics.timer',
  'kpatch-pm.service',
  'kpatch-pm.timer',
] as const;

/** Values of an option of a unit, in order. */
function values(unit: (typeof UNITS)[number], option: string): string[] {
  const text = readFileSync(path.join(top, 'packaging', 'systemd', unit), 'utf8');
  return [...text.matchAll(new RegExp(`^${option}=(.*)$`, 'gm'))].map((match) => match[1] as string);
}

/** The one value of an option; a unit that has none, or several, does not fit this page any more. */
function value(unit: (typeof UNITS)[number], option: string): string {
  const [only, ...more] = values(unit, option);
  if (only === undefined || more.length > 0) throw new Error(`${unit} has ${more.length + 1} values of ${option}`);
  return only;
}

const command = (unit: (typeof UNITS)[number], option = 'ExecStart'): string =>
  value(unit, option).replace('/usr/bin/', '');

const minutes = (unit: (typeof UNITS)[number], option: string): string =>
  value(unit, option).replace('min', ' minutes');

/** What systemd keeps a unit from, in words. */
const CONDITIONS: Readonly<Record<string, string>> = {
  'ConditionKernelCommandLine=!kpatch-pm.enable=0': '`kpatch-pm.enable=0` is on the kernel command line',
  'ConditionKernelCommandLine=!rd.live.image': 'the system runs from a live image',
  'ConditionPathExists=!/run/ostree-booted': 'the system was booted by ostree',
  'ConditionVirtualization=!container': 'the system is a container',
};

function conditions(unit: (typeof UNITS)[number]): string {
  const text = readFileSync(path.join(top, 'packaging', 'systemd', unit), 'utf8');
  const found = [...text.matchAll(/^Condition.*$/gm)].map(([line]) => {
    const words = CONDITIONS[line];
    if (words === undefined) throw new Error(`${unit}: no words for ${line}`);
    return words;
  });
  return found.length === 0 ? '' : `It is skipped where ${found.join(', or ')}.`;
}

interface Entry {
  readonly unit: (typeof UNITS)[number];
  readonly text: readonly string[];
}

const entries = (): readonly Entry[] => [
  {
    unit: 'kpatch-pm-boot.service',
    text: [
      `Runs \`${command('kpatch-pm-boot.service')}\` once, before ${value('kpatch-pm-boot.service', 'Before').split(' ').join(' and ')}.`,
      `It may take ${minutes('kpatch-pm-boot.service', 'TimeoutStartSec')}.`,
      conditions('kpatch-pm-boot.service'),
      `At an orderly shutdown it runs \`${command('kpatch-pm-boot.service', 'ExecStop')}\`: what was loaded did no harm. It unloads nothing.`,
      'Switched on by the first `kpatch-pm auto` or `kpatch-pm install` that is typed on the running system.',
    ],
  },
  {
    unit: 'kpatch-pm-healthy.service',
    text: [
      `Runs \`${command('kpatch-pm-healthy.service')}\`: what this boot loaded for the first time proved healthy.`,
      'Its timer starts it.',
    ],
  },
  {
    unit: 'kpatch-pm-healthy.timer',
    text: [
      `Comes with the boot unit and waits ${value('kpatch-pm-healthy.timer', 'OnActiveSec').replace('s', ' seconds')}.`,
    ],
  },
  {
    unit: 'kpatch-pm-metrics.service',
    text: [
      `Runs \`${command('kpatch-pm-metrics.service')}\`: the metrics of kpatch\\-pm for the textfile collector of node_exporter; TEXTFILE is ${value('kpatch-pm-metrics.service', 'Environment').replace('TEXTFILE=', '')}, unless a drop-in says otherwise.`,
      conditions('kpatch-pm-metrics.service'),
    ],
  },
  {
    unit: 'kpatch-pm-metrics.timer',
    text: [
      `Starts it ${minutes('kpatch-pm-metrics.timer', 'OnBootSec')} after boot and every ${minutes('kpatch-pm-metrics.timer', 'OnUnitActiveSec')}.`,
      'Only an administrator switches it on: `systemctl enable --now kpatch-pm-metrics.timer`.',
    ],
  },
  {
    unit: 'kpatch-pm.service',
    text: [
      `Runs \`${command('kpatch-pm.service')}\`: works off the queue of new kernels, then brings every kernel up to date, unattended.`,
      conditions('kpatch-pm.service'),
      'It does nothing unless the setting is auto; it loads only where somebody typed `kpatch-pm auto` on this machine, and within `maintenance_window`.',
      'Started by its timer and by the plug-in of kernel-install.',
    ],
  },
  {
    unit: 'kpatch-pm.timer',
    text: [
      `Starts kpatch-pm.service by the calendar (\`${value('kpatch-pm.timer', 'OnCalendar')}\`) and ${minutes('kpatch-pm.timer', 'OnBootSec')} after boot, each up to ${value('kpatch-pm.timer', 'RandomizedDelaySec').replace('h', ' hours')} later, and makes up for what was missed.`,
      conditions('kpatch-pm.timer'),
      '`kpatch-pm auto` enables it, `kpatch-pm manual` disables it.',
    ],
  },
];

const STEPS = [
  'Markers of earlier boots are judged: a module whose loading crashed the machine is put into quarantine.',
  'A transaction that was interrupted is finished.',
  'Quarantined files are taken out of `/var/lib/kpatch`, however they came back there.',
  'Kernels in the queue get what is in the cache already; the network is not used.',
  'Of several levels of one stream only the highest stays in place.',
  'Modules of the running kernel are loaded, if `kpatch.service` is enabled or does not exist, and the kernel is asked whether it runs them.',
];

/** kpatch-pm-boot.service.8 */
export function servicePage(): string {
  const lines = [
    '.\\" Made from the units in packaging/systemd by `npm run docs`; edit test/support/man\\-service\\-page.ts.',
    `.Dd ${DATE}`,
    '.Dt KPATCH-PM-BOOT.SERVICE 8',
    '.Os',
    '.Sh NAME',
    ...UNITS.map((unit, n) => `.Nm ${unit}${n < UNITS.length - 1 ? ' ,' : ''}`),
    '.Nd load kernel live patches at boot, and keep them up to date',
    '.Sh DESCRIPTION',
    ...prose('Nothing of this is switched on by installing the package: the preset disables every unit.'),
    ...list(
      entries().flatMap(({ unit, text }) => [
        `.It Pa ${unit}`,
        ...text.filter((one) => one !== '').flatMap((one) => prose(one)),
      ]),
    ),
    '.Ss What happens at boot',
    '.Bl -enum',
    ...STEPS.flatMap((step) => ['.It', ...prose(step)]),
    '.El',
    '.Pp',
    ...prose(
      'A failure of one part is told, and the next parts still happen. By the last of them `systemctl disable kpatch.service` means that the next boot loads nothing; `kpatch-pm manual` alone changes nothing about booting. `kpatch-pm status` says beforehand what the next boot of a kernel will load, and which unit does it.',
    ),
    '.Sh KERNEL COMMAND LINE',
    ...list([
      '.It Cm kpatch-pm.enable=0',
      ...prose('None of the units runs, and nothing is loaded by them.'),
      '.It Cm kpatch.enable=0',
      ...prose('The boot unit does everything but load; `kpatch.service` does nothing.'),
    ]),
    '.Sh FILES',
    ...list([
      '.It Pa /var/lib/kpatch',
      'The modules, one directory for each kernel.',
      `.It Pa ${literal('/var/lib/kpatch-pm/quarantine')}`,
      'Modules that were taken out of use, and why.',
      `.It Pa ${literal('/var/lib/kpatch-pm/queue')}`,
      'Kernels that wait for the next run of kpatch\\-pm.service.',
    ]),
    '.Sh EXIT STATUS',
    ...list([
      '.It 0',
      'Everything was done.',
      '.It 1',
      ...prose(
        'Some part failed, or a module is in quarantine: the unit is then failed, with the reason in its log, until `kpatch-pm quarantine clear` is run or a higher level is installed.',
      ),
    ]),
    '.Sh EXAMPLES',
    'What the last boot did:',
    '.Dl journalctl \\-b \\-u kpatch\\-pm\\-boot.service',
    'What is in quarantine, and taking it back:',
    '.Dl kpatch\\-pm quarantine',
    '.Dl kpatch\\-pm quarantine clear kpatch_5_14_0_427_13_1_1_2',
    'When the next unattended run comes:',
    '.Dl systemctl list\\-timers kpatch\\-pm.timer',
    '.Sh SEE ALSO',
    '.Xr systemctl 1 ,',
    '.Xr kpatch-pm.conf 5 ,',
    '.Xr systemd.unit 5 ,',
    '.Xr kpatch-pm 8',
  ];
  return wrapped(lines);
}

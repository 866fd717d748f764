// Verbs close to the kernel and to systemd. `module` and `quarantine` are for people; HIDDEN_VERBS are what units call
// (docs/services.md). Part of the table in verbs.ts.
import type { VerbSpec } from './verb-spec.ts';

export const SYSTEM_VERBS = [
  {
    name: 'module',
    aliases: [],
    takes: 'COMMAND [ARGUMENT...]',
    noJson: true,
    raw: true,
    noDryRun: true,
    summary: 'Load, unload, list and install modules as the kpatch utility does, argument for argument',
    about: [
      "COMMAND is one of the kpatch utility: load FILE, load --all, unload MODULE, unload --all, install [-k KVER] FILE, uninstall [-k KVER] MODULE, list, info MODULE, signal, version. Arguments, texts and exit statuses are the utility's (usage errors end with 1).",
      'Better where the utility errs: of several levels only the newest is loaded, levels are compared as numbers, one broken file does not keep the others from being loaded, and success is what the kernel says. `unload` asks first, for vendors do not support it; --yes answers.',
    ],
    examples: [
      { command: 'kpatch-pm module list', what: 'what is loaded, and what is installed for which kernel' },
      { command: 'kpatch-pm module load --all', what: 'everything that is installed for the running kernel' },
      { command: 'kpatch-pm module install -k $(uname -r) ./livepatch-own.ko', what: 'a module of your own' },
    ],
  },
  {
    name: 'quarantine',
    aliases: [],
    takes: '[list | clear MODULE...]',
    noDryRun: true,
    summary: 'Show what the crash guard took out of use, or give it another chance',
    about: [
      'A module that was being loaded for the first time when the machine crashed is taken out of its directory at the next boot, so that the machine boots. A plain power cut is no crash. `clear` puts it back; it is loaded at the next boot, or by `kpatch-pm install`.',
    ],
    examples: [
      { command: 'kpatch-pm quarantine', what: 'what is in quarantine, since when, why' },
      { command: 'kpatch-pm quarantine clear kpatch_5_14_0_427_13_1_1_2', what: 'it was something else' },
    ],
  },
  {
    name: 'doctor',
    aliases: [],
    takes: '',
    summary: 'Find what this host lacks for live patching, with the command that mends each',
    about: [
      'Looks at node, the programs that are needed, the running kernel, repositories, keys, what kpatch-pm keeps, units, hooks, dnf and its plug-ins, other live-patching services, SELinux and the clock. It changes nothing, needs no root (what only root may read is marked ?) and never uses the network.',
      'A fault (NO) means that live patching does not work, or works less than it seems; a warning (!) that something will be missing one day. Exit status: 0 without a fault, 1 with one, 3 when the run failed. With -q only faults and warnings are shown.',
    ],
    examples: [
      { command: 'kpatch-pm doctor', what: 'right after installing, and whenever something does not work' },
      { command: 'kpatch-pm doctor -q || echo broken', what: 'for scripts' },
      { command: 'kpatch-pm --installroot /mnt/image doctor', what: 'an image, before it is rolled out' },
    ],
  },
  {
    name: 'machine',
    aliases: [],
    takes: 'reset',
    words: ['reset'],
    least: 1,
    summary: 'Take out of a system what belongs to this one machine, before an image is made of it',
    about: [
      'reset shows what it found, asks, and removes it: who allowed unattended loading here, what was being loaded or proved healthy here, the queue of the service, and the whole cache with the age of the newest metadata that was seen. What is installed, keys, pins, holds, quarantine and the history stay, and so does the setting; but machines made of the image load nothing unattended until somebody types `kpatch-pm auto` there, or their first boot runs it.',
    ],
    examples: [
      { command: 'kpatch-pm machine reset --dry-run', what: 'what belongs to this machine alone?' },
      { command: 'kpatch-pm --installroot /mnt/image machine reset --yes', what: 'in the script that builds an image' },
    ],
  },
] as const satisfies readonly VerbSpec[];

/** Not in the help: units of systemd call them. */
export const HIDDEN_VERBS = [
  {
    name: 'boot',
    aliases: [],
    takes: '[healthy]',
    words: ['healthy'],
    noDryRun: true,
    summary: 'Finish what was begun, keep quarantined modules out, and load: kpatch-pm-boot.service calls it',
    about: [
      'With healthy: what this boot loaded proved healthy; kpatch-pm-healthy.service calls it some time after boot, and kpatch-pm-boot.service at an orderly shutdown.',
    ],
    examples: [{ command: 'systemctl status kpatch-pm-boot.service', what: 'what the last boot did' }],
  },
  {
    name: 'service',
    aliases: [],
    takes: 'run | wait',
    words: ['run', 'wait'],
    least: 1,
    noDryRun: true,
    summary:
      'Work off the queue of new kernels and bring every kernel up to date, unattended: kpatch-pm.service calls it',
    about: [
      'Does nothing unless the setting is auto. Loads only where somebody typed `kpatch-pm auto` on this machine, and within maintenance_window. wait: until the queue is empty or --lock-timeout seconds have passed (300 unless said), for the actions of dnf.',
    ],
    examples: [{ command: 'systemctl start kpatch-pm.service', what: 'a run now, as the timer would do it' }],
  },
  {
    name: 'veto',
    aliases: [],
    takes: 'KVER...',
    noJson: true,
    least: 1,
    summary: 'Tell dnf5 to stop a transaction that brings a kernel without live patches: an action of dnf5 calls it',
    about: [
      "Prints what dnf5's actions plug-in reads: stop=REASON where the filter is on (kpatch-pm auto-filter), nobody offers live patches for KVER, and a kernel that is installed has them; else nothing. What cannot be told is logged and stops nothing. Always ends with 0.",
    ],
    examples: [
      {
        command: 'kpatch-pm veto 5.14.0-503.11.1.el9_5.x86_64',
        what: 'would dnf5 be stopped from installing this kernel?',
      },
    ],
  },
] as const satisfies readonly VerbSpec[];

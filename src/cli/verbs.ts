// Every verb, once: names, what it takes, its help. The parser, the help, the completion and the documentation use this table.
import { EVIDENCE_VERBS } from './evidence-verbs.ts';
import { PACKAGE_VERBS } from './package-verbs.ts';
import { SUPPLY_VERBS } from './supply-verbs.ts';
import { HIDDEN_VERBS, SYSTEM_VERBS } from './system-verbs.ts';
import type { VerbSpec } from './verb-spec.ts';

export const VERBS = [
  {
    name: 'status',
    aliases: [],
    takes: '',
    summary: 'Show the settings and, for every installed kernel, whether it is protected and what to do next',
    about: [
      'Reads this machine and the metadata in the cache; the network is used only with --refresh. Needs no root. The exit status is 0 whatever is found.',
      'For every installed kernel it shows the level that is loaded, installed and available, and one verdict: protected, protected-stale, ready-at-boot, update-available, installed-not-loaded, not-installed, patched-until-reboot, transition-stalled, quarantined, subscribed-no-fix, no-patch-stream or unknown. docs/terminology.md explains them.',
    ],
    examples: [
      { command: 'kpatch-pm status', what: 'what is the state of this machine?' },
      { command: 'kpatch-pm status --refresh', what: 'the same, with the newest metadata' },
      { command: 'kpatch-pm status --json', what: 'for programs' },
    ],
  },
  {
    name: 'auto',
    aliases: ['auto-update'],
    takes: '',
    summary: 'Bring every installed kernel to its highest usable level, now and in future',
    about: [
      'Installs or upgrades the live patch of every installed kernel, loads it into the running one, proves that the kernel runs it, and sets autoupdate = True in /etc/dnf/plugins/kpatch.conf.',
      'The setting is written when every package action succeeded. Answering no changes nothing at all.',
    ],
    examples: [
      { command: 'kpatch-pm auto', what: 'show what will be done, ask, do it' },
      { command: 'kpatch-pm -y auto', what: 'the same without the question' },
      { command: 'kpatch-pm auto --dry-run', what: 'only show it; needs no root' },
    ],
  },
  {
    name: 'manual',
    aliases: ['manual-update'],
    takes: '',
    summary: 'Stop taking live patches by itself; what is installed stays',
    about: [
      'Sets autoupdate = False in /etc/dnf/plugins/kpatch.conf and nothing else. Installed live patches stay installed and loaded.',
    ],
    examples: [{ command: 'kpatch-pm manual', what: 'from now on only `kpatch-pm install` changes patches' }],
  },
  {
    name: 'install',
    aliases: [],
    takes: '[SPEC...]',
    summary: 'Bring every installed kernel to its highest usable level, once; or install what is named',
    about: [
      'As auto, but the setting stays as it is. With SPEC only what is named is installed; a hold on it is lifted. An older level than the installed one is taken only where that very version is named. A package for a kernel that is not installed is refused.',
      'SPEC is whatever names a live patch: its name, name.arch, name-version, NEVRA or a pattern; "kpatch-patch = KVER", the form of the vendor\'s documentation; the module as `kpatch list` prints it; a package file (with its ending .rpm) or URL. Quotes that a web page left in place do not matter.',
      'A module file (.ko) of your own is taken with -k KVER, for exactly the kernel it was built for. Nobody signed it, so --nogpgcheck must say that you answer for it. It is marked as your own wherever it is shown, no run upgrades or removes it, and `kpatch-pm module uninstall` takes it away.',
    ],
    examples: [
      { command: 'kpatch-pm install', what: 'every installed kernel' },
      { command: 'kpatch-pm install --kernel $(uname -r)', what: 'only the running kernel' },
      { command: 'kpatch-pm install "kpatch-patch = $(uname -r)"', what: 'as the vendor documents it' },
      { command: 'kpatch-pm install --cve CVE-2024-1086', what: 'what fixes this, for every installed kernel' },
      { command: 'kpatch-pm install ./kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64.rpm', what: 'a package file' },
      {
        command: 'kpatch-pm --nogpgcheck install -k $(uname -r) ./my_fix.ko',
        what: 'a module that you built yourself',
      },
      { command: 'kpatch-pm install --no-load', what: 'ready for the next boot, the running kernel is not touched' },
      { command: 'kpatch-pm --installroot /mnt/image -y install', what: 'a system that is not running' },
    ],
  },
  ...EVIDENCE_VERBS,
  ...PACKAGE_VERBS,
  {
    name: 'auto-filter',
    aliases: [],
    takes: '',
    summary: 'Let dnf offer only kernels that have live patches',
    about: [
      'Sets autofilter = True in /etc/dnf/plugins/kpatch.conf, which the kpatch plugin of dnf obeys. `kpatch-pm kernels` shows which kernels that leaves.',
    ],
    examples: [{ command: 'kpatch-pm auto-filter', what: 'hide kernels without live patches from dnf' }],
  },
  {
    name: 'no-filter',
    aliases: [],
    takes: '',
    summary: 'Let dnf offer every kernel',
    about: ['Sets autofilter = False in /etc/dnf/plugins/kpatch.conf.'],
    examples: [{ command: 'kpatch-pm no-filter', what: 'show all kernels to dnf again' }],
  },
  {
    name: 'kernels',
    aliases: [],
    takes: '',
    summary: 'List installed and available kernels and which of them have live patches',
    about: [
      'The newest kernel comes first. A kernel has live patches when a repository offers a usable package made for it, be it an empty one that only subscribes.',
    ],
    examples: [
      { command: 'kpatch-pm kernels', what: 'which kernel should be booted to have live patches?' },
      { command: 'kpatch-pm kernels --supported', what: 'only those that have them' },
      { command: 'kpatch-pm kernels --format exclude', what: 'the filter for a dnf that has no kpatch plugin' },
    ],
  },
  {
    name: 'inspect',
    aliases: [],
    takes: 'FILE...',
    least: 1,
    summary: 'Show what package and module files are, who signed them, and whether they would be used',
    about: [
      'Reads RPM packages and kernel modules and makes every check that installing makes, without stopping at the first fault: digests, signatures, files, modules. It shows the kernel a live patch is for, the functions it replaces, the CVEs it fixes, and the scripts that kpatch-pm will not run. Needs no root and no network, and changes nothing.',
      'Signatures are judged by the keys of the root, or by those of --key. Exit status: 0 when every file is sound (with --require-signature: and signed by a trusted key), 1 when one is not.',
    ],
    examples: [
      { command: 'kpatch-pm inspect kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64.rpm', what: 'what is this package?' },
      { command: 'kpatch-pm inspect /var/lib/kpatch/$(uname -r)/*.ko', what: 'the modules of the running kernel' },
      {
        command: 'kpatch-pm inspect --require-signature --key RPM-GPG-KEY-vendor *.rpm',
        what: 'is each by this vendor?',
      },
      { command: 'kpatch-pm inspect --diff OLD.rpm NEW.rpm', what: 'what does the newer level add?' },
    ],
  },
  {
    name: 'keys',
    aliases: [],
    takes: '[WORD [ARGUMENT...]]',
    summary: 'Show and change which keys are trusted, and for what',
    about: [
      'WORD is list (the default), show FPR, import FILE-OR-URL..., remove FPR, pin STREAM FPR, or unpin STREAM [FPR]. FPR is a fingerprint, with blanks or without.',
      'Keys that sign packages are those of the rpm database, where there is one, so that rpm and dnf see the same; keys that sign the metadata of a repository (repo_gpgcheck) are kept apart, for each repository (--metadata ID). Importing shows owner, fingerprint and source and asks. A removed key stays away until it is imported again.',
      'rpm trusts every key for every package. For code that runs in the kernel a stream (STREAM: rhel, all packages kpatch-patch-*) can be pinned to keys of its own: what other trusted keys signed is then refused. The first successful installation proposes that; with -y, and unattended, it does so and says it. Pins in the section [pins] of kpatch-pm.conf go before those made here.',
    ],
    examples: [
      { command: 'kpatch-pm keys', what: 'which keys are trusted, until when, and what is pinned?' },
      {
        command: 'kpatch-pm keys import /etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-release',
        what: 'trust the keys of a file',
      },
      { command: 'kpatch-pm keys pin rhel 567E347AD0044ADE55BA8A5F199E2F91FD431D51', what: 'only this key may patch' },
      { command: 'kpatch-pm keys --metadata baseos import ./KEY', what: 'a key for the metadata of one repository' },
    ],
  },
  ...SYSTEM_VERBS,
  ...SUPPLY_VERBS,
  {
    name: 'makecache',
    aliases: [],
    takes: '',
    summary: 'Bring the metadata in the cache up to date',
    about: ['Asks every enabled repository for newer metadata. `status` then answers without the network.'],
    examples: [{ command: 'kpatch-pm makecache', what: 'refresh what the repositories offer' }],
  },
  {
    name: 'clean',
    aliases: [],
    takes: '[WHAT...]',
    words: ['all', 'metadata', 'packages', 'dbcache', 'expire-cache'],
    noDryRun: true,
    summary: 'Remove what is in the cache',
    about: [
      'WHAT is all (the default: metadata and packages), metadata, packages, dbcache or expire-cache. dbcache is another word for metadata; expire-cache keeps the metadata and has it confirmed by the repositories before its next use. Installed patches and their records are not in the cache and are never touched.',
    ],
    examples: [{ command: 'kpatch-pm clean all', what: 'start from an empty cache' }],
  },
] as const satisfies readonly VerbSpec[];

export type VerbName = (typeof VERBS)[number]['name'] | (typeof HIDDEN_VERBS)[number]['name'];

/** The verb a word names, by its name or another spelling; null when it is none. Case counts. */
export function verbOf(word: string): VerbSpec | null {
  const all: readonly VerbSpec[] = [...VERBS, ...HIDDEN_VERBS];
  return all.find((verb) => verb.name === word || verb.aliases.includes(word)) ?? null;
}

// The verbs a package manager has: names, what they take, their help. Names and meanings are dnf's. Part of the table in verbs.ts.
import type { VerbSpec } from './verb-spec.ts';

const SPEC =
  'SPEC is whatever names a live patch: its name, name.arch, name-version, NEVRA or a pattern; "kpatch-patch = KVER", the form of the vendor\'s documentation; the module as `kpatch list` prints it; a package file or URL. Quotes that a web page left in place do not matter.';

export const PACKAGE_VERBS = [
  {
    name: 'upgrade',
    aliases: ['update'],
    takes: '[SPEC...]',
    summary: 'Bring what is installed to its highest usable level',
    about: [
      'As install, but kernels for which nothing is installed are left alone. With SPEC only what is named is upgraded, and a hold on it is lifted.',
      SPEC,
    ],
    examples: [
      { command: 'kpatch-pm upgrade', what: 'everything that is installed' },
      { command: 'kpatch-pm upgrade --cve CVE-2024-1086', what: 'only what brings this fix' },
    ],
  },
  {
    name: 'check-update',
    aliases: ['check-upgrade'],
    takes: '[SPEC...]',
    summary: 'Tell whether there is anything to upgrade: exit status 100 when there is',
    about: [
      'Lists what `upgrade` would take, one line a package. The exit status is 100 when there is something, else 0.',
    ],
    examples: [{ command: 'kpatch-pm -q check-update', what: 'for scripts: the list alone, and the exit status' }],
  },
  {
    name: 'downgrade',
    aliases: [],
    takes: 'SPEC...',
    least: 1,
    summary: 'Go back to the next lower level, or to the one that is named',
    about: [
      'A kernel that runs a higher level keeps it until it is rebooted. The package is held at that level: `auto` and `install` without SPEC leave it alone until it is installed or upgraded by name.',
      SPEC,
    ],
    examples: [
      { command: 'kpatch-pm downgrade kpatch-patch-5_14_0-427_13_1', what: 'one level down' },
      { command: 'kpatch-pm downgrade kpatch-patch-5_14_0-427_13_1-1-1.el9_4', what: 'to this level' },
    ],
  },
  {
    name: 'reinstall',
    aliases: [],
    takes: 'SPEC...',
    least: 1,
    summary: 'Install again what is installed, for instance when its module file is gone',
    about: ['Fetches and verifies the same level anew and puts its files in place.', SPEC],
    examples: [{ command: 'kpatch-pm reinstall "kpatch-patch = $(uname -r)"', what: "the running kernel's" }],
  },
  {
    name: 'remove',
    aliases: ['erase', 'rm'],
    takes: 'SPEC...',
    least: 1,
    summary: 'Take live patches away, and keep them away',
    about: [
      'Removes the module file, the record and the entry in the rpm database. A kernel that runs the patch keeps it until it is rebooted. The removal is recorded as a hold: `auto` does not bring the package back; `kpatch-pm install SPEC` does, and lifts the hold.',
      SPEC,
    ],
    examples: [
      { command: 'kpatch-pm remove "kpatch-patch = $(uname -r)"', what: "the running kernel's" },
      { command: 'kpatch-pm remove kpatch-patch', what: 'all of them' },
    ],
  },
  {
    name: 'autoremove',
    aliases: [],
    takes: '',
    summary: 'Take away live patches of kernels that are no longer installed',
    about: ['Modules that belong to no package are left alone.'],
    examples: [{ command: 'kpatch-pm autoremove', what: 'clean up after old kernels were removed' }],
  },
  {
    name: 'list',
    aliases: ['ls'],
    takes: '[WHAT] [SPEC...]',
    summary: 'List live patches, installed and on offer',
    about: [
      'WHAT is installed, available, upgrades or all, as a word or as an option (--installed ...); all unless said.',
      'One line a package: name.arch, level, repository (@ where it came from, for installed ones). As in dnf the newest level of each is shown, and what is on offer only where it is higher than what is installed; --showduplicates shows all. On a pipe every package is one line, whatever its length.',
      SPEC,
    ],
    examples: [
      { command: 'kpatch-pm list --installed', what: 'what is installed' },
      { command: 'kpatch-pm list --available "kpatch-patch = $(uname -r)"', what: 'what is on offer for this kernel' },
      { command: 'kpatch-pm list --showduplicates kpatch-patch-5_14_0-427_13_1', what: 'every level' },
    ],
  },
  {
    name: 'info',
    aliases: [],
    takes: '[WHAT] [SPEC...]',
    summary: 'Show what is known about live patches: kernel, module, state, fixes',
    about: [
      'WHAT is as for list. The CVEs are those of the advisories that repositories publish about the package and, as levels are cumulative, about its lower levels. `cves` says which of them are fixed here, and who vouches for it.',
      SPEC,
    ],
    examples: [{ command: 'kpatch-pm info "kpatch-patch = $(uname -r)"', what: "all about the running kernel's" }],
  },
  {
    name: 'search',
    aliases: [],
    takes: 'TERM...',
    least: 1,
    summary: 'Search live patches by name, summary and kernel',
    about: [
      'Every TERM must be found, as a text or a pattern. `kpatch-pm search $(uname -r)` finds the live patches of the running kernel.',
    ],
    examples: [{ command: 'kpatch-pm search $(uname -r)', what: 'is there anything for this kernel?' }],
  },
  {
    name: 'provides',
    aliases: ['whatprovides', 'prov'],
    takes: 'PROVIDE...',
    least: 1,
    summary: 'Find the live patches that provide something, or hold a file',
    about: ['PROVIDE is a capability, with a version if wanted, or the path of a file.'],
    examples: [{ command: 'kpatch-pm provides "kpatch-patch = $(uname -r)"', what: 'every level for this kernel' }],
  },
  {
    name: 'download',
    aliases: [],
    takes: '[SPEC...]',
    noDryRun: true,
    summary: 'Fetch packages into the working directory (or --destdir)',
    about: [
      'Fetches what `install` would take, without SPEC for every installed kernel, with SPEC the highest level that is named, be its kernel installed or not. Size and checksum are held against the metadata; nothing is installed. `kpatch-pm inspect` judges the files, `kpatch-pm install ./FILE.rpm` installs them elsewhere.',
      SPEC,
    ],
    examples: [
      { command: 'kpatch-pm download --destdir /mnt/usb', what: 'for a machine without network' },
      { command: 'kpatch-pm download kpatch-patch-5_14_0-427_13_1', what: 'one package' },
    ],
  },
  {
    name: 'history',
    aliases: ['hist'],
    takes: '[list|info|undo] [TRANSACTION...]',
    summary: 'Show what kpatch-pm did on this machine, and undo it',
    about: [
      'Every run that changed something has a number, and a record of who asked, what was typed (without credentials), what was done for which kernel, and how it ended; so has every change of what is trusted. TRANSACTION is that number, `last`, `last-N`, or for list and info a range N..M. The newest 1000 are kept.',
      'undo plans the opposite of one run against the machine as it is now, shows it and asks. The older level is taken from a repository, or from the cache where keepcache=1 kept it; where it is not to be had, or something changed since, nothing is done. A level that was gone back to is held there. The running kernel keeps what it has loaded until the next reboot: vendors do not support unloading.',
      'In the table, Altered is the number of actions that were done; * means interrupted, > still running, # ended with a failure, E with warnings. Letters: I install, S subscribe, U upgrade, D downgrade, R reinstall, E removed, T registered with rpm, H hold, F no longer held, L load, X unload, C setting, M module without a package, K key imported or removed, P pinned or unpinned, Q out of quarantine, Z machine reset.',
    ],
    examples: [
      { command: 'kpatch-pm history', what: 'the newest first' },
      { command: 'kpatch-pm history info last', what: 'all about the last one' },
      { command: 'kpatch-pm history undo last --dry-run', what: 'what would undoing it come to?' },
    ],
  },
  {
    name: 'repolist',
    aliases: ['repos'],
    takes: '[all|enabled|disabled]',
    words: ['all', 'enabled', 'disabled'],
    summary: 'List the repositories',
    about: ['The enabled ones; with `all` or --all every one, and its state.'],
    examples: [{ command: 'kpatch-pm repolist --all', what: 'enabled and disabled ones' }],
  },
  {
    name: 'repoinfo',
    aliases: [],
    takes: '[ID...]',
    summary: 'Show what is known about repositories: addresses, age of the metadata, live patches on offer',
    about: ['Answers from the cache and fetches only what is too old.'],
    examples: [{ command: 'kpatch-pm repoinfo', what: 'where do live patches come from?' }],
  },
  {
    name: 'completion',
    aliases: [],
    takes: 'SHELL',
    noJson: true,
    words: ['bash', 'zsh', 'fish'],
    least: 1,
    summary: 'Print the completion script for a shell: bash, zsh or fish',
    about: [
      'Packages install the scripts where the shells look for them. The script offers verbs, options, installed kernels, repositories and the names of live patches, as the program itself lists them from its cache.',
    ],
    examples: [
      {
        command: 'kpatch-pm completion bash > /usr/share/bash-completion/completions/kpatch-pm',
        what: 'for every user of bash',
      },
      { command: 'kpatch-pm completion zsh > /usr/share/zsh/site-functions/_kpatch-pm', what: 'for zsh' },
      { command: 'kpatch-pm completion fish > ~/.config/fish/completions/kpatch-pm.fish', what: 'for fish' },
    ],
  },
] as const satisfies readonly VerbSpec[];

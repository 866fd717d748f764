// The verbs that answer with evidence. Part of the table in verbs.ts; docs/evidence.md says what each answer rests on.
import type { VerbSpec } from './verb-spec.ts';

export const EVIDENCE_VERBS = [
  {
    name: 'verify',
    aliases: [],
    takes: '',
    summary: 'Compare every layer from the repository to the running kernel and name the first that is broken',
    about: [
      'Looks at the repositories, the rpm database, the receipt, the module file, its SELinux label, what loads it at boot, sysfs (enabled, transition, build id) and the patched functions of the running kernel; names the first layer that is broken and the command that mends it. The network is used only with --refresh. Run as root it sees more.',
      'Without --kernel the running kernel is judged, or every kernel of a root that does not run. Exit status: 0 protected, 1 not protected, 3 it cannot be told.',
    ],
    examples: [
      { command: 'kpatch-pm verify', what: 'is the running kernel protected, provably?' },
      { command: 'kpatch-pm -q verify || echo exposed', what: 'for scripts: the exit status tells' },
      { command: 'kpatch-pm verify --refresh --json', what: 'by the newest metadata, for programs' },
    ],
  },
  {
    name: 'cves',
    aliases: [],
    takes: '[CVE...]',
    summary: 'Say of every CVE what is true on this machine, and on whose word',
    about: [
      'For every CVE exactly one of: fixed (by the loaded live patch), fixed-in-kernel, unproven (only unsigned sources say that it is fixed), on-disk (by an installed live patch that is not loaded), available, reboot (fixed only in another kernel), out-of-reach (named, but by nothing that could be used here), unknown (not in any metadata).',
      '"fixed" rests on signed sources only: the changelog of the package of the loaded module, or the advisories of a repository whose metadata is signed. Without words, CVEs that only the kernel itself concerns are counted and not listed; name one, or use --json or --csv.',
    ],
    examples: [
      { command: 'kpatch-pm cves', what: 'what is fixed, what is not' },
      { command: 'kpatch-pm cves CVE-2024-1086', what: 'this one' },
      { command: 'kpatch-pm cves --csv', what: 'for a spreadsheet' },
      { command: 'kpatch-pm cves --vex', what: 'an OpenVEX document for scanners' },
    ],
  },
  {
    name: 'updateinfo',
    aliases: [],
    takes: '[list|info|summary] [SPEC...]',
    summary: 'Show the advisories about kernels and live patches, as dnf updateinfo prints them',
    about: [
      'Without a word it prints the summary. SPEC is the id of an advisory, a package name or a pattern. By default only advisories about newer versions of what is installed are shown; --installed, --updates and --all mean what they mean in dnf; so do the words of yum: available, installed, updates, all, then security, bugfix, enhancement, newpackage or cves.',
    ],
    examples: [
      { command: 'kpatch-pm updateinfo list --with-cve', what: 'one line a CVE' },
      { command: 'kpatch-pm updateinfo info RHSA-2024:1234', what: 'all about one advisory' },
    ],
  },
  {
    name: 'needs-reboot',
    aliases: [],
    takes: '',
    summary: 'Say whether the kernel needs a reboot: no, not yet, or yes',
    about: [
      'Not yet means: a live patch covers what it can, and the CVEs that are listed wait for the reboot. Only the kernel is judged; `needs-restarting -r` tells about libraries and services. The network is used only with --refresh.',
      'Exit status: 0 no, 1 yes, 4 not yet, 3 it cannot be told.',
    ],
    examples: [{ command: 'kpatch-pm needs-reboot', what: 'must this machine be rebooted?' }],
  },
  {
    name: 'report',
    aliases: [],
    takes: 'FILE...',
    least: 1,
    summary: 'Merge what many machines answered into one table',
    about: [
      'FILE is what `kpatch-pm status --json` printed on a machine; of several files of one machine the newest counts. Files of `kpatch-pm cves --json` add the number of open CVEs. A file that is neither is named and left out, and the exit status is 1.',
      '--html gives one page that loads nothing and runs nothing, to be kept; --output writes it (or the text, or the JSON) into a file.',
    ],
    examples: [
      { command: 'kpatch-pm report web1.json web2.json', what: 'the worst running kernels first' },
      { command: 'kpatch-pm report --html --output report.html status/*.json cves/*.json', what: 'for an auditor' },
    ],
  },
  {
    name: 'metrics',
    aliases: [],
    takes: '',
    noJson: true,
    summary: 'Print metrics for Prometheus, or a line for Nagios',
    about: [
      "Prints what node_exporter's textfile collector reads; --output replaces the file at once, so that it is never seen half written. The names are listed in docs/evidence.md. The network is used only with --refresh.",
      '--nagios prints one line and ends with 0 OK (protected), 1 WARNING, 2 CRITICAL (a live patch exists and none runs) or 3 UNKNOWN.',
    ],
    examples: [
      {
        command: 'kpatch-pm metrics --output /var/lib/node_exporter/textfile/kpatch_pm.prom',
        what: 'from a timer, as root',
      },
      { command: 'kpatch-pm metrics --nagios', what: 'as a check' },
    ],
  },
] as const satisfies readonly VerbSpec[];

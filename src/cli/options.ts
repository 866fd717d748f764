// Every option, once: the parser, the help, the completion and the documentation are made from this table.
// Names and meanings are dnf's where dnf has the option. Source: dnf(8), docs/contract.md.
import { kernelRelease } from '../domain/kernel.ts';
import { EVIDENCE_OPTIONS } from './evidence-options.ts';
import type { OptionSpec } from './option-spec.ts';
import { SUPPLY_OPTIONS } from './supply-options.ts';
import { TRUST_OPTIONS } from './trust-options.ts';
import { VERB_OPTIONS } from './verb-options.ts';

const notEmpty = (value: string): string | null => (value === '' ? 'it must not be empty' : null);

export const OPTIONS = [
  {
    name: 'installroot',
    kind: 'value',
    metavar: 'DIR',
    check: notEmpty,
    help: 'Work on the system below DIR instead of the running one: its settings, repositories, keys, kernels and patches.',
    group: 'What to work on',
  },
  {
    name: 'kernel',
    short: 'k',
    kind: 'list',
    metavar: 'KVER',
    check: (value) => (kernelRelease(value) === null ? 'a kernel is named by its full `uname -r`' : null),
    help: 'Only this installed kernel, named by its full `uname -r`; may be given several times. `remove` and `autoremove` also take one that is gone.',
    group: 'What to work on',
  },
  {
    name: 'no-load',
    kind: 'flag',
    help: 'Install, but do not load into the running kernel.',
    group: 'What to work on',
  },
  {
    name: 'dry-run',
    kind: 'flag',
    help: 'Show what would be done and why, and change nothing. Needs no root.',
    group: 'What to work on',
  },
  {
    name: 'host',
    kind: 'flag',
    help: 'The running kernel belongs to the root that is worked on, although this is a container or another root.',
    group: 'What to work on',
  },
  {
    name: 'config',
    short: 'c',
    kind: 'value',
    metavar: 'FILE',
    check: notEmpty,
    help: 'Read FILE instead of /etc/dnf/dnf.conf.',
    group: 'What to work on',
  },
  {
    name: 'kpm-config',
    kind: 'value',
    metavar: 'FILE',
    check: notEmpty,
    help: 'Read FILE instead of /etc/kpatch-pm/kpatch-pm.conf.',
    group: 'What to work on',
  },
  {
    name: 'lock-timeout',
    kind: 'value',
    metavar: 'SECONDS',
    check: (value) => (/^\d{1,6}$/.test(value) ? null : 'it must be a whole number of seconds'),
    help: 'Wait this long for another run that changes the same root (0 unless configured).',
    group: 'What to work on',
  },
  {
    name: 'repo',
    aliases: ['repoid'],
    kind: 'list',
    metavar: 'ID',
    commas: true,
    check: notEmpty,
    help: 'Use only these repositories, enabled or not; an id, several with commas, or a pattern.',
    group: 'Repositories and trust',
  },
  {
    name: 'enablerepo',
    kind: 'list',
    metavar: 'ID',
    commas: true,
    check: notEmpty,
    help: 'Use these repositories too, for this run.',
    group: 'Repositories and trust',
  },
  {
    name: 'disablerepo',
    kind: 'list',
    metavar: 'ID',
    commas: true,
    check: notEmpty,
    help: 'Do not use these repositories in this run.',
    group: 'Repositories and trust',
  },
  {
    name: 'exclude',
    short: 'x',
    aliases: ['excludepkgs'],
    kind: 'list',
    metavar: 'PATTERN',
    commas: true,
    check: notEmpty,
    help: 'Hide packages on offer for this run, by name or pattern, as excludepkgs does.',
    group: 'Repositories and trust',
  },
  {
    name: 'disableexcludes',
    aliases: ['disableexcludepkgs'],
    kind: 'list',
    metavar: 'WHICH',
    commas: true,
    check: notEmpty,
    help: 'Do not obey the excludes of main, of one repository, or all of them.',
    group: 'Repositories and trust',
  },
  {
    name: 'repofrompath',
    kind: 'list',
    metavar: 'ID,URL',
    check: (value) => (/^[^,\s]+,./.test(value) ? null : 'it must be an id, a comma and a URL or path'),
    help: 'Use one more repository, as `baseurl` would name it.',
    group: 'Repositories and trust',
  },
  {
    name: 'releasever',
    kind: 'value',
    metavar: 'VERSION',
    check: notEmpty,
    help: 'The value of $releasever in repository files.',
    group: 'Repositories and trust',
  },
  {
    name: 'forcearch',
    kind: 'value',
    metavar: 'ARCH',
    check: (value) => (/^[a-z0-9_]+$/.test(value) ? null : 'it must be the name of an architecture, as x86_64'),
    help: 'The architecture to work for, and the value of $arch and $basearch.',
    group: 'Repositories and trust',
  },
  {
    name: 'setopt',
    kind: 'list',
    metavar: '[REPO.]KEY=VALUE',
    check: (value) => (/^[^=\s]+=/.test(value) ? null : 'it must be KEY=VALUE or REPO.KEY=VALUE'),
    help: 'Override an option of dnf.conf or of a repository, for this run.',
    group: 'Repositories and trust',
  },
  {
    name: 'nogpgcheck',
    kind: 'flag',
    help: 'Accept packages without a trusted signature. Their code runs in the kernel: only for tests.',
    group: 'Repositories and trust',
  },
  {
    name: 'cacheonly',
    short: 'C',
    kind: 'flag',
    help: 'Use the metadata that is in the cache and nothing from the network.',
    group: 'Repositories and trust',
  },
  {
    name: 'refresh',
    kind: 'flag',
    help: 'Ask every repository for newer metadata first.',
    group: 'Repositories and trust',
  },
  {
    name: 'allow-older-metadata',
    kind: 'flag',
    help: 'Take signed metadata although newer was seen before: the owner of the repository went back on purpose.',
    group: 'Repositories and trust',
  },
  {
    name: 'assumeyes',
    aliases: ['yes'],
    short: 'y',
    kind: 'flag',
    help: 'Answer yes to every question, also whether the keys named by `gpgkey` are trusted.',
    group: 'Questions',
  },
  { name: 'assumeno', kind: 'flag', help: 'Answer no to every question.', group: 'Questions' },
  {
    name: 'unattended',
    kind: 'flag',
    help: 'Work as a timer does: ask nothing, do what the settings say, and take a new key only from a verified installed package.',
    group: 'Questions',
  },
  ...TRUST_OPTIONS,
  ...VERB_OPTIONS,
  ...EVIDENCE_OPTIONS,
  ...SUPPLY_OPTIONS,
  {
    name: 'json',
    kind: 'flag',
    help: 'Print one JSON object on standard output; questions and remarks go to standard error.',
    group: 'Output',
  },
  { name: 'quiet', short: 'q', kind: 'flag', help: 'Print nothing when all is well.', group: 'Output' },
  { name: 'verbose', short: 'v', kind: 'flag', help: 'Say more about what is done and found.', group: 'Output' },
  {
    name: 'color',
    kind: 'value',
    metavar: 'WHEN',
    choices: ['auto', 'always', 'never'],
    default: 'auto',
    help: 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never.',
    group: 'Output',
  },
  { name: 'help', short: 'h', kind: 'flag', help: 'Show this help, or that of a verb.', group: 'Output' },
  { name: 'version', kind: 'flag', help: 'Show the version.', group: 'Output' },
] as const satisfies readonly OptionSpec[];

type Spec = (typeof OPTIONS)[number];
export type FlagName = Extract<Spec, { kind: 'flag' }>['name'];
export type ValueName = Extract<Spec, { kind: 'value' }>['name'];
export type ListName = Extract<Spec, { kind: 'list' }>['name'];

/** What was given on the command line, by the names of the table. */
export interface Options {
  flag(name: FlagName): boolean;
  /** The last value given, the default, or null. */
  value(name: ValueName): string | null;
  list(name: ListName): readonly string[];
}

/** Options that contradict each other: giving both is a usage error. */
export const CONFLICTS: readonly (readonly [string, string])[] = [
  ['repo', 'disablerepo'],
  ['refresh', 'cacheonly'],
  ['enabled', 'disabled'],
  ['list', 'info'],
  ['list', 'summary'],
  ['info', 'summary'],
  ['json', 'csv'],
  ['json', 'vex'],
  ['csv', 'vex'],
  ['html', 'json'],
  ['nagios', 'output'],
  ['dry-run', 'output'],
  ['watch', 'json'],
  ['unattended', 'assumeyes'],
  ['unattended', 'assumeno'],
];

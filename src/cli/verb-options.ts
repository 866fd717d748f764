// Options that belong to some verbs only. Part of the table in options.ts; names and meanings are dnf's.
import type { OptionSpec } from './options.ts';

const notEmpty = (value: string): string | null => (value === '' ? 'it must not be empty' : null);
const SHOWING = ['list', 'info'] as const;

export const VERB_OPTIONS = [
  {
    name: 'cve',
    aliases: ['cves'],
    kind: 'list',
    metavar: 'CVE',
    commas: true,
    check: (value) => (/^CVE-\d{4}-\d{4,}$/i.test(value) ? null : 'it must be CVE-YEAR-NUMBER'),
    help: 'Only live patches that fix this CVE, as the advisories of the repositories say.',
    group: 'What to work on',
    verbs: ['install', 'upgrade', 'check-update', 'list', 'info', 'download', 'updateinfo'],
  },
  {
    name: 'advisory',
    aliases: ['advisories'],
    kind: 'list',
    metavar: 'ID',
    commas: true,
    check: notEmpty,
    help: 'Only live patches that bring what this advisory announces.',
    group: 'What to work on',
    verbs: ['install', 'upgrade', 'check-update', 'list', 'info', 'download', 'updateinfo'],
  },
  {
    name: 'installed',
    kind: 'flag',
    help: 'What is installed.',
    group: 'What to work on',
    verbs: [...SHOWING, 'updateinfo'],
  },
  {
    name: 'available',
    kind: 'flag',
    help: 'What is on offer and not installed.',
    group: 'What to work on',
    verbs: [...SHOWING, 'updateinfo'],
  },
  {
    name: 'upgrades',
    aliases: ['updates'],
    kind: 'flag',
    help: 'What is on offer and higher than what is installed.',
    group: 'What to work on',
    verbs: [...SHOWING, 'updateinfo'],
  },
  {
    name: 'all',
    kind: 'flag',
    help: 'Everything: installed and on offer; of repolist: enabled and disabled.',
    group: 'What to work on',
    verbs: [...SHOWING, 'repolist', 'updateinfo'],
  },
  {
    name: 'showduplicates',
    kind: 'flag',
    help: 'Every level on offer, not only the newest.',
    group: 'Output',
    verbs: SHOWING,
  },
  {
    name: 'destdir',
    kind: 'value',
    metavar: 'DIR',
    check: notEmpty,
    help: 'Put the files into DIR (which must exist) instead of the working directory.',
    group: 'What to work on',
    verbs: ['download'],
  },
  {
    name: 'supported',
    kind: 'flag',
    help: 'Only kernels that have live patches.',
    group: 'Output',
    verbs: ['kernels'],
  },
  {
    name: 'format',
    kind: 'value',
    metavar: 'FORMAT',
    choices: ['exclude', 'versionlock'],
    help: 'Print the kernels on offer without live patches as an exclude line for dnf.conf, or as entries of versionlock.list.',
    group: 'Output',
    verbs: ['kernels'],
  },
] as const satisfies readonly OptionSpec[];

// Options of the verbs that answer with evidence. Part of the table in options.ts.
import type { OptionSpec } from './option-spec.ts';

export const EVIDENCE_OPTIONS = [
  { name: 'list', kind: 'flag', help: 'As the word list.', group: 'Output', verbs: ['updateinfo'] },
  { name: 'info', kind: 'flag', help: 'As the word info.', group: 'Output', verbs: ['updateinfo'] },
  { name: 'summary', kind: 'flag', help: 'As the word summary.', group: 'Output', verbs: ['updateinfo'] },
  {
    name: 'with-cve',
    kind: 'flag',
    help: 'One line for every CVE of an advisory, the CVE first.',
    group: 'Output',
    verbs: ['updateinfo'],
  },
  {
    name: 'csv',
    kind: 'flag',
    help: 'Print comma-separated values, with a line of headings.',
    group: 'Output',
    verbs: ['cves'],
  },
  {
    name: 'vex',
    kind: 'flag',
    help: 'Print an OpenVEX document (JSON).',
    group: 'Output',
    verbs: ['cves'],
  },
  {
    name: 'advise',
    kind: 'flag',
    help: 'Also say how old each stream is, when it ends, and what a `dnf update` would do to the coverage.',
    group: 'Output',
    verbs: ['kernels'],
  },
  {
    name: 'watch',
    kind: 'flag',
    help: 'Go on while a live patch is in transition, and show who is in its way.',
    group: 'Output',
    verbs: ['status'],
  },
  {
    name: 'html',
    kind: 'flag',
    help: 'Print one self-contained HTML page.',
    group: 'Output',
    verbs: ['report'],
  },
  {
    name: 'nagios',
    kind: 'flag',
    help: 'Print one line for Nagios and end with its codes.',
    group: 'Output',
    verbs: ['metrics'],
  },
  {
    name: 'output',
    short: 'o',
    kind: 'value',
    metavar: 'FILE',
    check: (value) => (value === '' ? 'it must not be empty' : null),
    help: 'Write into FILE, which is replaced whole, instead of printing; of bundle create: the archive to make.',
    group: 'Output',
    verbs: ['report', 'metrics', 'bundle'],
  },
] as const satisfies readonly OptionSpec[];

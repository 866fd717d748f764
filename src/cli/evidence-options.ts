// Options of the verbs that answer with evidence. Part of the table in options.ts.
import type { OptionSpec } from './options.ts';

export const EVIDENCE_OPTIONS = [
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
] as const satisfies readonly OptionSpec[];

// Options of the verbs that show and judge who signed what. Part of the table in options.ts.
import type { OptionSpec } from './option-spec.ts';

const notEmpty = (value: string): string | null => (value === '' ? 'it must not be empty' : null);

export const TRUST_OPTIONS = [
  {
    name: 'key',
    kind: 'list',
    metavar: 'FILE',
    check: notEmpty,
    help: "Trust the keys of FILE in place of the root's; may be given several times.",
    group: 'Repositories and trust',
    verbs: ['inspect', 'bundle'],
  },
  {
    name: 'metadata',
    kind: 'value',
    metavar: 'ID',
    check: notEmpty,
    help: 'Import, show or remove a key that signs the metadata of the repository ID (repo_gpgcheck), not packages.',
    group: 'Repositories and trust',
    verbs: ['keys'],
  },
  {
    name: 'require-signature',
    kind: 'flag',
    help: 'Fail unless every file is signed by a trusted key.',
    group: 'Repositories and trust',
    verbs: ['inspect'],
  },
  {
    name: 'diff',
    kind: 'flag',
    help: 'Show what the second file brings that the first does not: functions, CVEs, changelog entries, files.',
    group: 'Output',
    verbs: ['inspect'],
  },
] as const satisfies readonly OptionSpec[];

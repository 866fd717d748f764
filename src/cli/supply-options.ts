// Options of the verbs that carry live patches elsewhere. Part of the table in options.ts.
import type { OptionSpec } from './options.ts';

const notEmpty = (value: string): string | null => (value === '' ? 'it must not be empty' : null);

export const SUPPLY_OPTIONS = [
  {
    name: 'all-levels',
    kind: 'flag',
    help: 'Every usable level of each kernel, not only the newest.',
    group: 'What to work on',
    verbs: ['bundle'],
  },
  {
    name: 'force',
    kind: 'flag',
    help: 'Overwrite a file that exists.',
    group: 'Output',
    verbs: ['bundle'],
  },
  {
    name: 'sign',
    kind: 'value',
    metavar: 'KEY',
    check: notEmpty,
    help: 'Sign with this secret key of the keyring of gpg: a fingerprint, key id or address.',
    group: 'Repositories and trust',
    verbs: ['bundle'],
  },
] as const satisfies readonly OptionSpec[];

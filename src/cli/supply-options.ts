// Options of the verbs that carry live patches elsewhere. Part of the table in options.ts.
import type { OptionSpec } from './option-spec.ts';

const notEmpty = (value: string): string | null => (value === '' ? 'it must not be empty' : null);

const number = (value: string): string | null => (/^\d{1,9}$/.test(value) ? null : 'it must be a number');

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
    help: 'Overwrite a file that exists; of publish: also a level that is not higher than those that lie there.',
    group: 'Output',
    verbs: ['bundle', 'publish'],
  },
  {
    name: 'sign',
    kind: 'value',
    metavar: 'KEY',
    check: notEmpty,
    help: 'Sign with this secret key of the keyring of gpg: a fingerprint, key id or address.',
    group: 'Repositories and trust',
    verbs: ['bundle', 'publish'],
  },
  {
    name: 'patch-version',
    kind: 'value',
    metavar: 'V',
    check: number,
    help: 'Version of the level, a number; behind publish it may be written --version. 1 unless said; of an empty package 0.',
    group: 'What to work on',
    verbs: ['publish'],
  },
  {
    name: 'release',
    kind: 'value',
    metavar: 'R',
    check: (value) => (/^\d{1,9}(?:\.el\d+(?:_\d+)?)?$/.test(value) ? null : 'it must be a number'),
    help: 'Release of the level, a number; the dist tag of the kernel is added. Of an empty package 0 unless said.',
    group: 'What to work on',
    verbs: ['publish'],
  },
  {
    name: 'into',
    kind: 'value',
    metavar: 'DIR',
    check: notEmpty,
    help: 'The repository to publish in, a directory; behind publish it may be written --repo. It is made where it is not there.',
    group: 'Output',
    verbs: ['publish'],
  },
  {
    name: 'empty',
    kind: 'flag',
    help: 'Publish the empty package that subscribes a kernel.',
    group: 'What to work on',
    verbs: ['publish'],
  },
  {
    name: 'changelog',
    kind: 'list',
    metavar: 'TEXT',
    check: notEmpty,
    help: 'What the level brings, for its changelog and advisory; may be given several times.',
    group: 'What to work on',
    verbs: ['publish'],
  },
  {
    name: 'sign-module',
    kind: 'value',
    metavar: 'KEY',
    check: notEmpty,
    help: 'Sign the module for Secure Boot with this private key (PEM); its certificate is the word behind it, or --module-cert, or in the same file.',
    group: 'Repositories and trust',
    verbs: ['publish'],
  },
  {
    name: 'module-cert',
    kind: 'value',
    metavar: 'CERT',
    check: notEmpty,
    help: 'The certificate of the key of --sign-module (PEM or DER).',
    group: 'Repositories and trust',
    verbs: ['publish'],
  },
] as const satisfies readonly OptionSpec[];

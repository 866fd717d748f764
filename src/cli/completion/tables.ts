// What a shell may offer, drawn from the tables of verbs and options.
import type { OptionSpec } from '../option-spec.ts';
import { OPTIONS } from '../options.ts';
import type { VerbSpec } from '../verb-spec.ts';
import { VERBS } from '../verbs.ts';

const specs: readonly OptionSpec[] = OPTIONS;

/** Every verb that is shown to people. */
export const verbs: readonly VerbSpec[] = VERBS;

/** What kind of thing stands somewhere on the command line. */
export type Kind = 'available' | 'installed' | 'packages' | 'kernels' | 'repos' | 'files' | 'directories' | 'none';

/** What may follow verbs that take no closed list of words. */
const FOLLOWS: Readonly<Record<string, Kind>> = {
  install: 'available',
  upgrade: 'installed',
  downgrade: 'installed',
  reinstall: 'installed',
  remove: 'installed',
  'check-update': 'installed',
  list: 'packages',
  info: 'packages',
  download: 'available',
  updateinfo: 'packages',
  inspect: 'files',
  bundle: 'files',
  publish: 'files',
  module: 'files',
  keys: 'files',
  repoinfo: 'repos',
};

/** Words that may follow a verb although the list is not closed. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  list: ['installed', 'available', 'upgrades', 'all'],
  info: ['installed', 'available', 'upgrades', 'all'],
  updateinfo: ['list', 'info', 'summary'],
  keys: ['list', 'show', 'import', 'remove', 'pin', 'unpin'],
  module: ['load', 'unload', 'install', 'uninstall', 'list', 'info', 'signal', 'version'],
  quarantine: ['list', 'clear'],
  machine: ['reset'],
  history: ['list', 'info', 'undo', 'last'],
  bundle: ['create', 'verify', 'install'],
};

export const followsOf = (verb: VerbSpec): Kind => FOLLOWS[verb.name] ?? 'none';
export const wordsOf = (verb: VerbSpec): readonly string[] => verb.words ?? WORDS[verb.name] ?? [];

/** What the value of an option is. */
export function valueKind({ name, metavar }: OptionSpec): Kind {
  if (name === 'kernel') return 'kernels';
  if (['repo', 'enablerepo', 'disablerepo', 'metadata'].includes(name)) return 'repos';
  if (metavar === 'DIR') return 'directories';
  if (metavar === 'FILE') return 'files';
  return 'none';
}

export const namesOf = (verb: VerbSpec): readonly string[] => [verb.name, ...verb.aliases];

/** Every spelling of an option, with its dashes. */
export const spellings = ({ name, short, aliases = [] }: OptionSpec): string[] => [
  ...(short === undefined ? [] : [`-${short}`]),
  ...[name, ...aliases].map((one) => `--${one}`),
];

/** Options that every verb takes. */
export const commonOptions = specs.filter((spec) => spec.verbs === undefined);
/** Options of one verb only. */
export const ownOptions = (verb: VerbSpec): OptionSpec[] =>
  verb.raw ? [] : specs.filter((spec) => spec.verbs?.includes(verb.name));
export const valueOptions = specs.filter(({ kind }) => kind !== 'flag');
export const allOptions = specs;

/** The arguments with which the program itself tells what there is to choose from. */
export const QUESTIONS: Readonly<Record<'available' | 'installed' | 'packages' | 'repos' | 'kernels', string>> = {
  available: '-q -C list --available',
  installed: '-q -C list --installed',
  packages: '-q -C list --all',
  repos: '-q -C repolist --all',
  kernels: '-q -C kernels',
};

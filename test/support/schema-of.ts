// Which schema of docs/schemas describes the JSON of a command line.
import { verbOf } from '../../src/cli/verbs.ts';

const PACKAGES = ['list', 'info', 'search', 'provides', 'check-update', 'download'];
const PLANS = [
  'auto',
  'install',
  'upgrade',
  'downgrade',
  'reinstall',
  'remove',
  'autoremove',
  'manual',
  'auto-filter',
  'no-filter',
  'service',
];
/** Schemas that are not named as their verb. */
const OTHERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(PACKAGES.map((verb) => [verb, 'packages'])),
  ...Object.fromEntries(PLANS.map((verb) => [verb, 'plan'])),
  repolist: 'repositories',
  repoinfo: 'repositories',
};

/** The verb of a command line, by its name; empty where there is none. */
export const verbIn = (words: readonly string[]): string =>
  words.map(verbOf).find((found) => found !== null)?.name ?? '';

/** The name of the schema: that of the verb, unless the table, an option or the exit status says otherwise. */
export function schemaOf(words: readonly string[], status: number): string {
  const verb = verbIn(words);
  if (status === 2) return 'usage';
  if (words.includes('--vex')) return 'openvex';
  if (words.includes('--downloadonly')) return 'packages';
  if (verb === 'bundle' && words.includes('install')) return 'plan';
  if (verb === 'history' && (words.includes('undo') || words.includes('rollback'))) return 'plan';
  return OTHERS[verb] ?? verb;
}

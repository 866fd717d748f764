// Verbs and options that people know from dnf, yum or the kpatch utility and that are not offered here: what is typed instead.
// docs/coming-from-dnf.md has the same tables; its test holds both against the help of a real dnf.
import { verbOf } from './verbs.ts';

const NO_SOLVER =
  'Leave it out: there is no solver, each kernel gets its highest usable level, and every level passed over is named.';
const MODULE = (command: string): string =>
  `Type \`kpatch-pm module ${command}\`: the kpatch utility's commands are there.`;
const ONLY_PATCHES = "kpatch-pm knows live patches only; other packages are dnf's.";

/** By the word typed for a verb. */
const VERBS: Readonly<Record<string, string>> = {
  repoquery: 'Type `kpatch-pm list --showduplicates SPEC`, `kpatch-pm info SPEC` or `kpatch-pm provides CAPABILITY`.',
  deplist: 'Type `kpatch-pm info SPEC`: a live patch needs its kernel, and perhaps a version of kpatch.',
  'distro-sync': 'Type `kpatch-pm install`: each installed kernel gets the highest level that its repositories offer.',
  distrosync: 'Type `kpatch-pm install`: each installed kernel gets the highest level that its repositories offer.',
  'upgrade-minimal': 'Type `kpatch-pm upgrade --security`: levels are cumulative, the highest is taken.',
  'update-minimal': 'Type `kpatch-pm upgrade --security`: levels are cumulative, the highest is taken.',
  localinstall: 'Type `kpatch-pm install FILE.rpm`.',
  localupdate: 'Type `kpatch-pm upgrade FILE.rpm`.',
  check: 'Type `kpatch-pm verify` for what protects the kernel, or `kpatch-pm doctor` for what this host lacks.',
  'needs-restarting': "Type `kpatch-pm needs-reboot`: it judges the kernel; services are needs-restarting's.",
  advisory: 'Type `kpatch-pm updateinfo`.',
  'list-updateinfo': 'Type `kpatch-pm updateinfo list`.',
  'list-security': 'Type `kpatch-pm updateinfo list security`.',
  'list-sec': 'Type `kpatch-pm updateinfo list security`.',
  'info-updateinfo': 'Type `kpatch-pm updateinfo info`.',
  'info-security': 'Type `kpatch-pm updateinfo info security`.',
  'info-sec': 'Type `kpatch-pm updateinfo info security`.',
  versionlock:
    "`kpatch-pm remove SPEC` and `kpatch-pm downgrade SPEC` hold what they name; the list of dnf's versionlock is obeyed too.",
  swap: 'Type `kpatch-pm install SPEC`: a level takes the place of the one before.',
  mark: 'What is installed stays until you remove it; `kpatch-pm autoremove` takes only what belongs to kernels that are gone.',
  'config-manager': 'Repositories are configured for dnf, and read as they are: `dnf config-manager`, or their files.',
  'repository-packages': 'Type `kpatch-pm --repo ID VERB`.',
  alias: 'There are no aliases of your own: `kpatch-pm --help` lists the verbs.',
  shell: 'There is no shell of its own: `kpatch-pm --help` lists the verbs.',
  group: ONLY_PATCHES,
  environment: ONLY_PATCHES,
  rollback: 'Type `kpatch-pm history undo last`, or `kpatch-pm downgrade SPEC`.',
  undo: 'Type `kpatch-pm history undo last`.',
  'kernel-livepatch': 'Type `kpatch-pm auto`, `kpatch-pm manual` or `kpatch-pm kernels --advise`.',
  load: MODULE('load FILE'),
  unload: MODULE('unload MODULE'),
  uninstall: 'Type `kpatch-pm remove SPEC`; of a module file of your own `kpatch-pm module uninstall MODULE`.',
  force: MODULE('signal'),
  signal: MODULE('signal'),
  enable: 'Type `kpatch-pm auto`.',
  disable: 'Type `kpatch-pm manual`.',
};

/** By the option as typed. */
const OPTIONS: Readonly<Record<string, string>> = {
  '-b': NO_SOLVER,
  '--best': NO_SOLVER,
  '--nobest': NO_SOLVER,
  '--skip-broken': NO_SOLVER,
  '--allowerasing': NO_SOLVER,
  '--noautoremove': NO_SOLVER,
  '--debugsolver': NO_SOLVER,
  '--obsoletes': 'Live patches that were withdrawn are never taken; `kpatch-pm install --dry-run` says so.',
  '--enableplugin': 'There are no plug-ins: leave it out.',
  '--disableplugin': 'There are no plug-ins: leave it out.',
  '--noplugins': 'There are no plug-ins: leave it out.',
  '--nodocs': 'Live patches hold no documentation: leave it out.',
  '--enable':
    'Repositories are configured for dnf: `dnf config-manager`, or their files. For one run: --enablerepo ID.',
  '--disable':
    'Repositories are configured for dnf: `dnf config-manager`, or their files. For one run: --disablerepo ID.',
  '-4': 'Type --setopt ip_resolve=4.',
  '-6': 'Type --setopt ip_resolve=6.',
  '-R': 'The timer spreads its runs; elsewhere put `sleep` before it.',
  '--randomwait': 'The timer spreads its runs; elsewhere put `sleep` before it.',
  '-d': 'Type -v or -q.',
  '--debuglevel': 'Type -v or -q.',
  '-e': 'Type -v or -q.',
  '--errorlevel': 'Type -v or -q.',
  '--rpmverbosity': 'Type -v or -q.',
  '--comment': 'Leave it out: `kpatch-pm history info` tells who asked, and what was typed.',
  '--help-cmd': 'Type --help.',
  '--changelogs': 'Type `kpatch-pm inspect FILE` or `kpatch-pm cves`.',
  '--extras': '`kpatch-pm status` names what belongs to no repository or kernel.',
  '--recent': 'Type `kpatch-pm kernels --advise`: it tells how old each stream is.',
  '--duplicates': '`kpatch-pm status` names what belongs to no repository or kernel.',
  '--oldinstallonly': 'Type `kpatch-pm autoremove --dry-run`.',
  '--autoremove': 'Type `kpatch-pm autoremove --dry-run`.',
  '--timer': 'Leave it out: `kpatch-pm makecache` does the same from a timer.',
  '--with-bz': 'Type `kpatch-pm updateinfo info`: it prints the bugs.',
};

const known = (table: Readonly<Record<string, string>>, word: string): string | null =>
  Object.hasOwn(table, word) ? (table[word] as string) : null;

/** What to type instead of a verb that is known from elsewhere; null for any other word. `next` is the word behind it. */
export function insteadOfVerb(word: string, next?: string): string | null {
  if (word !== 'kpatch') return known(VERBS, word);
  const same = next === undefined ? null : verbOf(next);
  return same === null ? MODULE('COMMAND') : `Type \`kpatch-pm ${same.name}\`.`;
}

/** What to give instead of an option that is known from elsewhere (`--best`, `-4`); null for any other. */
export const insteadOfOption = (shown: string): string | null => known(OPTIONS, shown);

/** For the page that lists them. */
export const ELSEWHERE = { verbs: [...Object.keys(VERBS), 'kpatch'], options: Object.keys(OPTIONS) } as const;

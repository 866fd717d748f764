// A reason: a code of a closed list and a sentence for people.

export const REASON_CODES = {
  // -- why something is done
  'newest-level': 'the highest usable level for this kernel',
  subscribe: 'an empty package: the kernel is subscribed, there are no fixes yet',
  'newer-level': 'a higher level than the installed one',
  'not-loaded': 'the newest installed level is not active in the running kernel',
  'setting-requested': 'the setting was asked for',
  superseded: 'a newer cumulative level takes its place',
  'asked-for': 'asked for by name',
  'own-module': 'a module of your own: nobody signed it, no repository replaces it',
  'kernel-gone': 'its kernel is no longer installed',
  'hold-lifted': 'what was held back is asked for by name',
  // -- why a kernel is left as it is
  'up-to-date': 'the highest usable level is installed',
  'subscribed-no-fix': 'subscribed, no fixes have been published yet',
  'other-kernel': 'made for another kernel',
  'no-stream': 'no repository offers live patches for this kernel',
  'no-scheme': 'no vendor naming scheme for live patches fits this kernel',
  'all-rejected': 'every level on offer was rejected',
  'installed-is-newer': 'the installed level is newer than what is on offer',
  'no-metadata': 'no repository metadata could be read',
  held: 'held back on purpose',
  'not-selected': 'not among the kernels named by --kernel',
  'not-asked-for': 'not among what was named',
  'not-announced': 'no advisory that was asked for announces what is on offer',
  'nothing-installed': 'no live patch is installed for this kernel',
  'fix-installed': 'the installed level has the fix',
  'not-on-offer': 'no repository offers the level that is asked for',
  'setting-only': 'only the setting changes; what is installed stays as it is',
  'file-missing': 'the installed package is recorded, but its module file is gone',
  'file-changed': 'the module file is not the one that was installed',
  'loading-off': 'loading was switched off for this run',
  quarantined: 'the machine crashed while the module was being loaded',
  'min-age': 'published too short a time ago (min_age)',
  'later-cohort': 'the turn of this machine in the rollout has not come',
  // -- why a package is rejected
  excluded: 'hidden by an exclude rule',
  'lower-priority': 'a repository of better priority offers this name',
  withdrawn: 'obsoleted by another package',
  'wrong-arch': 'not the architecture of the kernel',
  'kernel-mismatch': 'Requires and Provides name another kernel, or contradict each other',
  'requires-unmet': 'a requirement cannot be met',
  'not-newer': 'not newer than what is installed',
  versionlocked: 'held by versionlock',
  'unusable-file': 'a file of the package was refused',
  // -- why a verdict is what it is
  active: 'the newest known level is active in the running kernel',
  'in-transition': 'a transition is running and not finished',
  'not-active': 'installed, but not active in the running kernel',
  'higher-level-offered': 'a repository offers a higher level than the installed one',
  'metadata-stale': 'the metadata is older than its expiry time, or a repository could not be read',
  'gone-from-disk': 'active, but no longer installed: the next boot starts without it',
  'installed-for-boot': 'installed, will be loaded when this kernel boots',
  'receipts-hidden': 'what is installed can be told by root only',
  'stream-not-installed': 'live patches exist for this kernel and none is installed',
} as const satisfies Record<string, string>;

export type ReasonCode = keyof typeof REASON_CODES;

export interface Because {
  readonly code: ReasonCode;
  readonly text: string;
}

/** A reason with its own sentence, or the general one of the code. */
export function because(code: ReasonCode, text: string = REASON_CODES[code]): Because {
  return { code, text };
}

/** A problem that did not end the run: an error code (see errors.ts) and a sentence. */
export interface Problem {
  readonly code: string;
  readonly text: string;
}

// What a verb is given.
import type { FixKind, Spec } from '../decide/spec.ts';
import { severityOf } from '../decide/updateinfo.ts';
import type { Plan } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';

import type { Machine, Ui } from '../host/machine.ts';
import type { Request } from '../pipeline/request.ts';
import { checkKernels } from '../pipeline/world.ts';
import type { Options } from './options.ts';
import type { Output } from './output.ts';
import type { VerbName } from './verbs.ts';

export interface Context {
  readonly verb: VerbName;
  /** What followed the verb. */
  readonly words: readonly string[];
  readonly options: Options;
  /** The working directory: names of files count from there. */
  readonly directory: string;
  readonly machine: Machine;
  readonly request: Request;
  readonly ui: Ui;
  readonly output: Output;
  /** The node that runs us. */
  readonly node: { readonly nodeVersion: string; readonly ownOpenssl: boolean };
  /** What is known while the verb runs, for the JSON object of a run that ends early. */
  readonly sofar: { plan: Plan | null; readonly hints: Map<string, string | null> };
}

/** Verbs that answer from the cache: they are asked often, and by programs. */
const FROM_CACHE: readonly VerbName[] = ['status', 'verify', 'needs-reboot', 'metrics', 'doctor'];
/** Verbs that answer with advisories, and the one that fetches everything for later. */
const WITH_ADVISORIES: readonly VerbName[] = [
  'info',
  'makecache',
  'cves',
  'updateinfo',
  'verify',
  'needs-reboot',
  'metrics',
];

/** The options as the pipeline wants them. */
export function requestFor(
  verb: VerbName,
  options: Options,
  words: readonly string[],
  directory: () => string,
): Request {
  const refresh = options.flag('refresh') || verb === 'makecache';
  const timeout = options.value('lock-timeout');
  const fixes = fixesOf(options);
  return {
    verb,
    config: {
      configFile: options.value('config') ?? undefined,
      kpmConfigFile: options.value('kpm-config') ?? undefined,
      setopt: options.list('setopt'),
      enablerepo: options.list('enablerepo'),
      disablerepo: options.list('disablerepo'),
      repo: options.list('repo'),
      repofrompath: options.list('repofrompath'),
      disableexcludes: options.list('disableexcludes'),
      exclude: options.list('exclude'),
      releasever: options.value('releasever') ?? undefined,
      forcearch: options.value('forcearch') ?? undefined,
      nogpgcheck: options.flag('nogpgcheck'),
    },
    kernels: options.list('kernel'),
    words,
    fixes,
    directory,
    ...(fixes.length > 0 || WITH_ADVISORIES.includes(verb) ? { advisories: true } : {}),
    refresh,
    // These answer from what is here; only --refresh sends them to the network.
    cacheOnly: options.flag('cacheonly') || (FROM_CACHE.includes(verb) && !refresh),
    allowOlder: options.flag('allow-older-metadata'),
    load: !options.flag('no-load'),
    lockTimeout: timeout === null ? null : Number(timeout),
    assumeYes: options.flag('assumeyes'),
    assumeNo: options.flag('assumeno'),
    unattended: options.flag('unattended'),
    dryRun: options.flag('dry-run'),
  };
}

const TYPES = ['security', 'bugfix', 'enhancement', 'newpackage'] as const;

/** The options that pick advisories, as specs that narrow what is named. */
export function fixesOf(options: Options): Spec[] {
  const fix = (kind: FixKind, text: string): Spec => ({ kind, text, filter: true });
  return [
    ...options.list('cve').map((id) => fix('cve', id.toUpperCase())),
    ...options.list('advisory').map((id) => fix('advisory', id)),
    ...options.list('bz').map((id) => fix('bug', id)),
    ...TYPES.filter((type) => options.flag(type)).map((type) => fix('type', type)),
    ...options.list('sec-severity').map((word) => fix('severity', severityOf(word))),
  ];
}

/** Whether a kernel is among those named by --kernel, or none was named. Raises `kernel-not-installed` for a stranger. */
export function selector(request: Request, world: World): (release: string) => boolean {
  const { kernels } = request;
  checkKernels(kernels, world);
  return (release) => kernels.length === 0 || kernels.includes(release);
}

/** What was noticed while looking, and every repository that was left out: nothing is skipped silently. */
export function tellNotices(ui: Ui, world: World): void {
  for (const { text } of world.notices) ui.warn(text);
  for (const { used, problem } of world.repositories) {
    const what = used ? 'What was fetched of it before is used.' : 'The repository is left out.';
    if (problem) ui.warn(`${problem.text} ${what}`);
  }
}

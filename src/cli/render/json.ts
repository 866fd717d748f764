// The objects of `--json`: contract sections 4 and 5. Consumers ignore unknown keys; none is ever removed or retyped here
// without raising `format`. Foreign text is cleaned as on the screen: such objects end up on terminals too.
import type { GoneKernel } from '../../decide/gone.ts';
import type { KeptBack, KernelReport } from '../../decide/verdict.ts';
import type { Because, Problem } from '../../domain/because.ts';
import type { InstalledPatch } from '../../domain/livepatch.ts';
import { formatNevra, type Nevra } from '../../domain/nevra.ts';
import { COMMAND_LINE } from '../../domain/package.ts';
import type { Action, InstallAction, Outcome, Plan, Rejection, Skipped } from '../../domain/plan.ts';
import type { RepositoryState, World } from '../../domain/world.ts';
import type { KpmError } from '../../errors.ts';
import { cleanDeep } from './clean.ts';

export const JSON_FORMAT = 1;

/** One object as text: indented, cleaned, with a line break at its end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(cleanDeep(value), null, 2)}\n`;
}

const nevra = (pkg: Nevra | null): string | null => (pkg === null ? null : formatNevra(pkg));
const reasonOfProblem = ({ code, text }: Problem): { code: string; text: string } => ({ code, text });
const reason = ({ code, text }: Because): { code: string; text: string } => ({ code, text });

function rejected(list: readonly Rejection[]): unknown[] {
  return list.map((r) => ({ nevra: r.nevra, repo: r.repo, because: reason(r.because) }));
}

export interface ErrorJson {
  readonly code: string;
  readonly text: string;
  readonly subject: string | null;
  readonly hint: string | null;
}

/** How a run that ended with an error says so. */
export function errorJson({ code, message, subject, hint }: KpmError): ErrorJson {
  return { code, text: message, subject, hint };
}

const early = (action: InstallAction): { early?: string } =>
  action.early === undefined ? {} : { early: action.early };

function actionJson(action: Action): Record<string, unknown> {
  const none = { kernel: null, nevra: null, repo: null, size: null, replaces: null, setting: null, module: null };
  const common = { because: reason(action.because), rejected: rejected(action.rejected) };
  switch (action.do) {
    case 'install':
    case 'upgrade':
    case 'downgrade':
    case 'reinstall': {
      const { kernel, package: pkg, replaces } = action;
      const what = { kernel, nevra: nevra(pkg), repo: pkg.repo, size: pkg.size, replaces: nevra(replaces) };
      return { do: action.do, ...none, ...what, ...common, ...early(action) };
    }
    case 'own': {
      const { module, size } = action.own;
      return { do: 'install', ...none, kernel: action.kernel, repo: COMMAND_LINE, size, module, ...common };
    }
    case 'remove':
      return { do: action.do, ...none, kernel: action.kernel, nevra: nevra(action.package), ...common };
    case 'hold':
    case 'unhold':
      return { do: action.do, ...none, kernel: action.kernel, ...common };
    case 'load':
    case 'unload': {
      const what = { kernel: action.kernel, nevra: nevra(action.nevra), module: action.module };
      return { do: action.do, ...none, ...what, ...common };
    }
    case 'setting':
      return { do: action.do, ...none, setting: { ...action.setting }, ...common };
  }
}

function skippedJson(skip: Skipped): unknown {
  return { kernel: skip.kernel, because: reason(skip.because), rejected: rejected(skip.rejected) };
}

export function repositoryJson(repo: RepositoryState): unknown {
  return { id: repo.id, used: repo.used, fetched: repo.fetched, problem: repo.problem };
}

export interface PlanResult {
  readonly plan: Plan;
  /** Parallel to the plan's actions; null for a dry run, or when nothing was begun. */
  readonly outcomes: readonly Outcome[] | null;
  readonly error: ErrorJson | null;
}

/** Contract section 4. */
export function planJson({ plan, outcomes, error }: PlanResult): unknown {
  return {
    format: JSON_FORMAT,
    actions: plan.actions.map((action, i) => {
      const outcome = outcomes?.[i];
      return outcome ? { ...actionJson(action), outcome: outcome.outcome, error: outcome.error } : actionJson(action);
    }),
    skipped: plan.skipped.map(skippedJson),
    repositories: plan.repositories.map(repositoryJson),
    error,
  };
}

function installedJson(patch: InstalledPatch): unknown {
  const { module, source, support } = patch;
  // As seen inside the root.
  const file = patch.file === null ? null : `/${patch.file}`;
  return { nevra: nevra(patch.package), module, file, source, support };
}

function kernelJson(kernel: KernelReport): unknown {
  return {
    release: kernel.release,
    running: kernel.running,
    default_boot: kernel.defaultBoot,
    subscribed: kernel.subscribed,
    installed: kernel.installed.map(installedJson),
    loaded: kernel.loaded.map(({ module, enabled, transition }) => ({ module, enabled, transition })),
    available: nevra(kernel.available),
    held: kernel.held ? reason(kernel.held) : null,
    ...(kernel.rollout ? { rollout: rolloutJson(kernel.rollout) } : {}),
    verdict: kernel.verdict,
    because: reason(kernel.because),
    next: [...kernel.next],
    next_boot: kernel.nextBoot
      ? { loads: [...kernel.nextBoot.loads], by: kernel.nextBoot.by, text: kernel.nextBoot.text }
      : null,
  };
}

function rolloutJson({ package: pkg, because, until, takes, cves, published }: KeptBack): unknown {
  const issued = published === null ? null : new Date(published * 1000).toISOString();
  const open = cves === null ? null : [...cves];
  return { nevra: nevra(pkg), because: reason(because), published: issued, until, takes: nevra(takes), cves: open };
}

/** Contract section 5. `version` is ours; `gone`: what is left of kernels that are not installed any more. */
export function statusJson(
  world: World,
  kernels: readonly KernelReport[],
  version: string,
  gone: readonly GoneKernel[] = [],
): unknown {
  return {
    format: JSON_FORMAT,
    version,
    time: world.time,
    machine: world.machine,
    root: world.root,
    settings: { autoupdate: world.settings.autoupdate, autofilter: world.settings.autofilter },
    metadata: world.repositories.map((repo) => ({
      repo: repo.id,
      fetched: repo.fetched,
      age_s: repo.ageSeconds,
      stale: repo.stale,
      problem: repo.problem,
    })),
    kernels: kernels.map(kernelJson),
    gone: gone.map(({ release, installed }) => ({ release, installed: installed.map(installedJson) })),
    notices: world.notices.map(reasonOfProblem),
    error: null,
  };
}

// auto, install, manual, auto-filter, no-filter: show the plan, ask, carry it out, tell what became of it.
import type { Action, Outcome, Plan } from '../../domain/plan.ts';
import type { World } from '../../domain/world.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { carryOut, type Report, type Result } from '../../pipeline.ts';
import { usageError } from '../arguments.ts';
import { type Context, tellNotices } from '../context.ts';
import { clean } from '../render/clean.ts';
import { errorJson, jsonText, planJson } from '../render/json.ts';
import { packagesJson } from '../render/packages.ts';
import { needsConsent, renderPlan, renderUnchanged } from '../render/plan.ts';
import { firstFailure, renderReport } from '../render/report.ts';
import { reasonsForThisRoot, textForThisRoot } from '../root-command.ts';

export async function run(context: Context): Promise<number> {
  const { machine, request, ui, options } = context;
  checkModuleFiles(context);
  if (options.flag('downloadonly') && !request.dryRun) return (await import('./download-only.ts')).run(context);
  if (options.value('destdir') !== null && !options.flag('downloadonly')) {
    throw usageError('--destdir says where --downloadonly puts packages: give both, or neither.', request.verb);
  }
  return carried(context, (approval) => carryOut(machine, request, ui, approval));
}

/** What answers whether a plan shall be carried out. */
type Approval = Parameters<typeof carryOut>[3];

/** Has a plan made, approved and carried out as `carry` does it, and tells what became of it. */
export async function carried(context: Context, carry: (approval: Approval) => Promise<Result>): Promise<number> {
  const { machine, request, ui, output, options, sofar } = context;
  const {
    world,
    plan: made,
    report,
  } = await carry((seen, planned) => {
    sofar.plan = planned;
    return approve(context, seen, reasonsForThisRoot(planned, options));
  });
  const plan = reasonsForThisRoot(made, options);
  // Where nothing was to be approved, nothing was said yet.
  if (report === null) tellNotices(ui, world);
  const performed = report === null ? plan : asPerformed(plan, report);
  const outcomes = report?.outcomes ?? null;
  const stop = stopOf(report);
  const failure = firstFailure(outcomes) ?? stop;
  const again = report?.outcomes.some(({ outcome }) => outcome === 'not-run')
    ? 'Run the same command again for the rest.'
    : null;
  if (options.flag('json')) {
    const hint = (failure && sofar.hints.get(failure.text)) ?? (failure === stop ? again : null);
    const error = failure === null ? null : { ...failure, subject: null, hint };
    output.out(jsonText(planJson({ plan: performed, outcomes, error })));
  } else if (report === null && (request.dryRun || !options.flag('quiet'))) {
    output.out(renderPlan(plan, output.outStyle, (text) => textForThisRoot(text, options)));
  }
  if (!options.flag('json') && !options.flag('quiet') && !request.dryRun) {
    output.out(renderReport({ verb: request.verb, plan: performed, outcomes, world }, output.outStyle));
  }
  if (!request.dryRun) {
    const { afterVerb } = await import('../../pipeline/units.ts');
    await afterVerb(machine, request.verb, { world, plan, report }, ui);
  }
  if (stop !== null) ui.failure(stop.text, again);
  return failure === null ? EXIT.done : EXIT.failed;
}

/** A module file goes to the one kernel that is named with it; no kernel is guessed for what nobody signed. */
function checkModuleFiles({ verb, words, request }: Context): void {
  const files = words.filter((word) => word.endsWith('.ko'));
  const [file] = files;
  // What `remove` says of a module without a package is its own.
  if (file === undefined || verb === 'remove') return;
  const shown = clean(file);
  if (verb !== 'install')
    throw usageError(`${shown} is a module without a package: it has no levels to ${verb} to.`, verb);
  if (request.kernels.length !== 1) {
    const hint = `Its kernel: kpatch-pm inspect ${shown}   Then: kpatch-pm install -k KVER ${shown}`;
    throw usageError(`${shown} is a module without a package: name the one kernel it is for with -k KVER.`, verb, hint);
  }
  if (files.length < words.length) {
    throw usageError(
      `${shown} is a module without a package, which is installed by itself, not beside packages.`,
      verb,
    );
  }
}

/** Shows what will be done and asks, where packages or the kernel change; a setting alone is not asked about. */
async function approve(context: Context, world: World, plan: Plan): Promise<boolean> {
  const { ui, output, options } = context;
  tellNotices(ui, world);
  const asks = needsConsent(plan) && !options.flag('assumeyes') && !options.flag('unattended');
  const quiet = options.flag('quiet') && !asks;
  const typed = (text: string): string => textForThisRoot(text, options);
  if (options.flag('json')) {
    if (asks && output.errTerminal) output.err(renderPlan(plan, output.errStyle, typed));
  } else if (!quiet) {
    const { outStyle } = output;
    output.out(needsConsent(plan) ? renderPlan(plan, outStyle, typed) : renderUnchanged(plan, outStyle));
  }
  return asks ? ui.confirm('Is this ok') : true;
}

/** A signal came: what was begun then was finished, the rest was left out. */
function stopOf(report: Report | null): Outcome['error'] {
  if (!report?.stopped) return null;
  const left = report.outcomes.filter(({ outcome }) => outcome === 'not-run').length;
  const rest = left === 0 ? 'and nothing is left' : `${left} of ${report.outcomes.length} actions were not begun`;
  const text = `Interrupted (${report.stopped}): what was begun was finished, ${rest}.`;
  return { code: 'interrupted', text };
}

/** The plan with the levels that were really taken, and what they stepped over. */
function asPerformed(plan: Plan, { staged }: Report): Plan {
  const actions = plan.actions.map((action, n): Action => {
    const patch = staged.get(n);
    if (!patch || !('fallbacks' in action)) return action;
    const rejected = [...action.rejected, ...patch.steppedOver];
    return { ...action, package: patch.package, empty: patch.modules.length === 0, rejected };
  });
  return { ...plan, actions };
}

export function failureJson(error: KpmError, { sofar, request, options }: Context): unknown {
  if (options.flag('downloadonly') && !request.dryRun) return packagesJson([], null, errorJson(error));
  const plan: Plan = sofar.plan ?? { actions: [], skipped: [], repositories: [] };
  // Refused before anything was begun; of a fault of ours nobody knows how far it came.
  const untouched = !request.dryRun && error.code === 'aborted';
  const outcomes = untouched ? plan.actions.map(() => ({ outcome: 'not-run', error: null }) as const) : null;
  return planJson({ plan, outcomes, error: errorJson(error) });
}

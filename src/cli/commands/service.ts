// service: called by kpatch-pm.service (run), and by dnf's actions (wait).
import type { Plan } from '../../domain/plan.ts';
import { EXIT, KpmError } from '../../errors.ts';
import type { Machine } from '../../host/machine.ts';
import { serviceRun } from '../../integrate/service.ts';
import { waitForQueue } from '../../integrate/wait.ts';
import { afterPackages } from '../../pipeline/profile.ts';
import type { Context } from '../context.ts';
import { errorJson, jsonText, planJson } from '../render/json.ts';
import { renderReport } from '../render/report.ts';

const NOTHING: Plan = { actions: [], skipped: [], repositories: [] };

export async function run(context: Context): Promise<number> {
  const { machine, request, ui, output, options, words } = context;
  requireRoot(machine, 'service');
  if (words[0] === 'wait') return (await waitForQueue(machine, request.lockTimeout, ui)) ? EXIT.done : EXIT.failed;
  const { result, failed } = await serviceRun(machine, request, ui);
  if (result === null) {
    if (options.flag('json')) output.out(jsonText(planJson({ plan: NOTHING, outcomes: null, error: null })));
  } else {
    const { plan, report, world } = result;
    const outcomes = report?.outcomes ?? null;
    if (options.flag('json')) output.out(jsonText(planJson({ plan, outcomes, error: null })));
    else output.out(renderReport({ verb: 'install', plan, outcomes, world }, output.outStyle));
    await afterPackages(machine, result, ui);
  }
  return failed ? EXIT.failed : EXIT.done;
}

/** Raises `needs-root`: these verbs change the running system. */
export function requireRoot(machine: Machine, verb: string): void {
  if (!machine.root.isHost || machine.uid === 0) return;
  throw new KpmError('needs-root', {
    text: `kpatch-pm ${verb} changes this system, which only root may do.`,
    hint: 'systemd calls it; see docs/services.md.',
  });
}

export function failureJson(error: KpmError): unknown {
  return planJson({ plan: NOTHING, outcomes: null, error: errorJson(error) });
}

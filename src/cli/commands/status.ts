// status: what is the state of this machine, and what is next?
import { planFor } from '../../decide/plan.ts';
import { kernelReports } from '../../decide/verdict.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { observe } from '../../pipeline.ts';
import { type Context, selector } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText, statusJson } from '../render/json.ts';
import { renderStatus } from '../render/status.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  for (const notice of world.notices) ui.warn(notice.text);
  const wanted = selector(request, world);
  const kernels = kernelReports(world).filter(({ release }) => wanted(release));
  if (options.flag('json')) {
    output.out(jsonText(statusJson(world, kernels, machine.version)));
    return EXIT.done;
  }
  const { actions } = planFor(world, { verb: 'install', kernels: request.kernels, load: false });
  const takes = actions.flatMap((action) => ('package' in action && action.do !== 'remove' ? [action.package] : []));
  const { settings, repositories } = world;
  output.out(renderStatus({ settings, repositories, kernels, takes }, output.outStyle));
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, kernels: [], error: errorJson(error) };
}

// status: what is the state of this machine, and what is next?
import { goneKernels, isRemovable } from '../../decide/gone.ts';
import { planFor } from '../../decide/plan.ts';
import { kernelReports } from '../../decide/verdict.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { observe } from '../../pipeline/world.ts';
import { type Context, selector } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText, statusJson } from '../render/json.ts';
import { renderStatus } from '../render/status.ts';
import { forThisRoot, reasonsForThisRoot } from '../root-command.ts';
import { watchTransition } from '../watch.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  let world = await observe(machine, request, ui);
  if (options.flag('watch')) world = { ...world, loaded: await watchTransition(machine, world, output) };
  for (const notice of world.notices) ui.warn(notice.text);
  const wanted = selector(request, world);
  const kernels = reasonsForThisRoot(kernelReports(world), options)
    .filter(({ release }) => wanted(release))
    .map((kernel) => ({ ...kernel, next: kernel.next.map((command) => forThisRoot(command, options)) }));
  const gone = request.kernels.length === 0 ? goneKernels(world) : [];
  if (options.flag('json')) {
    output.out(jsonText(statusJson(world, kernels, machine.version, gone)));
    return EXIT.done;
  }
  const { settings, repositories } = world;
  const takes = takesOf(world, request.kernels);
  const next = gone.some(isRemovable) ? [forThisRoot('kpatch-pm autoremove', options)] : [];
  output.out(renderStatus({ settings, repositories, kernels, takes, gone, next }, output.outStyle));
  return EXIT.done;
}

/** What `install` would take now: told to other programs in one line. */
function takesOf(world: Parameters<typeof planFor>[0], kernels: readonly string[]) {
  const { actions } = planFor(world, { verb: 'install', kernels, load: false });
  return actions.flatMap((action) => (action.do === 'install' || action.do === 'upgrade' ? [action.package] : []));
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, kernels: [], error: errorJson(error) };
}

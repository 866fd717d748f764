// status: what is the state of this machine, and what is next?
import { planFor } from '../../decide/plan.ts';
import { type KernelReport, kernelReports } from '../../decide/verdict.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { observe } from '../../pipeline.ts';
import { type Context, selector } from '../context.ts';
import type { Options } from '../options.ts';
import { errorJson, JSON_FORMAT, jsonText, statusJson } from '../render/json.ts';
import { renderStatus } from '../render/status.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  for (const notice of world.notices) ui.warn(notice.text);
  const wanted = selector(request, world);
  const kernels = kernelReports(world)
    .filter(({ release }) => wanted(release))
    .map((kernel) => ({ ...kernel, next: kernel.next.map((command) => forThisRoot(command, options)) }));
  if (options.flag('json')) {
    output.out(jsonText(statusJson(world, kernels, machine.version)));
    return EXIT.done;
  }
  const { settings, repositories } = world;
  output.out(
    renderStatus({ settings, repositories, kernels, takes: takesOf(world, request.kernels) }, output.outStyle),
  );
  return EXIT.done;
}

/** What `install` would take now: told to other programs in one line. */
function takesOf(world: Parameters<typeof planFor>[0], kernels: readonly string[]) {
  const { actions } = planFor(world, { verb: 'install', kernels, load: false });
  return actions.flatMap((action) => (action.do === 'install' || action.do === 'upgrade' ? [action.package] : []));
}

/** A command as it must be typed for the root that was asked about. */
function forThisRoot(command: string, options: Options): KernelReport['next'][number] {
  const root = options.value('installroot');
  if (root === null) return command;
  const quoted = /^[\w./+:@%-]+$/.test(root) ? root : `'${root.replaceAll("'", "'\\''")}'`;
  return command.replace(/^kpatch-pm /, `kpatch-pm --installroot ${quoted} `);
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, kernels: [], error: errorJson(error) };
}

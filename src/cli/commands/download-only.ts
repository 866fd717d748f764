// install, upgrade, downgrade, reinstall with --downloadonly: what they would take is fetched, and nothing else happens.
import path from 'node:path';
import type { Plan } from '../../domain/plan.ts';
import type { World } from '../../domain/world.ts';
import { EXIT } from '../../errors.ts';
import { downloadPlanned } from '../../usecases/download.ts';
import { type Context, tellNotices } from '../context.ts';
import { clean } from '../render/clean.ts';
import { jsonText } from '../render/json.ts';
import { packagesJson } from '../render/packages.ts';
import { renderPlan } from '../render/plan.ts';
import { wrap } from '../render/width.ts';
import { asDownloaded } from './download.ts';

const IN_CACHE = 'The packages are in the cache; the same command without --downloadonly takes them from there.';

export async function run(context: Context): Promise<number> {
  const { machine, request, ui, output, options, directory, sofar } = context;
  const asked = options.value('destdir');
  const target = asked === null ? null : path.resolve(directory, asked);
  const { world, plan, files } = await downloadPlanned(machine, request, target, ui, (seen, planned) => {
    sofar.plan = planned;
    return approve(context, seen, planned);
  });
  if (plan.actions.length === 0) {
    tellNotices(ui, world);
    if (!options.flag('json') && !options.flag('quiet')) output.out(renderPlan(plan, output.outStyle));
  }
  if (options.flag('json')) output.out(jsonText(packagesJson(files.map(asDownloaded), world)));
  else if (files.length > 0 && !options.flag('quiet')) {
    output.out('Complete!\n');
    const lines = target === null ? wrap(IN_CACHE, output.outStyle.width) : files.map(({ file }) => clean(file ?? ''));
    output.out(lines.map((line) => `${line}\n`).join(''));
  }
  return EXIT.done;
}

function approve({ ui, output, options }: Context, world: World, plan: Plan): Promise<boolean> {
  tellNotices(ui, world);
  const asks = !options.flag('assumeyes') && !options.flag('unattended');
  const shown = renderPlan(plan, options.flag('json') ? output.errStyle : output.outStyle);
  if (!options.flag('json') && (asks || !options.flag('quiet'))) output.out(shown);
  else if (asks && output.errTerminal) output.err(shown);
  ui.note('The packages will only be fetched; nothing is installed.');
  return asks ? ui.confirm('Is this ok') : Promise.resolve(true);
}

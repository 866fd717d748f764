// check-update: is there anything to upgrade?
import { upgradesOf } from '../../decide/listing.ts';
import { planFor } from '../../decide/plan.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { specsOf } from '../../pipeline/named.ts';
import { checkKernels, observe } from '../../pipeline.ts';
import { type Context, tellNotices } from '../context.ts';
import { errorJson, jsonText } from '../render/json.ts';
import { listLines, packagesJson } from '../render/packages.ts';
import { waitingNotes } from '../render/waiting.ts';
import { needRepositories } from './makecache.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  tellNotices(ui, world);
  needRepositories(machine, world, 'whether there is anything to upgrade is not known');
  checkKernels(request.kernels, world);
  const specs = specsOf(request, world);
  const plan = planFor(world, { verb: 'upgrade', kernels: request.kernels, load: false, specs });
  for (const { text } of plan.unmatched ?? []) ui.warn(text);
  const found = upgradesOf(plan);
  if (options.flag('json')) output.out(jsonText(packagesJson(found, world)));
  else if (found.length > 0) {
    output.out(`\n${listLines(found, output.outStyle, output.outTerminal).join('\n')}\n`);
  }
  for (const text of specs.length > 0 ? [] : waitingNotes(world)) ui.note(text);
  return found.length > 0 ? EXIT.updatesAvailable : EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return packagesJson([], null, errorJson(error));
}

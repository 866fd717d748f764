// kernels: which kernels are here or on offer, and which of them have live patches?
import { streams } from '../../decide/streams.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { observe } from '../../pipeline.ts';
import { type Context, selector, tellNotices } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { kernelsJson, renderKernels } from '../render/kernels.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  tellNotices(ui, world);
  const wanted = selector(request, world);
  const found = streams(world).filter(({ release }) => wanted(release));
  const view = { settings: world.settings, repositories: world.repositories, streams: found };
  output.out(options.flag('json') ? jsonText(kernelsJson(view)) : renderKernels(view, output.outStyle));
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, kernels: [], error: errorJson(error) };
}

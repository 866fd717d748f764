// kernels: which kernels are here or on offer, and which of them have live patches?
import { advise } from '../../decide/advise.ts';
import { exclusions } from '../../decide/exclusions.ts';
import { streams } from '../../decide/streams.ts';
import { unseen } from '../../decide/unseen.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { observe } from '../../pipeline/world.ts';
import { streamPolicies } from '../../usecases/advise.ts';
import { type Context, selector, tellNotices } from '../context.ts';
import { adviceJson, renderAdvice } from '../render/advice.ts';
import { renderExclusions } from '../render/exclusions.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { kernelsJson, renderKernels } from '../render/kernels.ts';
import { forThisRoot, textForThisRoot } from '../root-command.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  tellNotices(ui, world);
  const wanted = selector(request, world);
  const why = unseen(world);
  const blind = why === null ? null : textForThisRoot(why, options);
  const format = options.value('format');
  if (format !== null) {
    output.out(renderExclusions(exclusions(world), format, blind));
    return EXIT.done;
  }
  const only = options.flag('supported');
  if (options.flag('advise')) {
    const advice = advise(world, streamPolicies(machine.root, ui));
    const chosen = {
      ...advice,
      streams: advice.streams.filter(({ release }) => wanted(release)),
      unseen: blind,
    };
    const next = advice.next.map((command) => forThisRoot(command, options));
    const shown = { ...chosen, next, settings: world.settings, repositories: world.repositories };
    output.out(options.flag('json') ? jsonText(adviceJson(shown)) : renderAdvice(shown, output.outStyle));
    return EXIT.done;
  }
  const asked = streams(world).filter(({ release }) => wanted(release));
  const found = only ? asked.filter(({ supported }) => supported) : asked;
  const view = {
    settings: world.settings,
    repositories: world.repositories,
    streams: found,
    only,
    unseen: asked.some(({ known }) => !known) ? blind : null,
  };
  output.out(options.flag('json') ? jsonText(kernelsJson(view)) : renderKernels(view, output.outStyle));
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, kernels: [], error: errorJson(error) };
}

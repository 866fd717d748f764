// verify: is it protected, and if not, which layer is broken?
import type { Verification } from '../../decide/verify.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { gather } from '../../usecases/evidence/gather.ts';
import { verifyMachine } from '../../usecases/verify/verify.ts';
import { type Context, selector } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { renderVerify, verifyJson } from '../render/verify.ts';
import { forThisRoot } from '../root-command.ts';

/** A run that failed proves nothing either way. */
export const failureStatus = EXIT.cannotTell;

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const gathered = await gather(machine, request, ui);
  const { world } = gathered;
  if (!options.flag('quiet')) for (const { text } of world.notices) ui.warn(text);
  const found = await verifyMachine(machine, gathered, selector(request, world), request.kernels.length > 0);
  const kernels = found.map((kernel) => ({
    ...kernel,
    first: kernel.first && typed(kernel.first, options),
    layers: kernel.layers.map((layer) => typed(layer, options)),
  }));
  if (options.flag('json')) output.out(jsonText(verifyJson(world.time, kernels)));
  else {
    const shown = options.flag('quiet')
      ? kernels.filter(({ proof }) => proof !== 'protected' && proof !== 'ready')
      : kernels;
    if (shown.length > 0 || !options.flag('quiet')) output.out(renderVerify(shown, output.outStyle));
  }
  return exitOf(kernels);
}

const typed = <T extends { readonly mend: string | null }>(layer: T, options: Context['options']): T => ({
  ...layer,
  mend: layer.mend === null ? null : forThisRoot(layer.mend, options),
});

function exitOf(kernels: readonly Verification[]): number {
  if (kernels.some(({ proof }) => proof === 'not-protected')) return EXIT.failed;
  return kernels.length === 0 || kernels.some(({ proof }) => proof === 'cannot-tell') ? EXIT.cannotTell : EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, time: null, kernels: [], error: errorJson(error) };
}

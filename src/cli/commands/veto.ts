// veto: called by an action of dnf5 for each kernel that a transaction brings; see packaging/dnf/dnf5/kpatch-pm-veto.actions.
// Source: libdnf5-actions(8), "Action standard output format": stop=MESSAGE, log.LEVEL=MESSAGE (both since 1.4.0).
import { veto } from '../../decide/veto.ts';
import { EXIT, KpmError } from '../../errors.ts';
import { observe } from '../../pipeline/world.ts';
import type { Context } from '../context.ts';
import { clean } from '../render/clean.ts';
import { errorJson, JSON_FORMAT } from '../render/json.ts';

export async function run({ machine, request, ui, output, words }: Context): Promise<number> {
  const log = (text: string): void => output.out(`log.WARNING=kpatch-pm: ${clean(text)}\n`);
  try {
    // A kernel and its first live-patch package are published together: what is here may be older than the kernel.
    const world = await observe(machine, { ...request, refresh: !request.cacheOnly }, ui);
    const { refused, unknown } = veto(world, words);
    if (unknown !== null) log(unknown);
    if (refused.length > 0) {
      const kernels = refused.map(clean).join(', ');
      output.out(
        `stop=kpatch-pm: nobody offers live patches for ${kernels}, and the filter is on; kpatch-pm no-filter lets it come\n`,
      );
    }
  } catch (error) {
    if (!(error instanceof KpmError) || error.code === 'internal') throw error;
    log(error.message);
  }
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, error: errorJson(error) };
}

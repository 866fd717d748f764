// boot: called by kpatch-pm-boot.service and kpatch-pm-healthy.service.
import { EXIT, type KpmError } from '../../errors.ts';
import { boot, healthy } from '../../integrate/boot.ts';
import type { Context } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { requireRoot } from './service.ts';

export async function run({ machine, request, ui, output, options, words }: Context): Promise<number> {
  requireRoot(machine, 'boot');
  if (words[0] === 'healthy') {
    await healthy(machine, request, ui);
    if (options.flag('json')) output.out(jsonText({ format: JSON_FORMAT, loaded: [], troubled: false, error: null }));
    return EXIT.done;
  }
  const { loaded, troubled } = await boot(machine, request, ui);
  if (options.flag('json')) output.out(jsonText({ format: JSON_FORMAT, loaded, troubled, error: null }));
  return troubled ? EXIT.failed : EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, loaded: [], troubled: true, error: errorJson(error) };
}

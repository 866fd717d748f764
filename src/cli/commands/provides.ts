// provides: which live patches provide something?
import { providers } from '../../decide/provides.ts';
import { EXIT, KpmError } from '../../errors.ts';
import { specsOf } from '../../pipeline/named.ts';
import { observe } from '../../pipeline.ts';
import { type Context, tellNotices } from '../context.ts';
import { errorJson, jsonText } from '../render/json.ts';
import { packagesJson, renderProviders } from '../render/packages.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  tellNotices(ui, world);
  const found = providers(world, specsOf(request, world));
  if (found.length === 0) {
    throw new KpmError('no-match', {
      text: 'No matches found.',
      hint: 'Only live patches are looked through. Files of packages on offer are known as far as the metadata lists them.',
    });
  }
  const listed = found.map((one) => one.listed);
  output.out(options.flag('json') ? jsonText(packagesJson(listed, world)) : renderProviders(found));
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return packagesJson([], null, errorJson(error));
}

// search: live patches by name, summary and kernel.
import { search } from '../../decide/search.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { specsOf } from '../../pipeline/named.ts';
import { observe } from '../../pipeline.ts';
import { type Context, tellNotices } from '../context.ts';
import { errorJson, jsonText } from '../render/json.ts';
import { packagesJson, renderSearch } from '../render/packages.ts';

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const world = await observe(machine, request, ui);
  tellNotices(ui, world);
  // `search all TERM`, as yum has it: all is searched anyway.
  const { words: typed = [] } = request;
  const words = typed[0] === 'all' && typed.length > 1 ? typed.slice(1) : typed;
  // As specs the words lose the quotes that a web page left.
  const terms = specsOf({ ...request, words }, world).map(({ text }) => text);
  const hits = search(world, terms);
  if (options.flag('json')) {
    const found = hits.flatMap((hit) => hit.found);
    output.out(jsonText(packagesJson(found, world)));
  } else output.out(renderSearch(hits, terms, output.outStyle));
  if (hits.length === 0) ui.note('No matches found.');
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return packagesJson([], null, errorJson(error));
}

// inspect: what are these files, who signed them, and would they be used?
import { EXIT, type KpmError } from '../../errors.ts';
import { pinsOf } from '../../pipeline/pins.ts';
import { compare } from '../../usecases/inspect/compare.ts';
import { inspectFiles, isSound } from '../../usecases/inspect/inspect.ts';
import { configFor } from '../../usecases/keys/list.ts';
import { usageError } from '../arguments.ts';
import type { Context } from '../context.ts';
import { renderDifference, renderInspections } from '../render/inspect.ts';
import { differenceJson, inspectionJson } from '../render/inspect-json.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';

export async function run({ machine, request, words, options, directory, ui, output }: Context): Promise<number> {
  const [first = '', second = ''] = words;
  const diff = options.flag('diff');
  if (diff && words.length !== 2) throw usageError('--diff compares two files: an older and a newer one.', 'inspect');
  const pins = (stream: string) => pinsOf({ machine, config: configFor(machine, request) }, stream);
  const wish = { files: words, keyFiles: options.list('key'), directory, pinsOf: pins };
  const found = await inspectFiles(machine, wish, ui.note);
  const wanted = options.flag('require-signature');
  const fails = (one: (typeof found)[number]): boolean => !isSound(one) || (wanted && one.authentic !== 'trusted');
  if (options.flag('json')) {
    const files = found.map(inspectionJson);
    const [a, b] = found;
    output.out(
      jsonText(
        diff && a && b ? { format: JSON_FORMAT, files, difference: differenceJson(compare(a, b)), error: null } : files,
      ),
    );
  } else {
    const shown = options.flag('quiet') || diff ? found.filter(fails) : found;
    const verbose = options.flag('verbose');
    if (shown.length > 0) output.out(renderInspections(shown, output.outStyle, { verbose }));
    const [a, b] = found;
    if (diff && a && b) output.out(renderDifference(first, second, compare(a, b), output.outStyle));
  }
  if (wanted && !options.flag('json')) tellUntrusted(found, ui.warn);
  return found.some(fails) ? EXIT.failed : EXIT.done;
}

/** Says why the exit status is 1 where every file is sound. */
function tellUntrusted(found: Awaited<ReturnType<typeof inspectFiles>>, warn: (text: string) => void): void {
  for (const { file, authentic } of found) {
    if (authentic !== 'trusted') warn(`${file} is not signed by a trusted key (${authentic}).`);
  }
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, error: errorJson(error) };
}

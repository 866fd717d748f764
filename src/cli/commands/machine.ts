// machine reset: prepares a template image.
import { EXIT, type KpmError } from '../../errors.ts';
import type { Reset } from '../../usecases/machine/reset.ts';
import { usageError } from '../arguments.ts';
import type { Context } from '../context.ts';
import { cleanDeep } from '../render/clean.ts';
import { type ErrorJson, errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { wrap } from '../render/width.ts';

export async function run(context: Context): Promise<number> {
  const { machine, request, ui, options, output, words } = context;
  if (words.length !== 1 || words[0] !== 'reset') throw usageError('machine knows one command: reset.', 'machine');
  const { resetMachine } = await import('../../usecases/machine/reset.ts');
  const json = options.flag('json');
  const reset = await resetMachine(machine, request, ui, async (items) => {
    const text = itemsText('This belongs to this machine alone and will be removed:', items, output.outStyle.width);
    const asks = !options.flag('assumeyes');
    if (!json) output.out(text);
    else if (asks && output.errTerminal) output.err(text);
    return asks ? ui.confirm('Is this ok') : true;
  });
  if (json) output.out(jsonText(resetJson(reset, null)));
  else if (!options.flag('quiet')) output.out(ending(reset, request.dryRun, output.outStyle.width));
  return EXIT.done;
}

function itemsText(heading: string, items: Reset['items'], width: number): string {
  const lines = cleanDeep([...items]).flatMap(({ path, what }) => [
    ` ${path}`,
    ...wrap(what, width - 5).map((line) => `     ${line}`),
  ]);
  return `${[heading, ...lines].join('\n')}\n`;
}

const KEPT =
  'What is installed, keys, pins, holds, quarantine and the history stay: they are about the system. Machines made of this image load nothing unattended until somebody types `kpatch-pm auto` there. /etc/machine-id is not ours: empty it as your image builder says (systemd-firstboot, virt-sysprep).';

function ending({ items, removed }: Reset, dryRun: boolean, width: number): string {
  if (items.length === 0) return 'Nothing here belongs to this machine alone.\n';
  if (dryRun) return itemsText('This belongs to this machine alone and would be removed:', items, width);
  return removed ? `${['Removed.', ...wrap(KEPT, width)].join('\n')}\n` : '';
}

function resetJson({ items, removed }: Reset, error: ErrorJson | null): unknown {
  return { format: JSON_FORMAT, items: items.map(({ path, what }) => ({ path, what })), removed, error };
}

export function failureJson(error: KpmError): unknown {
  return resetJson({ items: [], removed: false }, errorJson(error));
}

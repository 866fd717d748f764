// report FILE...: what many machines answered, as one table.
import { type FleetFile, mergeFleet } from '../../decide/fleet.ts';
import { EXIT, KpmError } from '../../errors.ts';
import { getFile, putFile } from '../../usecases/put-file.ts';
import type { Context } from '../context.ts';
import { fleetJson, renderFleet } from '../render/fleet.ts';
import { fleetHtml } from '../render/fleet-html.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';

/** One machine's status has some kilobytes. */
const MAX_FILE = 32 * 1024 * 1024;

export async function run({ machine, words, options, directory, output, ui }: Context): Promise<number> {
  const files = words.map((name): FleetFile => ({ name, value: jsonOf(machine.host, directory, name) }));
  const fleet = mergeFleet(files);
  const time = machine.now().toISOString();
  const text = options.flag('html')
    ? fleetHtml(time, fleet, machine.version)
    : options.flag('json')
      ? jsonText(fleetJson(time, fleet))
      : renderFleet(fleet, output.outStyle);
  const into = options.value('output');
  if (into !== null) putFile(machine.host, directory, into, text);
  else output.out(text);
  // On the screen and in JSON they are there anyway.
  if (into !== null || options.flag('html'))
    for (const { file, text: why } of fleet.problems) ui.warn(`${file} is left out: ${why}.`);
  return fleet.problems.length > 0 ? EXIT.failed : EXIT.done;
}

function jsonOf(host: Context['machine']['host'], directory: string, name: string): unknown {
  const bytes = getFile(host, directory, name, MAX_FILE);
  if (bytes === null) {
    throw new KpmError('file-unreadable', {
      text: `${name} does not exist.`,
      subject: name,
      hint: 'Collect one file a machine with: kpatch-pm status --json > FILE',
    });
  }
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return null;
  }
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, time: null, machines: 0, kernels: [], problems: [], error: errorJson(error) };
}

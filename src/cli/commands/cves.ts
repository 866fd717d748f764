// cves: what of each CVE is true here, and who says so?
import { blindSpots, cveReports } from '../../decide/cves.ts';
import { EXIT, KpmError } from '../../errors.ts';
import { gather } from '../../usecases/evidence/gather.ts';
import { usageError } from '../arguments.ts';
import { type Context, selector, tellNotices } from '../context.ts';
import { clean } from '../render/clean.ts';
import { type CvesView, cvesCsv, cvesJson, renderCves } from '../render/cves.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { vexDocument } from '../render/vex.ts';

export async function run({ machine, request, words, ui, output, options }: Context): Promise<number> {
  const asked = words.map((word) => word.toUpperCase());
  const stranger = words.find((word) => !/^CVE-\d{4}-\d{4,19}$/i.test(word));
  if (stranger !== undefined) throw usageError(`${clean(stranger)} is no CVE: write CVE-YEAR-NUMBER.`, 'cves');
  const { world, evidence } = await gather(machine, request, ui);
  tellNotices(ui, world);
  for (const { problem } of world.advisoryStates) if (problem) ui.warn(problem.text);
  const wanted = selector(request, world);
  const running = world.kernels.filter((kernel) => kernel.running);
  const judged = request.kernels.length > 0 || running.length === 0 ? world.kernels : running;
  const kernels = judged
    .filter(({ release }) => wanted(release))
    .map((kernel) => ({
      release: kernel.release,
      running: kernel.running,
      cves: cveReports(kernel, world, evidence, asked),
    }));
  const view: CvesView = { kernels, asked: asked.length > 0, blind: blindSpots(world) };
  if (options.flag('json')) output.out(jsonText(cvesJson(world.time, world.machine, view)));
  else if (options.flag('csv')) output.out(cvesCsv(view));
  else if (options.flag('vex')) {
    if (kernels.every(({ cves }) => cves.length === 0)) throw nothingToState();
    const { time, machine: id } = world;
    const vendor = vendorOf(machine.root.readText('etc/os-release') ?? machine.root.readText('usr/lib/os-release'));
    output.out(jsonText(vexDocument(kernels, { time, machine: id, vendor, version: machine.version })));
  } else output.out(renderCves(view, output.outStyle));
  return EXIT.done;
}

/** OpenVEX wants at least one statement: an empty document would be taken for an answer. */
const nothingToState = (): KpmError =>
  new KpmError('no-match', {
    text: 'There is nothing to state: no CVE is known for these kernels, and an OpenVEX document states something.',
    hint: 'Name the CVEs: kpatch-pm cves --vex CVE-2024-1086   What is known: kpatch-pm cves',
  });

/** ID of os-release(5); null when it has none. */
function vendorOf(text: string | null): string | null {
  const id = /^ID=["']?([a-z0-9._-]+)["']?$/m.exec(text ?? '')?.[1];
  return id === undefined ? null : id === 'rhel' ? 'redhat' : id;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, time: null, machine: null, kernels: [], not_known: null, error: errorJson(error) };
}

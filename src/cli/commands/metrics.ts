// metrics: for node_exporter's textfile collector, or one line for Nagios.
import { cveReports } from '../../decide/cves.ts';
import { rebootReport } from '../../decide/reboot.ts';
import { kernelReports } from '../../decide/verdict.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { gather } from '../../usecases/evidence/gather.ts';
import { putFile } from '../../usecases/put-file.ts';
import { verifyMachine } from '../../usecases/verify/verify.ts';
import type { Context } from '../context.ts';
import { errorJson, JSON_FORMAT } from '../render/json.ts';
import { type MetricsView, metricsText, nagiosLine } from '../render/metrics.ts';

/** UNKNOWN for Nagios; for everybody else a status that is not an answer. */
export const failureStatus = EXIT.cannotTell;

export async function run({ machine, request, ui, output, options, directory }: Context): Promise<number> {
  const gathered = await gather(machine, request, ui);
  const { world, evidence } = gathered;
  const [first] = await verifyMachine(machine, gathered, () => true, false);
  const verification = first?.running ? first : null;
  const running = world.live ? world.kernels.find((kernel) => kernel.running) : undefined;
  const view: MetricsView = {
    world,
    version: machine.version,
    kernels: kernelReports(world),
    verification,
    cves: running ? cveReports(running, world, evidence) : [],
    reboot: rebootReport(world, evidence, verification),
  };
  if (options.flag('nagios')) {
    const { line, status } = nagiosLine(view);
    output.out(line);
    return status;
  }
  const into = options.value('output');
  if (into === null) output.out(metricsText(view));
  else putFile(machine.host, directory, into, metricsText(view));
  return EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, error: errorJson(error) };
}

// needs-reboot: no, not yet, or yes?
import { type RebootAnswer, rebootReport } from '../../decide/reboot.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { gather } from '../../usecases/evidence/gather.ts';
import { verifyMachine } from '../../usecases/verify/verify.ts';
import type { Context } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { rebootJson, renderReboot } from '../render/reboot.ts';

/** 0 and 1 as `needs-restarting -r`; whoever cannot be answered must not be rebooted. */
const STATUS: Record<RebootAnswer, number> = {
  no: EXIT.done,
  yes: EXIT.failed,
  'not-yet': EXIT.notYet,
  'cannot-tell': EXIT.cannotTell,
};

export const failureStatus = EXIT.cannotTell;

export async function run({ machine, request, ui, output, options }: Context): Promise<number> {
  const gathered = await gather(machine, request, ui);
  const { world, evidence } = gathered;
  if (!options.flag('quiet')) for (const { text } of world.notices) ui.warn(text);
  const [running] = await verifyMachine(machine, gathered, () => true, false);
  const report = rebootReport(world, evidence, running?.running ? running : null);
  if (options.flag('json')) output.out(jsonText(rebootJson(world.time, report)));
  else if (!options.flag('quiet') || report.answer !== 'no') output.out(renderReboot(report, output.outStyle));
  return STATUS[report.answer];
}

export function failureJson(error: KpmError): unknown {
  return {
    format: JSON_FORMAT,
    time: null,
    answer: 'cannot-tell',
    text: error.message,
    running: null,
    newer: null,
    waiting: [],
    not_known: null,
    next: [],
    error: errorJson(error),
  };
}

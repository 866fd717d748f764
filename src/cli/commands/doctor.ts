// doctor: what does this host lack, and which command mends it?
import type { Finding } from '../../decide/doctor.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { examine } from '../../usecases/doctor/doctor.ts';
import type { Context } from '../context.ts';
import { doctorJson, renderDoctor } from '../render/doctor.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { mendingThisRoot } from '../root-command.ts';

/** A run that failed proves nothing either way. */
export const failureStatus = EXIT.cannotTell;

/** What runs us belongs to the running system, whatever root is worked on. */
const OF_THE_HOST: readonly string[] = ['node', 'fips', 'programs'];

export async function run({ machine, request, ui, output, options, node }: Context): Promise<number> {
  const { findings: found, time } = await examine(machine, request, ui, node);
  const findings = found.map(
    ({ mend, ...finding }): Finding => ({
      ...finding,
      mend: mend === null || OF_THE_HOST.includes(finding.check) ? mend : mendingThisRoot(mend, options),
    }),
  );
  if (options.flag('json')) output.out(jsonText(doctorJson(time, machine.root.path, findings)));
  else {
    const shown = options.flag('quiet')
      ? findings.filter(({ state }) => state === 'fault' || state === 'warning')
      : findings;
    if (shown.length > 0) output.out(renderDoctor(shown, options.flag('quiet'), output.outStyle));
  }
  return findings.some(({ state }) => state === 'fault') ? EXIT.failed : EXIT.done;
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, time: null, root: null, findings: [], error: errorJson(error) };
}

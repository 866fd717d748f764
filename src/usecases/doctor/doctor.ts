// doctor: looks at the World and at what surrounds it; works without root, without network, and with files that are broken.
import { diagnose, type Finding } from '../../decide/doctor.ts';
import type { HostFacts } from '../../domain/host-facts.ts';
import { KpmError } from '../../errors.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { look } from '../../pipeline/observe.ts';
import type { Observed } from '../../pipeline/observed.ts';
import type { Request } from '../../pipeline/request.ts';
import { withUnfinished } from '../../pipeline/world.ts';
import { kernelBuilt, kernelFacts, selinux, unitFacts } from './running.ts';
import { stateFacts } from './state.ts';
import { dnfFacts, nodeFacts, type Process, placed, programs } from './surroundings.ts';

export interface Examination {
  readonly findings: readonly Finding[];
  /** Null where there is no World. */
  readonly time: string;
}

/** Examines a host. Raises nothing that belongs to the host: what cannot be read is a finding. */
export async function examine(machine: Machine, request: Request, ui: Ui, own: Process): Promise<Examination> {
  const seen = await world(machine, request, ui);
  const observed = 'world' in seen ? seen : null;
  const host: HostFacts = {
    node: await nodeFacts(own),
    fips: machine.host.readText('proc/sys/crypto/fips_enabled')?.trim() === '1',
    programs: programs(machine.run),
    ...(await stateFacts(machine, observed)),
    ...(await unitFacts(machine)),
    kernel: kernelFacts(machine),
    selinux: selinux(machine),
    kernelBuilt: kernelBuilt(machine),
    placed: placed(machine, observed?.rpmdb ?? null),
    dnf: dnfFacts(machine.root),
    arch: machine.arch,
  };
  const failure = 'world' in seen ? null : { text: seen.error.message, hint: seen.error.hint };
  const findings = diagnose({ host, world: observed && told(machine, observed), failure });
  return { findings, time: machine.now().toISOString() };
}

/** The World with all that can be remarked: an option that nobody knows is said by other verbs with -v only. */
function told(machine: Machine, { world, config }: Observed): Observed['world'] {
  const seen = withUnfinished(machine, world);
  return { ...seen, notices: [...seen.notices, ...config.details] };
}

async function world(machine: Machine, request: Request, ui: Ui): Promise<Observed | { readonly error: KpmError }> {
  try {
    const observed = await look(machine, request, ui);
    await observed.net.close();
    return observed;
  } catch (error) {
    if (error instanceof KpmError) return { error };
    throw error;
  }
}

// What a host lacks, judged from what was seen: one rule for each thing, each with the command that mends it.
import type { HostFacts } from '../domain/host-facts.ts';
import type { World } from '../domain/world.ts';
import { type Check, fault, type Judgement } from './doctor/finding.ts';
import * as patching from './doctor/patching.ts';
import * as surroundings from './doctor/surroundings.ts';

export type { FindingState } from './doctor/finding.ts';

/** Every check, in the order shown. */
const CHECKS = {
  node: surroundings.node,
  fips: surroundings.fips,
  programs: surroundings.programs,
  architecture: surroundings.architecture,
  kernel: surroundings.kernel,
  repositories: patching.repositories,
  keys: patching.keys,
  state: patching.state,
  journal: patching.journal,
  lock: patching.lock,
  registration: patching.registration,
  modules: patching.modules,
  quarantine: patching.quarantine,
  boot: patching.boot,
  timer: patching.timer,
  services: surroundings.services,
  hooks: surroundings.hooks,
  dnf: surroundings.dnf,
  selinux: surroundings.selinux,
  clock: surroundings.clock,
  remarks: patching.remarks,
} satisfies Record<string, Check>;

export type CheckName = keyof typeof CHECKS | 'configuration';
export const CHECK_NAMES: readonly CheckName[] = ['configuration', ...(Object.keys(CHECKS) as (keyof typeof CHECKS)[])];

export interface Finding extends Judgement {
  readonly check: CheckName;
}

export interface Seen {
  readonly host: HostFacts;
  /** Null where the configuration could not be read at all; `failure` says why. */
  readonly world: World | null;
  readonly failure: { readonly text: string; readonly hint: string | null } | null;
}

/** Judges a host. */
export function diagnose({ host, world, failure }: Seen): Finding[] {
  const found = (Object.entries(CHECKS) as [keyof typeof CHECKS, Check][]).flatMap(([check, judge]) =>
    judge({ host, world }).map((one): Finding => ({ check, ...one })),
  );
  return failure === null ? found : [{ check: 'configuration', ...fault(failure.text, failure.hint) }, ...found];
}

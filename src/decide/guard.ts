// The crash guard's judgement at boot. A marker alone is no guilt: in a power cut every machine that was just loading a
// good patch has one. It takes the marker of an earlier boot and a trace of a crash since, or the same end twice.
import type { Attempt, CrashEvidence } from '../domain/crashguard.ts';

/** Unexplained ends of a boot during the same attempt after which the module is suspected without a trace. */
export const STRIKES = 2;

export type Judgement =
  /** Begun in this boot, or judged already: nothing to say. */
  | { readonly do: 'nothing' }
  /** The boot ended without a trace of a crash: it is tried again. */
  | { readonly do: 'strike'; readonly strikes: number }
  | { readonly do: 'quarantine'; readonly why: string };

/** One judgement for each attempt, in order. `bootId` is that of the boot in which this is asked. */
export function judgeAttempts(
  attempts: readonly Attempt[],
  bootId: string,
  evidence: readonly CrashEvidence[],
): Judgement[] {
  const open = attempts.filter((attempt) => attempt.bootId !== null && attempt.bootId !== bootId);
  // Of several that were in the air the one begun last was being loaded when the machine went down.
  const last = open.reduce<Attempt | null>(
    (one, other) => (one === null || other.since > one.since ? other : one),
    null,
  );
  return attempts.map((attempt) => {
    if (!open.includes(attempt)) return { do: 'nothing' };
    const trace = attempt === last ? firstAfter(evidence, attempt.since) : null;
    if (trace) {
      const what = trace.kind === 'vmcore' ? 'a crash dump' : 'a crash log of the firmware';
      return { do: 'quarantine', why: `the machine crashed after loading it was begun: ${what} is in ${trace.path}` };
    }
    const strikes = attempt.strikes + 1;
    if (attempt !== last || strikes < STRIKES) return { do: 'strike', strikes: Math.min(strikes, STRIKES - 1) };
    return { do: 'quarantine', why: `${strikes} boots in a row ended while it was being loaded` };
  });
}

/** The first trace from the second of the marker on: firmware keeps whole seconds only. */
function firstAfter(evidence: readonly CrashEvidence[], since: string): CrashEvidence | null {
  const begun = Math.floor(Date.parse(since) / 1000) * 1000;
  return evidence.find(({ time }) => Date.parse(time) >= begun) ?? null;
}

// Runs inputs of a campaign one after the other and notes what must not happen.
import { randomFor } from './random.ts';
import { isRefusal, type Target } from './target.ts';

/** Milliseconds of processor time one input may take: a busy machine is no hang. */
export const MAX_MS = 2000;
/** Kilobytes the whole process may ever hold. */
export const MAX_KB = 300 * 1024;
/** Kilobytes by which one input may raise the highest mark. */
const MAX_GROWTH_KB = 200 * 1024;

export interface Finding {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  readonly kind: 'crash' | 'hang' | 'memory';
  readonly text: string;
  /** The input, base64; null where it was never seen (the process died). */
  readonly input: string | null;
}

export interface Tally {
  /** Inputs by target: how many there were, and how many were read to the end without a refusal. */
  readonly targets: Record<string, { inputs: number; accepted: number }>;
  readonly findings: Finding[];
  /** The slowest input. */
  slowest: { readonly ms: number; readonly target: string; readonly index: number };
  maxRssKb: number;
}

export function emptyTally(): Tally {
  return { targets: {}, findings: [], slowest: { ms: 0, target: '', index: -1 }, maxRssKb: 0 };
}

/** The target and the bytes of input number `index`. */
export function inputOf(targets: readonly Target[], seed: number, index: number): { target: Target; input: Buffer } {
  const random = randomFor(seed, index);
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.below(total);
  const target = targets.find(({ weight }) => {
    at -= weight;
    return at < 0;
  }) as Target;
  return { target, input: target.make(random) };
}

async function attempt(target: Target, input: Buffer): Promise<{ accepted: boolean; error: unknown; ms: number }> {
  const start = process.cpuUsage();
  const spent = (): number => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
  try {
    const running = target.run(input);
    if (running !== undefined) await running;
    return { accepted: true, error: null, ms: spent() };
  } catch (error) {
    const refused = isRefusal(error);
    return { accepted: false, error: refused ? null : error, ms: spent() };
  }
}

/** Runs inputs `from` up to (not including) `to`. `before` is told the number of the next input. */
export async function runInputs(
  targets: readonly Target[],
  seed: number,
  from: number,
  to: number,
  before: (index: number) => void,
): Promise<Tally> {
  const tally = emptyTally();
  for (let index = from; index < to; index++) {
    before(index);
    const { target, input } = inputOf(targets, seed, index);
    const note = (kind: Finding['kind'], text: string): void => {
      tally.findings.push({ target: target.name, seed, index, kind, text, input: input.toString('base64') });
    };
    const mark = process.resourceUsage().maxRSS;
    let { accepted, error, ms } = await attempt(target, input);
    // Compiling and collecting garbage are counted too: what was slow is tried again, and the best time counts.
    for (let again = 0; again < 2 && ms > MAX_MS; again++) ms = Math.min(ms, (await attempt(target, input)).ms);
    count(tally, target.name, 1, accepted ? 1 : 0);
    if (ms > tally.slowest.ms) tally.slowest = { ms, target: target.name, index };
    tally.maxRssKb = process.resourceUsage().maxRSS;
    if (error !== null) note('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (ms > MAX_MS) note('hang', `${Math.round(ms)} ms`);
    if (tally.maxRssKb - mark > MAX_GROWTH_KB) note('memory', `${tally.maxRssKb - mark} KB more`);
  }
  return tally;
}

function count(tally: Tally, name: string, inputs: number, accepted: number): void {
  const counts = tally.targets[name] ?? { inputs: 0, accepted: 0 };
  tally.targets[name] = { inputs: counts.inputs + inputs, accepted: counts.accepted + accepted };
}

export function addTally(sum: Tally, more: Tally): void {
  for (const [name, { inputs, accepted }] of Object.entries(more.targets)) {
    count(sum, name, inputs, accepted);
  }
  sum.findings.push(...more.findings);
  if (more.slowest.ms > sum.slowest.ms) sum.slowest = more.slowest;
  sum.maxRssKb = Math.max(sum.maxRssKb, more.maxRssKb);
}

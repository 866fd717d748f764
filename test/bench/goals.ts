// The goals, as ratios within one run on one machine: only those travel.
import { type Measured, ratio } from './measure.ts';
import { LABELS } from './work.ts';

export interface Goal {
  readonly what: string;
  readonly against: string;
  readonly most: number;
}

/** Goals of one repository, by its size and compression. */
export function goalsOf(packages: number, compress: 'gz' | 'zst'): Goal[] {
  const large = packages >= 50_000;
  const goals: Goal[] = [
    { what: LABELS.version, against: LABELS.node, most: 1.8 },
    { what: LABELS.help, against: LABELS.node, most: 1.8 },
    { what: LABELS.warm, against: LABELS.node, most: 3 },
    { what: LABELS.warm, against: LABELS.dnfWarm, most: large ? 1 / 10 : 1 / 4 },
    { what: LABELS.cold, against: LABELS.unpack, most: compress === 'zst' ? 3 : 2 },
    { what: LABELS.cold, against: LABELS.dnfCold, most: large ? 1 / 10 : 1 / 8 },
  ];
  return goals;
}

/** Most megabytes of a cold plan, the decompressor included. */
export const MOST_MEMORY = 110;

export interface Judged {
  readonly text: string;
  readonly met: boolean;
}

/** Every goal that the measured commands allow to be judged. */
export function judge(goals: readonly Goal[], results: ReadonlyMap<string, Measured>): Judged[] {
  const judged = goals.flatMap(({ what, against, most }) => {
    const [one, other] = [results.get(what), results.get(against)];
    if (!one || !other) return [];
    const found = ratio(one, other);
    const shown = `${what} / ${against}`;
    return [
      {
        text: `| ${shown} | ${found.toFixed(2)} | ${most.toFixed(2)} | ${found <= most ? 'yes' : 'no'} |`,
        met: found <= most,
      },
    ];
  });
  const cold = results.get(LABELS.cold);
  if (cold) {
    const met = cold.memory.sum <= MOST_MEMORY;
    judged.push({
      text: `| memory of a cold plan, all processes, MB | ${cold.memory.sum.toFixed(0)} | ${MOST_MEMORY} | ${met ? 'yes' : 'no'} |`,
      met,
    });
  }
  return judged;
}

// Staging without a server: how far a new level may have spread before this machine takes it by itself.

/** Machines whose place is below `percent` take a level once it has been published for `after` seconds. */
export interface RolloutStep {
  readonly percent: number;
  readonly after: number;
}

/** What was configured. */
export interface RolloutPolicy {
  /** Ascending in both; the last counts from then on. Empty never occurs. */
  readonly steps: readonly RolloutStep[];
  /** A number: that place. A word: the group that moves together. Null: the machine by itself. */
  readonly cohort: number | string | null;
  /** Seconds that a level must have been published, whatever the place. */
  readonly minAge: number;
  /** Severities (lower case) and CVEs whose fix does not wait. */
  readonly bypassSeverity: readonly string[];
  readonly bypassCves: readonly string[];
}

/** The policy as it bears on this machine. */
export interface Rollout extends RolloutPolicy {
  /** By NEVRA: the place of this machine for that level, 0 to below 100 in hundredths. */
  readonly places: Readonly<Record<string, number>>;
}

/** The first machine of all, and the last. */
export const COHORTS: Readonly<Record<string, number>> = { canary: 0, last: 99.99 };

export const SEVERITIES: readonly string[] = ['low', 'moderate', 'important', 'critical'];

/** Whether the policy can hold anything back. */
export function isStaged({ steps, minAge }: RolloutPolicy): boolean {
  const [first] = steps;
  return minAge > 0 || first === undefined || first.percent < 100 || first.after > 0;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `10`, or `5, 25 after 1d, 100 after 7d`: both must rise from step to step. Null when it cannot be read. */
export function parseSteps(text: string): RolloutStep[] | null {
  const steps: RolloutStep[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{1,3}(?:\.\d{1,2})?) ?%?(?: +after +(\d{1,6})([smhd]))?$/.exec(part.trim());
    if (match === null) return null;
    const [, share = '', count = '0', unit = 's'] = match;
    const step = { percent: Number(share), after: Number(count) * (SECONDS[unit] as number) };
    const before = steps.at(-1);
    if (step.percent > 100 || (before && (step.percent <= before.percent || step.after <= before.after))) return null;
    steps.push(step);
  }
  return steps;
}

/** `auto`, a place (0 to 99.99), `canary`, `last`, or the name of a group. Null inside when the machine stands for itself. */
export function parseCohort(text: string): { readonly cohort: number | string | null } | null {
  if (text === 'auto') return { cohort: null };
  if (Object.hasOwn(COHORTS, text)) return { cohort: COHORTS[text] as number };
  if (/^\d/.test(text)) return /^\d{1,2}(?:\.\d{1,2})?$/.test(text) ? { cohort: Number(text) } : null;
  return /^[A-Za-z_][\w.-]{0,63}$/.test(text) ? { cohort: text } : null;
}

const items = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** Words of SEVERITIES in any case, parted by blanks or commas. Null when another word is among them. */
export function parseSeverities(text: string): string[] | null {
  const words = items(text).map((word) => word.toLowerCase());
  return words.every((word) => SEVERITIES.includes(word)) ? words : null;
}

/** CVE numbers, parted by blanks or commas. Null when something else is among them. */
export function parseCves(text: string): string[] | null {
  const words = items(text).map((word) => word.toUpperCase());
  return words.every((word) => /^CVE-\d{4}-\d{4,19}$/.test(word)) ? words : null;
}

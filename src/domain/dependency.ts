// Whether a provided version meets a requirement.
// Source of the rule: rpm-dependencies(7): a release takes part only where both sides have one; ranges overlap.
import { compareEvr, type Evr, parseEvr } from './evr.ts';
import type { Dependency } from './package.ts';

/** Compares as dependencies do: without a release on either side only epoch and version count. */
export function compareForDependency(a: Evr, b: Evr): number {
  return a.release === '' || b.release === ''
    ? compareEvr({ ...a, release: '' }, { ...b, release: '' })
    : compareEvr(a, b);
}

/** True when exactly this EVR lies in the range the dependency names; without a range everything does. */
export function meets(provided: Evr, required: Dependency): boolean {
  if (required.flags === null || required.evr === null) return true;
  const order = compareForDependency(provided, parseEvr(required.evr));
  switch (required.flags) {
    case 'EQ':
      return order === 0;
    case 'LT':
      return order < 0;
    case 'LE':
      return order <= 0;
    case 'GT':
      return order > 0;
    case 'GE':
      return order >= 0;
  }
}

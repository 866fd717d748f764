// Tests that need a program of the distribution ask here. Missing: the tests are left out and named at the end of the run;
// in CI (CI=true) nothing may be left out, so there they run and fail.
import { appendFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { describe } from '@jest/globals';

const PLACES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/bin'];

/** Whether a program is installed. */
export function has(program: string): boolean {
  return PLACES.some((place) => existsSync(path.join(place, program)));
}

/** `describe` where every program is there (or in CI), else `describe.skip`, with the reason kept for the end of the run. */
export function needs(...programs: string[]): typeof describe | typeof describe.skip {
  return leaveOutWithout(programs.filter((program) => !has(program)));
}

/** The same for anything else a test needs: `what` names it and how to get it. */
export function needsThat(there: boolean, what: string): typeof describe | typeof describe.skip {
  return leaveOutWithout(there ? [] : [what]);
}

function leaveOutWithout(missing: string[]): typeof describe | typeof describe.skip {
  if (missing.length === 0 || process.env.CI === 'true') return describe;
  const list = process.env.KPATCH_PM_LEFT_OUT;
  if (list) for (const name of missing) appendFileSync(list, `${name}\n`);
  return describe.skip;
}

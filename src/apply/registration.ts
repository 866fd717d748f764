// The step that tells the rpm database. Packages whose steps stand side by side are told in one transaction of rpm: starting
// rpm costs more than all else that is done for a package.
import { formatNevra } from '../domain/nevra.ts';
import type { RegisterStep, Step } from '../state/steps.ts';
import { stagedPath } from './places.ts';
import { closedPayload } from './preflight.ts';
import { registerAll } from './register.ts';
import type { Done, Transaction } from './transaction.ts';

/** Does one `register` step, and with the first of several all that stand right behind it. */
export async function registration(step: RegisterStep, transaction: Transaction): Promise<Done> {
  const { registered } = transaction;
  const name = formatNevra(step.nevra);
  if (!registered.has(name)) await tellOf(together(step, transaction), transaction);
  const answer = registered.get(name) ?? { registered: false as const, why: 'rpm was not asked' };
  if (answer.registered) return answer.changed ? 'done' : 'already';
  const text = `The rpm database was not told of ${name}: ${answer.why}. rpm -q and scanners will not see it.`;
  return { code: 'not-registered', text };
}

/** A step and those right behind it that rpm may be told of in the same words; not of kernels whose module did not arrive. */
function together(first: RegisterStep, { steps, stopped }: Transaction): RegisterStep[] {
  const rest = steps.slice(steps.indexOf(first));
  const fits = (step: Step): step is RegisterStep => step.do === 'register' && step.downgrade === first.downgrade;
  const end = rest.findIndex((step) => !fits(step));
  return (end === -1 ? rest : rest.slice(0, end)).filter(fits).filter(({ kernel }) => !stopped.has(kernel));
}

async function tellOf(group: readonly RegisterStep[], { machine, steps, registered }: Transaction): Promise<void> {
  const open: RegisterStep[] = [];
  for (const one of group) {
    const closed = closedPayload(machine.root, steps, one.nevra);
    if (closed === null) open.push(one);
    else registered.set(formatNevra(one.nevra), { registered: false, why: closed });
  }
  const [first] = open;
  if (!first) return;
  const packages = open.map(({ nevra, sha256 }) => ({ nevra, file: stagedPath(sha256) }));
  const answers = await registerAll(machine, packages, { downgrade: first.downgrade });
  for (const [n, { nevra }] of open.entries()) {
    const answer = answers[n];
    if (answer) registered.set(formatNevra(nevra), answer);
  }
}

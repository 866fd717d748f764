// Taking one package away from a kernel, and giving up a hold.
import { removeSteps } from '../apply/transactions.ts';
import { sameNevra } from '../domain/nevra.ts';
import type { HoldAction, RemoveAction, UnholdAction } from '../domain/plan.ts';
import type { Application } from './application.ts';
import { newHold } from './holds.ts';
import { transact } from './install.ts';

/** Removes a package: its files, its entry in the rpm database, its receipt. What the kernel runs it keeps running. */
export async function removeOne(application: Application, action: RemoveAction): Promise<void> {
  const { machine, world } = application.observed;
  const { kernel, package: nevra } = action;
  const patches = world.installed.filter(
    (patch) => patch.kernel === kernel && patch.package !== null && sameNevra(patch.package, nevra),
  );
  const hold = action.hold ? newHold(machine, kernel, nevra.name, 'removed') : null;
  await transact(application, removeSteps({ kernel, package: nevra, patches, hold }));
}

/** Records a hold, as it was before. */
export async function hold(application: Application, action: HoldAction): Promise<void> {
  await transact(application, { steps: [{ do: 'hold', hold: action.hold }], blobs: new Map() });
}

/** Forgets a hold. */
export async function unhold(application: Application, { hold }: UnholdAction): Promise<void> {
  const { kernel, name } = hold;
  await transact(application, { steps: [{ do: 'unhold', kernel, name }], blobs: new Map() });
}

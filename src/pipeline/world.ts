// Looking without changing anything. Apart from pipeline.ts, so that verbs that only look do not load what changes the machine.
import type { GoneKernel } from '../decide/gone.ts';
import { formatNevra } from '../domain/nevra.ts';
import { momentText } from '../domain/time.ts';
import type { World } from '../domain/world.ts';
import { KpmError } from '../errors.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { pendingJournal } from '../state/journal.ts';
import { readReceipts } from '../state/receipts.ts';
import { look } from './observe.ts';
import type { Request } from './request.ts';

/** Looks, changes nothing, needs no root. Unfinished work of an earlier run is reported among the notices. */
export async function observe(machine: Machine, request: Request, ui: Ui): Promise<World> {
  const observed = await look(machine, request, ui);
  await observed.net.close();
  return withUnfinished(machine, observed.world);
}

/** The world with a notice about unfinished work of an earlier run. */
export function withUnfinished(machine: Machine, world: World): World {
  const journal = unfinished(machine);
  const told = world.notices.some(({ text }) => text === journal?.text);
  return journal === null || told ? world : { ...world, notices: [...world.notices, journal] };
}

/**
 * Raises `kernel-not-installed` for a --kernel that is not there. Verbs that take live patches away may name a kernel that is
 * gone and has some still (`gone`).
 */
export function checkKernels(kernels: readonly string[], world: World, gone: readonly GoneKernel[] = []): void {
  const here = world.kernels.map(({ release }) => release as string);
  const left = gone.map(({ release }) => release);
  const stranger = kernels.find((name) => !here.includes(name) && !left.includes(name));
  if (stranger === undefined) return;
  const of = left.length > 0 ? `; gone, with live patches still: ${left.join(', ')}` : '';
  throw new KpmError('kernel-not-installed', {
    text: `The kernel ${stranger} is not installed.`,
    subject: stranger,
    hint: `Installed: ${here.join(', ') || 'none'}${of}`,
  });
}

/** A notice about a level that an interrupted run did not tell the rpm database of. */
function unregistered({ root, uid }: Machine): World['notices'][number] | null {
  const waiting = readReceipts(root, uid, () => undefined).find(({ registration }) => registration);
  if (waiting === undefined) return null;
  const text = `An earlier run was interrupted before it told the rpm database of ${formatNevra(waiting.package)}; the next run that changes something does it.`;
  return { code: 'unfinished', text };
}

/** A notice about a transaction that an earlier run left unfinished; null when there is none, or none that may be read. */
function unfinished(machine: Machine): World['notices'][number] | null {
  try {
    const journal = pendingJournal(machine.root, machine.uid);
    if (journal === null) return unregistered(machine);
    const text = `An earlier run (${journal.command}, ${momentText(journal.since)}) was interrupted; the next run that changes something finishes it.`;
    return { code: 'unfinished', text };
  } catch (error) {
    // Who may not read our directory was told so already.
    if (error instanceof KpmError && error.code === 'file-unreadable' && machine.uid !== 0) return null;
    if (error instanceof KpmError) return { code: error.code, text: error.message };
    throw error;
  }
}

// What a killed run left undone: a level that was installed and about to be loaded when the run ended is not in the rpm
// database yet (that waits until the kernel took it). A later run that changes something makes up for it.

import { extractModules } from '../apply/extract.ts';
import { runTransaction } from '../apply/install.ts';
import { openRecord } from '../apply/record.ts';
import { keptFiles } from '../apply/retired.ts';
import { Spool } from '../apply/spool.ts';
import { proven, registerSteps } from '../apply/transactions.ts';
import { formatNevra, sameNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { Receipt } from '../domain/receipt.ts';
import { EXIT, KpmError } from '../errors.ts';
import { parseRpm } from '../formats/rpm/package.ts';
import { livepatches } from '../host/livepatch.ts';
import type { Ui } from '../host/machine.ts';
import type { LockedState } from '../state/lock.ts';
import { readReceipts } from '../state/receipts.ts';
import { fetchOffered } from './fetch.ts';
import type { NamedFile, Observed } from './observed.ts';
import { registeringAction, remarking } from './record.ts';
import type { Request } from './request.ts';
import { makeTrustees } from './trust.ts';
import { keptLevel } from './undo.ts';

/**
 * Tells the rpm database of every level whose run was killed before it could. One that is still to be proven by the running
 * kernel waits. What cannot be made up for is warned of, with what to do, and ends nothing.
 */
export async function finishRegistrations(
  observed: Observed,
  request: Request,
  locked: LockedState,
  ui: Ui,
): Promise<void> {
  const { machine, rpmdb, snapshots, config } = observed;
  // Verbs that asked no repository cannot have the packages.
  if (rpmdb.how !== 'rpm' || (snapshots.length === 0 && config.repos.length > 0)) return;
  const waiting = readReceipts(machine.root, machine.uid, () => undefined).filter(({ registration }) => registration);
  for (const receipt of waiting) {
    if (isToBeProven(observed, request, receipt)) continue;
    try {
      await finishOne(observed, request, locked, receipt, ui);
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      const nevra = formatNevra(receipt.package);
      ui.warn(
        `The rpm database does not know ${nevra}, because the run that installed it was interrupted: ${error.reason} To make up for it: kpatch-pm reinstall ${nevra}`,
      );
    }
  }
}

function isToBeProven({ machine, world }: Observed, { load }: Request, { kernel, files }: Receipt): boolean {
  const runs = world.live && world.kernels.some((one) => one.running && one.release === kernel);
  if (!runs || !load) return false;
  const active = livepatches(machine.host).filter(({ enabled }) => enabled);
  return files.some(({ module }) => !active.some((patch) => patch.module === module));
}

async function finishOne(
  seen: Observed,
  request: Request,
  locked: LockedState,
  receipt: Receipt,
  told: Ui,
): Promise<void> {
  const { kernel, package: nevra } = receipt;
  const named = new Map<string, NamedFile>(seen.named);
  const offers = [...seen.world.offered.filter((pkg) => sameNevra(pkg, nevra)), ...keptLevel(seen, nevra, named)];
  const observed = { ...seen, named };
  const { machine } = observed;
  const signed = await firstSame(observed, offers, receipt, makeTrustees(observed, request, told), told);
  const extracted = await extractModules(signed, kernel, machine.run.filter);
  // One package at a time: it may stay in memory.
  const { steps, blobs } = registerSteps({
    kernel,
    ...(await new Spool(machine.root, { inMemory: Number.POSITIVE_INFINITY }).keep(extracted)),
    replaces: keptFiles(machine.root, kernel),
    downgrade: true,
    receipt: settled(receipt),
  });
  const action = registeringAction(receipt);
  const record = openRecord(machine, locked, request.commandLine ?? request.verb, [action]);
  const ui = remarking(told, record);
  const { results, notices } = await runTransaction(machine, locked, steps, blobs, {
    record: { of: record, ends: [0] },
  });
  for (const { text } of notices) ui.warn(text);
  const refusal = results.find(({ problem }) => problem !== null)?.problem ?? null;
  if (refusal) {
    ui.warn(refusal.text);
    record.set(0, { outcome: 'failed', error: refusal });
  }
  record.close(EXIT.done);
  if (refusal) return;
  ui.note(`Finished what an interrupted run had begun: the rpm database knows ${formatNevra(nevra)}.`);
}

/** The very package that was installed, its signature verified anew. */
async function firstSame(
  observed: Observed,
  offers: readonly OfferedPackage[],
  receipt: Receipt,
  trustees: ReturnType<typeof makeTrustees>,
  ui: Ui,
) {
  for (const offer of offers) {
    const { bytes } = await fetchOffered(observed, offer, ui);
    const signed = await trustees.verify(parseRpm(bytes), offer.repo);
    if (signed.sha256 === receipt.packageSha256) return signed;
  }
  throw new KpmError('blob-missing', { text: 'the package is neither on offer in a repository nor in the cache.' });
}

function settled({ registration: _, ...receipt }: Receipt): Receipt {
  return proven(receipt);
}

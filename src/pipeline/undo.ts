// What `history undo` needs before it can be planned: the record, and the levels it wants back that only the cache still has.
import type { HistoryRecord } from '../domain/history.ts';
import { formatNevra, type Nevra, sameNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import { momentText } from '../domain/time.ts';
import { KpmError } from '../errors.ts';
import { MAX_PACKAGE_BYTES } from '../formats/rpm/package.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { readCached } from '../state/cache.ts';
import { HISTORY, numbersOf, readHistory, recordNumbers } from '../state/history.ts';
import { asOffer, readAgain } from './named.ts';
import type { NamedFile, Observed } from './observed.ts';
import type { Request } from './request.ts';

/** The whole history, the newest first; what is damaged is told. Raises `needs-root` where this user may not read it. */
export function historyOf({ root, uid }: Machine, ui: Ui): HistoryRecord[] {
  return readHistory(root, uid, ({ code, text }) => {
    if (code !== 'file-unreadable') {
      ui.warn(text);
      return;
    }
    throw new KpmError('needs-root', {
      text: `The history of this machine (${root.show(HISTORY)}) can be read by root only.`,
      hint: 'Run: sudo kpatch-pm history',
    });
  });
}

/** The record that is to be undone; absent where that is not asked. Raises `no-record`, and what reading the history raises. */
export function recordToUndo(machine: Machine, { undo: word }: Request, ui: Ui): HistoryRecord | undefined {
  if (word === undefined) return undefined;
  const records = historyOf(machine, ui);
  // By the names of the files: `last` must not become another one because the last cannot be read.
  const [id] = numbersOf(word, recordNumbers(machine.root)) ?? [];
  const record = records.find((one) => one.id === id);
  if (record) {
    ui.note(`Undoing transaction ${record.id}, from ${momentText(record.begun)}: ${record.command}`);
    return record;
  }
  throw noRecord(word, id !== undefined);
}

/** The error about a transaction that was named and is not there, or cannot be read. */
export function noRecord(word: string, there: boolean): KpmError {
  return new KpmError('no-record', {
    text: there ? `Transaction ${word} cannot be read.` : `There is no transaction ${word} in the history.`,
    subject: word,
    hint: 'See: kpatch-pm history list',
  });
}

/** The observed world with the levels of a record on offer that no repository has any more and the cache kept (keepcache=1). */
export function withKeptLevels(observed: Observed, record: HistoryRecord | undefined): Observed {
  if (record === undefined) return observed;
  const { world } = observed;
  const wanted = record.actions
    .flatMap(({ do: verb, package: pkg, replaces }) => (verb === 'remove' ? [pkg] : [replaces]))
    .filter((level): level is NonNullable<typeof level> => level !== null)
    .filter((level) => !world.offered.some((offer) => sameNevra(offer, level)));
  const named = new Map<string, NamedFile>(observed.named);
  const kept = wanted.flatMap((level) => keptLevel(observed, level, named));
  return kept.length === 0
    ? observed
    : { ...observed, world: { ...world, offered: [...kept, ...world.offered] }, named };
}

/** A level that the cache kept, as an offer; its bytes go to `named`. */
export function keptLevel({ cache }: Observed, level: Nevra, named: Map<string, NamedFile>): OfferedPackage[] {
  const place = cache.own;
  if (place === null) return [];
  const prefix = `${formatNevra(level)}.`;
  for (const folder of place.root.list(place.base)) {
    for (const name of place.root.list(`${place.base}/${folder}/packages`)) {
      if (!name.startsWith(prefix) || !name.endsWith('.rpm')) continue;
      const file = `${folder}/packages/${name}`;
      const offer = readOffer(file, readCached(place, file, MAX_PACKAGE_BYTES));
      if (!offer || !sameNevra(offer, level)) continue;
      // A level is of some MB, and a run may take back many: it is read again when it is taken.
      named.set(
        offer.href,
        readAgain(offer, () => readCached(place, file, MAX_PACKAGE_BYTES)),
      );
      return [offer];
    }
  }
  return [];
}

/** A file of the cache that is damaged counts as absent. */
function readOffer(name: string, bytes: Buffer | null): OfferedPackage | null {
  if (bytes === null) return null;
  try {
    return asOffer(name, bytes);
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}

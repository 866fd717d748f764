// Holds: recorded wishes to leave a kernel, or one package, alone. One small file.
import type { Hold } from '../domain/world.ts';
import type { Root } from '../host/root.ts';
import { checkState, STATE } from './directory.ts';
import { type FileFormat, isFields, type Notice, readState, stateText, tolerant } from './format.ts';

export const HOLDS = `${STATE}/holds.json`;

interface HoldsFile {
  readonly format: 1;
  readonly holds: readonly Hold[];
}

const textOrNull = (value: unknown): boolean => value === null || typeof value === 'string';

const FORMAT: FileFormat<HoldsFile> = {
  what: 'list of holds',
  lost: 'the holds in it are lifted then',
  current: 1,
  migrations: {},
  check: (fields) =>
    Array.isArray(fields.holds) &&
    fields.holds.every(
      (hold) =>
        isFields(hold) &&
        textOrNull(hold.kernel) &&
        textOrNull(hold.name) &&
        typeof hold.since === 'string' &&
        typeof hold.why === 'string',
    )
      ? (fields as unknown as HoldsFile)
      : null,
};

/** The recorded holds. Errors and `notice` as in readReceipts. */
export function readHolds(root: Root, uid: number, notice?: Notice): Hold[] {
  return tolerant(notice, [], () => {
    checkState(root, uid);
    return [...(readState(root, HOLDS, FORMAT)?.holds ?? [])];
  });
}

const same = (a: Pick<Hold, 'kernel' | 'name'>, b: Pick<Hold, 'kernel' | 'name'>): boolean =>
  a.kernel === b.kernel && a.name === b.name;

/** The list with a hold; one for the same kernel and package is replaced. */
export function withHold(holds: readonly Hold[], hold: Hold): Hold[] {
  return [...holds.filter((other) => !same(other, hold)), hold];
}

/** The list without a hold. */
export function withoutHold(holds: readonly Hold[], hold: Pick<Hold, 'kernel' | 'name'>): Hold[] {
  return holds.filter((other) => !same(other, hold));
}

export function holdsText(holds: readonly Hold[]): string {
  return stateText({ format: 1, holds } satisfies HoldsFile);
}

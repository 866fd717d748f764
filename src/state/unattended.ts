// The marker that somebody typed `auto` on this machine: only then may unattended runs load modules. A setting that came
// with an image or a configuration file says what is wanted, not that anybody here agreed to it happening by itself.
import type { Root } from '../host/root.ts';
import { checkState, STATE, type State } from './directory.ts';
import { type FileFormat, type Notice, readState, stateText, tolerant } from './format.ts';

export const UNATTENDED = `${STATE}/unattended.json`;

export interface Unattended {
  readonly format: 1;
  readonly since: string;
  /** Login name. */
  readonly by: string;
}

const FORMAT: FileFormat<Unattended> = {
  what: 'marker of unattended runs',
  current: 1,
  migrations: {},
  check: (fields) =>
    typeof fields.since === 'string' && typeof fields.by === 'string' ? (fields as unknown as Unattended) : null,
};

/** Who agreed to unattended loads, and when; null when nobody did. Errors and `notice` as in readReceipts. */
export function readUnattended(root: Root, uid: number, notice?: Notice): Unattended | null {
  return tolerant(notice, null, () => {
    checkState(root, uid);
    return readState(root, UNATTENDED, FORMAT);
  });
}

/** Agrees (an earlier agreement stays as it is) or takes it back. */
export function writeUnattended({ root, uid }: State, agreement: Omit<Unattended, 'format'> | null): void {
  if (agreement === null) root.remove(UNATTENDED);
  else if (readUnattended(root, uid) === null) {
    root.write(UNATTENDED, stateText({ format: 1, ...agreement } satisfies Unattended), { mode: 0o600 });
  }
}

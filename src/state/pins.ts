// Pins: which keys may sign the live patches of a stream. rpm trusts every key for every package; for code that runs in
// the kernel that is too much. A stream without a pin takes any trusted key.
import type { Root } from '../host/root.ts';
import { STATE } from './directory.ts';
import { type FileFormat, isFields, type Notice, readState, stateText, tolerant } from './format.ts';

export const PINS = `${STATE}/pins.json`;

export interface Pin {
  /** What the pin is for: a live-patch stream, as the vendor's naming scheme calls it (`rhel`). */
  readonly stream: string;
  /** Of the primary key. */
  readonly fingerprint: string;
  readonly owner: string;
  /** ISO time. */
  readonly since: string;
}

interface PinsFile {
  readonly format: 1;
  readonly pins: readonly Pin[];
}

const FORMAT: FileFormat<PinsFile> = {
  what: 'list of pinned keys',
  current: 1,
  migrations: {},
  check: ({ pins }) =>
    Array.isArray(pins) &&
    pins.every(
      (pin) =>
        isFields(pin) &&
        [pin.stream, pin.fingerprint, pin.owner, pin.since].every((field) => typeof field === 'string'),
    )
      ? { format: 1, pins: pins as Pin[] }
      : null,
};

/**
 * All pins. Without `notice` a damaged file is an error: to read it as "no pins" would let more through.
 * Only for showing may a `notice` be given.
 */
export function readPins(root: Root, notice?: Notice): Pin[] {
  return tolerant(notice, [], () => [...(readState(root, PINS, FORMAT)?.pins ?? [])]);
}

/** The fingerprints that may sign for a stream; null when any trusted key may. */
export function pinnedKeys(pins: readonly Pin[], stream: string): string[] | null {
  const mine = pins.filter((pin) => pin.stream === stream);
  return mine.length === 0 ? null : mine.map(({ fingerprint }) => fingerprint);
}

/** Adds a pin; one for the same stream and key is replaced. */
export function addPin(root: Root, pin: Pin): void {
  write(root, [...without(readPins(root), pin.stream, pin.fingerprint), pin]);
}

/** Takes a pin away; the last one of a stream frees the stream. */
export function removePin(root: Root, stream: string, fingerprint: string): void {
  write(root, without(readPins(root), stream, fingerprint));
}

function without(pins: readonly Pin[], stream: string, fingerprint: string): Pin[] {
  return pins.filter((pin) => pin.stream !== stream || pin.fingerprint !== fingerprint);
}

function write(root: Root, pins: readonly Pin[]): void {
  root.mkdirs('var/lib');
  root.mkdirs(STATE, 0o700);
  root.write(PINS, stateText({ format: 1, pins } satisfies PinsFile), { mode: 0o600 });
}

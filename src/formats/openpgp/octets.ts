// Reading big-endian fields out of untrusted bytes: every read is checked against the end.
import { KpmError } from '../../errors.ts';

/** The error of everything that is not well-formed OpenPGP; `what` completes "... is not well-formed OpenPGP:". */
export function malformed(what: string, cause?: unknown): KpmError {
  return new KpmError('openpgp-malformed', { text: `Not well-formed OpenPGP: ${what}.`, cause });
}

export class Octets {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  /** `what` names the bytes in error texts ("signature packet"). */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.take(1)[0] as number;
  }

  u16(): number {
    return this.take(2).readUInt16BE(0);
  }

  u32(): number {
    return this.take(4).readUInt32BE(0);
  }

  /** A view (no copy) of the next `count` bytes. Raises `openpgp-malformed` when there are fewer. */
  take(count: number): Buffer {
    if (count > this.left) throw malformed(`the ${this.#what} is cut off at byte ${this.#at}`);
    const view = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return view;
  }

  rest(): Buffer {
    return this.take(this.left);
  }

  /** A multiprecision integer: a bit count (u16), then its bytes. Source: RFC 9580 section 3.2. */
  mpi(): Buffer {
    return this.take((this.u16() + 7) >> 3);
  }
}

/** The bytes of a number without leading zeros. */
export function trimZeros(number: Buffer): Buffer {
  let at = 0;
  while (at < number.length && number[at] === 0) at++;
  return number.subarray(at);
}

/** The number in exactly `size` bytes; null when it is larger. */
export function leftPad(number: Buffer, size: number): Buffer | null {
  const bare = trimZeros(number);
  if (bare.length > size) return null;
  return Buffer.concat([Buffer.alloc(size - bare.length), bare]);
}

/** Seconds since 1970 as a Date. */
export function fromSeconds(seconds: number): Date {
  return new Date(seconds * 1000);
}

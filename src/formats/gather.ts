// Pieces that arrive one after the other, in one piece of memory.

/**
 * Pieces that already lie side by side stay where they are (host/pair.ts and node's zlib fill one large piece from its front); others are
 * copied into memory of our own, `expected` bytes at once: memory that is not filled costs nothing.
 */
export class Gathering {
  readonly #expected: number;
  /** Our own; null as long as nothing had to be copied. */
  #room: Buffer | null = null;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(expected: number) {
    this.#expected = expected;
  }

  /** Everything so far. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  take(piece: Buffer): void {
    const { length } = this.#bytes;
    if (this.#room === null) {
      const joined = length === 0 ? piece : sideBySide(this.#bytes, piece);
      if (joined !== null) {
        this.#bytes = joined;
        return;
      }
    }
    const needed = length + piece.length;
    if (this.#room === null || this.#room.length < needed) {
      const room = Buffer.allocUnsafeSlow(Math.max(needed, this.#expected, (this.#room?.length ?? 0) * 2));
      this.#bytes.copy(room);
      this.#room = room;
    }
    piece.copy(this.#room, length);
    this.#bytes = this.#room.subarray(0, needed);
  }
}

function sideBySide(one: Buffer, next: Buffer): Buffer | null {
  if (one.buffer !== next.buffer || one.byteOffset + one.length !== next.byteOffset) return null;
  return Buffer.from(one.buffer, one.byteOffset, one.length + next.length);
}

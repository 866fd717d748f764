// bzip2 in JavaScript (about 3 MB/s): only where the program is absent.

/** Bytes that go out in one piece. */
const PIECE = 256 * 1024;
/** A block is announced as one to nine times so many bytes. */
const BLOCK = 100_000;

class TooMuch extends Error {}

/** A growing row of bytes in pieces, which refuses to become longer than `most`. */
function gather(most: number): { readonly take: (byte: number) => void; readonly pieces: () => Buffer[] } {
  let full: Buffer[] = [];
  let piece = Buffer.allocUnsafe(PIECE);
  let at = 0;
  let total = 0;
  return {
    take(byte) {
      if (at === PIECE) {
        full.push(piece);
        piece = Buffer.allocUnsafe(PIECE);
        at = 0;
      }
      piece[at++] = byte;
      // Within a block too: one of 100 bytes may open to 45 MB.
      if (++total > most) throw new TooMuch('it unpacks to more than is allowed');
    },
    pieces() {
      const ready = at > 0 ? [...full, Buffer.from(piece.subarray(0, at))] : full;
      full = [];
      at = 0;
      return ready;
    },
  };
}

/**
 * The open bytes of bzip2 streams, one behind the other. The compressed bytes are gathered first, for the decoder is
 * synchronous. Raises plain errors on damage and when more than `maxBytes` come out.
 */
export async function* bunzip2(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncIterable<Buffer> {
  const { default: decoder } = await import('unbzip2-stream/lib/bzip2.js');
  const { default: bitIterator } = await import('unbzip2-stream/lib/bit_iterator.js');
  const parts: Uint8Array[] = [];
  for await (const part of source) if (part.length > 0) parts.push(part);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length === 0) throw new Error('it is empty');
  let next = 0;
  const bits = bitIterator(() => {
    const part = parts[next++];
    if (part === undefined) throw new Error('it ends too early');
    return part;
  });
  const { take, pieces } = gather(maxBytes);
  while (bits.bytesRead < length) {
    const size = decoder.header(bits) * BLOCK;
    let checksum: number | null = 0;
    while (checksum !== null) {
      try {
        checksum = decoder.decompress(bits, take, new Int32Array(size), size, checksum);
      } catch (error) {
        // What came out goes out: who asked sees that it is more than was allowed.
        if (error instanceof TooMuch) yield* pieces();
        throw error;
      }
      yield* pieces();
    }
  }
}

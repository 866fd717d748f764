// The package brings no types. Its parts are used, not its stream: that gathers the bytes of a block, 50 for each one
// of its own, as numbers of an array (half a GB for a block of 100 bytes that lies).
declare module 'unbzip2-stream/lib/bzip2.js' {
  type Bits = (count: number | null) => number;
  interface Bzip2 {
    /** Reads the header of a stream: blocks hold that many times 100,000 bytes. */
    header(bits: Bits): number;
    /** Opens a block byte by byte; the checksum so far, or null behind the last block. */
    decompress(
      bits: Bits,
      take: (byte: number) => void,
      room: Int32Array,
      size: number,
      checksum: number,
    ): number | null;
  }
  const bzip2: Bzip2;
  export default bzip2;
}
declare module 'unbzip2-stream/lib/bit_iterator.js' {
  /** Reads bits from pieces; `next` is asked for the first one at once. */
  export default function bitIterator(
    next: () => Uint8Array,
  ): ((count: number | null) => number) & { bytesRead: number };
}

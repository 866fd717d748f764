// Which compression a stream has, by its first bytes. Source: RFC 1952, RFC 8878, the .xz and bzip2 format documents,
// the LZMA specification (lzma has no magic: properties byte 0x5d and a small power-of-two dictionary are the custom).

export type Compression = 'none' | 'gzip' | 'xz' | 'zstd' | 'bzip2' | 'lzma' | 'zchunk';

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lzma', [0x5d, 0x00, 0x00]],
  ['zchunk', [0x00, 0x5a, 0x43, 0x4b, 0x31]],
];

/** The compression of bytes that start a stream (six are enough); `none` when no magic fits. */
export function sniff(bytes: Uint8Array): Compression {
  for (const [kind, magic] of MAGICS) {
    if (magic.every((byte, at) => bytes[at] === byte)) return kind;
  }
  return 'none';
}

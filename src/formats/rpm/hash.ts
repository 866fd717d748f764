import { createHash } from 'node:crypto';

/**
 * The digest of several pieces, as lower-case hex; null when this machine refuses the algorithm (MD5 in FIPS mode, say).
 * `algorithm` is OpenSSL's name: sha256, sha3-256, md5 ...
 */
export function digestOf(algorithm: string, ...pieces: Uint8Array[]): string | null {
  let hash: ReturnType<typeof createHash>;
  try {
    hash = createHash(algorithm);
  } catch {
    return null;
  }
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

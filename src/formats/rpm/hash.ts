import { createHash, type Hash } from 'node:crypto';

/** Whether a digest or size that a package carries about itself fits its bytes. */
export interface DigestVerdict {
  /** What is covered: `header`, `payload`, `open payload`, `header+payload`, `size`. */
  readonly name: string;
  /** `sha256`, `md5` ...; `bytes` for a size. */
  readonly algorithm: string;
  readonly verdict: 'ok' | 'bad';
}

/**
 * A hash that has taken nothing yet; null when this machine refuses the algorithm (MD5 in FIPS mode, say).
 * `algorithm` is OpenSSL's name: sha256, sha3-256, md5 ...
 */
export function newHash(algorithm: string): Hash | null {
  try {
    return createHash(algorithm);
  } catch {
    return null;
  }
}

/** The digest of several pieces, as lower-case hex; null when this machine refuses the algorithm. */
export function digestOf(algorithm: string, ...pieces: Uint8Array[]): string | null {
  const hash = newHash(algorithm);
  for (const piece of pieces) hash?.update(piece);
  return hash?.digest('hex') ?? null;
}

// The algorithms of OpenPGP and what we think of them. Source: RFC 9580 sections 9.1 and 9.5; the judgement is
// explained in docs/security.md.

export interface HashAlgorithm {
  /** node's name, null when it cannot be computed. */
  readonly node: string | null;
  readonly name: string;
  /** Weak: collisions are known or near, so a signature over foreign data proves nothing. */
  readonly weak: boolean;
  /** Bytes of salt a v6 signature must carry; null: not allowed there. */
  readonly salt: number | null;
}

const HASHES: ReadonlyMap<number, HashAlgorithm> = new Map([
  [1, { node: 'md5', name: 'MD5', weak: true, salt: null }],
  [2, { node: 'sha1', name: 'SHA1', weak: true, salt: null }],
  [3, { node: null, name: 'RIPEMD160', weak: true, salt: null }],
  [8, { node: 'sha256', name: 'SHA256', weak: false, salt: 16 }],
  [9, { node: 'sha384', name: 'SHA384', weak: false, salt: 24 }],
  [10, { node: 'sha512', name: 'SHA512', weak: false, salt: 32 }],
  [11, { node: 'sha224', name: 'SHA224', weak: false, salt: 16 }],
  [12, { node: 'sha3-256', name: 'SHA3-256', weak: false, salt: 16 }],
  [14, { node: 'sha3-512', name: 'SHA3-512', weak: false, salt: 32 }],
]);

export function hashAlgorithm(id: number): HashAlgorithm {
  return HASHES.get(id) ?? { node: null, name: `hash-${id}`, weak: false, salt: null };
}

export const ALGORITHM = { rsa: 1, rsaSign: 3, dsa: 17, ecdsa: 19, eddsa: 22, ed25519: 27, ed448: 28 } as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'RSA'],
  [2, 'RSA encrypt-only'],
  [3, 'RSA'],
  [16, 'ElGamal'],
  [17, 'DSA'],
  [18, 'ECDH'],
  [19, 'ECDSA'],
  [22, 'EdDSA'],
  [25, 'X25519'],
  [26, 'X448'],
  [27, 'Ed25519'],
  [28, 'Ed448'],
  // Source: draft-ietf-openpgp-pqc.
  [30, 'ML-DSA-65+Ed25519'],
  [31, 'ML-DSA-87+Ed448'],
  [32, 'SLH-DSA-SHAKE-128s'],
  [33, 'SLH-DSA-SHAKE-128f'],
  [34, 'SLH-DSA-SHAKE-256s'],
]);

/** The name of a public-key algorithm for people and JSON. */
export function algorithmName(id: number): string {
  return NAMES.get(id) ?? `algorithm-${id}`;
}

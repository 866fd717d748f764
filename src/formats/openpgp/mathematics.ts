// Whether a signature is right in itself: these bytes, this key, these numbers. No policy here.
// Source: RFC 9580 sections 5.2.3 and 5.2.4; RFC 8017 section 8.2.2.
import { constants, createHash, createVerify, type KeyObject, publicDecrypt, verify } from 'node:crypto';
import { ALGORITHM } from './algorithms.ts';
import type { KeyPacket } from './keypacket.ts';
import { leftPad } from './octets.ts';
import type { Signature } from './signature.ts';

/** What this machine cannot check: the reason as a text. */
export interface Unchecked {
  readonly why: string;
}

/** DigestInfo of SHA-1 (RFC 8017 section 9.2). */
const SHA1_INFO = Buffer.from('3021300906052b0e03021a05000414', 'hex');

/**
 * True when `signature` is this key's signature over the data; false when it is not. `Unchecked` when node or the
 * host's cryptographic policy does not do the algorithm.
 */
export function isRight(signature: Signature, data: readonly Buffer[], key: KeyPacket): boolean | Unchecked {
  const why = signature.unsupported ?? key.unsupported;
  if (why !== null || key.material === null || signature.hashAlgorithm.node === null) return { why: why ?? 'the key' };
  if (family(signature.algorithmId) !== family(key.algorithmId)) return false;
  const hash = signature.hashAlgorithm.node;
  const hashed = [signature.salt, ...data, signature.trailer];
  try {
    const sum = digest(hash, hashed);
    // Cheap, and it finds a packet that was changed in this unsigned place: gpg and rpm call that bad too.
    if (!sum.subarray(0, 2).equals(signature.hint)) return false;
    return check(signature, { hash, hashed, sum }, key, key.material);
  } catch (error) {
    return { why: `${signature.algorithm} with ${signature.hash} (${(error as Error).message})` };
  }
}

const family = (id: number): number => (id === ALGORITHM.rsaSign ? ALGORITHM.rsa : id);

/** What was signed: the bytes, and their digest. */
interface Message {
  readonly hash: string;
  readonly hashed: readonly Buffer[];
  readonly sum: Buffer;
}

function check({ algorithmId, values }: Signature, message: Message, key: KeyPacket, material: KeyObject): boolean {
  const [first, second] = values;
  if (first === undefined) return false;
  switch (family(algorithmId)) {
    case ALGORITHM.rsa: {
      const number = leftPad(first, key.width);
      if (number === null) return false;
      return message.hash === 'sha1' ? rsaSha1(message.sum, number, material) : verifyBy(message, material, number);
    }
    case ALGORITHM.dsa:
    case ALGORITHM.ecdsa: {
      const pair = both(first, second, key.width);
      return pair !== null && verifyBy(message, { key: material, dsaEncoding: 'ieee-p1363' }, pair);
    }
    case ALGORITHM.eddsa: {
      const pair = both(first, second, 32);
      return pair !== null && verify(null, message.sum, material, pair);
    }
    default:
      // Ed25519, Ed448: what is signed is the digest.
      return verify(null, message.sum, material, first);
  }
}

/** Two numbers side by side, each `width` bytes; null when one is too large. */
function both(r: Buffer, s: Buffer | undefined, width: number): Buffer | null {
  const left = leftPad(r, width);
  const right = s === undefined ? null : leftPad(s, width);
  return left === null || right === null ? null : Buffer.concat([left, right]);
}

function verifyBy(
  { hash, hashed }: Message,
  key: KeyObject | { key: KeyObject; dsaEncoding: 'ieee-p1363' },
  signature: Buffer,
): boolean {
  // node verifies no ready digest for these: it hashes once more, and the host's policy on signatures applies.
  const verifier = createVerify(hash);
  for (const part of hashed) verifier.update(part);
  return verifier.verify(key, signature);
}

function digest(hash: string, parts: readonly Buffer[]): Buffer {
  const sum = createHash(hash);
  for (const part of parts) sum.update(part);
  return sum.digest();
}

/**
 * RSA with SHA-1 without the host's signature policy: RHEL's OpenSSL refuses it wholesale, yet vendors' keys of today
 * still carry self-signatures of this kind (which need no collision resistance). The block is built and compared whole.
 */
function rsaSha1(sum: Buffer, signature: Buffer, key: KeyObject): boolean {
  const modulus = leftPad(Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url'), signature.length);
  if (modulus === null || signature.compare(modulus) >= 0) return false;
  const content = Buffer.concat([SHA1_INFO, sum]);
  const fill = signature.length - content.length - 3;
  if (fill < 8) return false;
  const wanted = Buffer.concat([Buffer.of(0, 1), Buffer.alloc(fill, 0xff), Buffer.of(0), content]);
  return publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature).equals(wanted);
}

// The verdict on one signature over data, with the keys at hand.
import { mayBeBy } from './certificate.ts';
import { forbidden, type HostPolicy } from './host-policy.ts';
import type { PublicKey, VerifyingKey } from './keys.ts';
import { isRight } from './mathematics.ts';
import { SIGNATURE_TYPE, type Signature } from './signature.ts';

export type SignatureVerdict = 'good' | 'good-expired-key' | 'bad' | 'no-key' | 'revoked' | 'weak' | 'unsupported';

export interface Verification {
  readonly verdict: SignatureVerdict;
  /** The key it was checked with; null when there was none. */
  readonly key: PublicKey | null;
  /** Fingerprint of the very key that made it, which may be a subkey of `key`; null when that is not known. */
  readonly madeBy: string | null;
  /** Whether bytes, numbers and key fit, whatever policy says; null when that could not be checked. */
  readonly right: boolean | null;
  /** With 'good-expired-key': whether it was made before the key expired. True otherwise. */
  readonly inTime: boolean;
  /** What is to be said about it; null for 'good'. */
  readonly reason: string | null;
}

interface Candidate {
  readonly key: PublicKey;
  readonly by: VerifyingKey;
}

/**
 * Judges a signature over the concatenation of `signed`. All keys with the signature's key id are tried: key ids are
 * short enough to collide. The time `at` decides only about expiry, never about the mathematics.
 * `policy`: what the host forbids besides. Source of what counts as weak: docs/security.md.
 */
export function verifySignature(
  signature: Signature,
  signed: readonly Buffer[],
  keys: readonly PublicKey[],
  at: Date,
  policy: HostPolicy | null = null,
): Verification {
  if (signature.unsupported !== null) return without('unsupported', `${signature.unsupported} is not supported`);
  if (signature.type !== SIGNATURE_TYPE.binary) {
    return without('unsupported', `a signature of type ${signature.type} is none over a file`);
  }
  const candidates = keys.flatMap((key) =>
    [key.primary, ...key.subkeys].filter((by) => mayBeBy(signature, by.packet)).map((by): Candidate => ({ key, by })),
  );
  const [first] = candidates;
  if (!first)
    return without('no-key', `the key ${signature.fingerprint ?? signature.keyid ?? '(not named)'} is not at hand`);
  let unchecked: string | null = null;
  for (const candidate of candidates) {
    const right = isRight(signature, signed, candidate.by.packet);
    if (right === true) return judge(signature, candidate, at, policy);
    if (right !== false) unchecked ??= right.why;
  }
  if (unchecked !== null) return { ...without('unsupported', `${unchecked} is not supported`), key: first.key };
  return { ...say(first, 'bad', 'the signature does not fit the bytes'), right: false };
}

function without(verdict: SignatureVerdict, reason: string): Verification {
  return { verdict, key: null, madeBy: null, right: null, inTime: true, reason };
}

function say({ key, by }: Candidate, verdict: SignatureVerdict, reason: string | null): Verification {
  return { verdict, key, madeBy: by.packet.fingerprint, right: true, inTime: true, reason };
}

/** A signature that is right: whether it counts. */
function judge(signature: Signature, candidate: Candidate, at: Date, policy: HostPolicy | null): Verification {
  const { by } = candidate;
  const { created } = signature;
  if (by.unfit !== null)
    return say(candidate, 'no-key', `the key ${by.packet.fingerprint} does not count: ${by.unfit}`);
  if (by.revoked !== null) return say(candidate, 'revoked', by.revoked);
  if (created === null) return say(candidate, 'bad', 'the signature does not say when it was made');
  if (created < by.packet.created) return say(candidate, 'bad', 'the signature is older than its key');
  if (signature.expires !== null && signature.expires <= at) {
    return say(candidate, 'bad', `the signature itself expired on ${day(signature.expires)}`);
  }
  if (signature.hashAlgorithm.weak) return say(candidate, 'weak', `${signature.hash} is too weak for a signature`);
  const weak = by.packet.weak ?? candidate.key.primary.packet.weak;
  if (weak !== null) return say(candidate, 'weak', weak);
  const refused = policy === null ? null : forbidden(policy, signature.hash, by.packet.algorithm);
  if (refused !== null) return say(candidate, 'unsupported', `${refused} is forbidden by ${policy?.source}`);
  if (by.expires !== null && by.expires <= at) {
    const inTime = created < by.expires;
    const when = inTime ? 'the signature was made before' : 'the signature was made after';
    return { ...say(candidate, 'good-expired-key', `the key expired on ${day(by.expires)}, ${when}`), inTime };
  }
  return say(candidate, 'good', null);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

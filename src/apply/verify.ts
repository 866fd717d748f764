// Whether a package is what a trusted vendor signed. Only this file makes a SignedPackage, and a VerifiedPackage of it.
// Source of the rules: docs/security.md.
import { createHash } from 'node:crypto';
import { formatNevra } from '../domain/nevra.ts';
import type { Signer } from '../domain/receipt.ts';
import { type ErrorCode, KpmError } from '../errors.ts';
import {
  type HostPolicy,
  type PublicKey,
  parseSignatures,
  type Signature,
  type Verification,
  verifySignature,
} from '../formats/openpgp/index.ts';
import { checkDigestsInPart } from '../formats/rpm/digests.ts';
import type { DigestVerdict } from '../formats/rpm/hash.ts';
import type { RpmPackage } from '../formats/rpm/package.ts';
import { type SignatureBlob, signatureBlobs } from '../formats/rpm/signatures.ts';
import type { WholeDigest } from '../formats/rpm/whole-digest.ts';

declare const brand: unique symbol;

/** A package whose every byte is what it was when a trusted vendor signed it: what is unpacked are these very bytes. */
export interface SignedPackage {
  readonly [brand]: 'SignedPackage' | 'VerifiedPackage';
  readonly pkg: RpmPackage;
  /** Who signed it; null when it was let through unsigned by explicit permission. */
  readonly signer: Signer | null;
  /** SHA-256 of the whole file; computed when it is first asked for. */
  readonly sha256: string;
  /** What `confirm` asks; whoever has time meanwhile may step it on. */
  readonly rest: WholeDigest;
}

/** One of which all holds that it says of itself. Only such a one is installed. */
export interface VerifiedPackage extends SignedPackage {
  readonly [brand]: 'VerifiedPackage';
}

export interface Trust {
  readonly keys: readonly PublicKey[];
  /** `--nogpgcheck` or `allow_unsigned=1`: what no trusted key signed is let through; what is damaged never is. */
  readonly allowUnsigned: boolean;
  readonly now: Date;
  /** Fingerprints of the keys that may sign for this stream (a pin); null or absent: every trusted key may. */
  readonly pinned?: readonly string[] | null;
  /** The live-patch stream the pin is for; null or absent: none. Only for messages. */
  readonly stream?: string | null;
  /** What the host forbids besides (crypto-policies). */
  readonly policy?: HostPolicy | null;
}

/** One signature of a package and what is to be thought of it. */
export interface JudgedSignature extends Verification {
  readonly tag: string;
  readonly covers: SignatureBlob['covers'];
  readonly signature: Signature;
}

/**
 * Verifies a package: every digest in it must hold, no signature by a known key may be bad, and one good signature by a
 * trusted key must cover header and payload (the payload directly, or through a digest in the signed header).
 * Raises `digest-bad`, `package-unsigned`, `payload-unsigned`, `signature-bad`, `signature-weak`,
 * `signature-unsupported`, `key-untrusted`, `key-expired`, `key-revoked`, `key-not-pinned`.
 */
export function verifyPackage(pkg: RpmPackage, trust: Trust): VerifiedPackage {
  return confirm(verifySigned(pkg, trust));
}

/**
 * The same, but for the MD5 over header and payload of a package that a trusted key signed: it is left to whoever unpacks
 * the package, for it can be made meanwhile (`confirm`). Raises the same.
 */
export function verifySigned(pkg: RpmPackage, trust: Trust): SignedPackage {
  const { found, rest } = checkDigestsInPart(pkg);
  // Without a strong digest of the payload that held, it is the MD5 that tells damage from forgery.
  const whole = found.some(isStrong) ? null : rest.verdict();
  const digests = whole === null ? found : [...found, whole];
  const bad = digests.find(({ verdict }) => verdict === 'bad');
  if (bad) throw badDigest(pkg, bad);
  const judged = judgeSignatures(pkg, trust.keys, trust.now, trust.policy);
  const wrong = judged.find(({ verdict }) => verdict === 'bad');
  if (wrong) throw refusal(pkg, 'signature-bad', wrong.reason ?? 'a signature is bad', wrong);
  const covering = judged.filter((one) => isGood(one) && reachesPayload(one, digests));
  const pinned = trust.pinned ?? null;
  const signer = covering.find(({ key }) => pinned === null || pinned.includes(key?.fingerprint ?? ''))?.key;
  if (signer) {
    const { fingerprint, keyid, owner } = signer;
    return made(pkg, { fingerprint, keyid, owner }, rest);
  }
  const why = refusalOf(pkg, judged, covering[0], trust.stream ?? 'STREAM');
  if (trust.allowUnsigned && why.code !== 'key-revoked') return confirm(made(pkg, null, rest));
  throw why;
}

/** The package, when what verifySigned left holds too. Raises `digest-bad`. */
export function confirm(signed: SignedPackage): VerifiedPackage {
  const last = signed.rest.verdict();
  if (last?.verdict === 'bad') throw badDigest(signed.pkg, last);
  return signed as VerifiedPackage;
}

/** Every signature of a package with its verdict. Raises `openpgp-malformed` when one cannot even be read. */
export function judgeSignatures(
  pkg: RpmPackage,
  keys: readonly PublicKey[],
  now: Date,
  policy: HostPolicy | null = null,
): JudgedSignature[] {
  return signatureBlobs(pkg).flatMap(({ tag, covers, blob, signed }) => {
    const signatures = parseSignatures(blob);
    if (signatures.length === 0) throw refusal(pkg, 'signature-bad', `its ${tag} holds no signature`);
    return signatures.map((signature) => ({
      ...verifySignature(signature, signed, keys, now, policy),
      tag,
      covers,
      signature,
    }));
  });
}

/** A key that expired since does not take back what it signed in time, as rpm has it. */
function isGood({ verdict, inTime }: JudgedSignature): boolean {
  return verdict === 'good' || (verdict === 'good-expired-key' && inTime);
}

/** Hash algorithms under which a digest of the payload in the signed header stands for the payload. */
const STRONG = ['sha224', 'sha256', 'sha384', 'sha512', 'sha3-256', 'sha3-512'];

/** Whether a signature covers the payload, directly or through a digest that was computed here and held. */
function reachesPayload({ covers }: JudgedSignature, digests: readonly DigestVerdict[]): boolean {
  if (covers === 'header+payload') return true;
  return digests.some(isStrong);
}

/** Whether it is a digest of the payload that held, and none that can be forged. */
function isStrong({ name, algorithm, verdict }: DigestVerdict): boolean {
  return (name === 'payload' || name === 'open payload') && STRONG.includes(algorithm) && verdict === 'ok';
}

/** The reasons why no signature was enough, the gravest first. */
const REFUSALS: readonly (readonly [Verification['verdict'], ErrorCode])[] = [
  ['revoked', 'key-revoked'],
  ['good', 'payload-unsigned'],
  ['good-expired-key', 'key-expired'],
  ['weak', 'signature-weak'],
  ['no-key', 'key-untrusted'],
  ['unsupported', 'signature-unsupported'],
];

function refusalOf(
  pkg: RpmPackage,
  judged: readonly JudgedSignature[],
  unpinned: JudgedSignature | undefined,
  stream: string,
): KpmError {
  if (unpinned) {
    const why = `its signature is good, but the stream ${stream} is pinned to other keys than that of ${unpinned.key?.owner}`;
    const hint = `If its vendor told you of the new key: kpatch-pm keys pin ${stream} ${unpinned.key?.fingerprint}`;
    return refusal(pkg, 'key-not-pinned', why, unpinned, hint);
  }
  for (const [verdict, code] of REFUSALS) {
    const one = judged.find((candidate) => candidate.verdict === verdict);
    if (!one) continue;
    if (isGood(one)) return refusal(pkg, 'payload-unsigned', 'nothing that is signed covers its content', one);
    return refusal(pkg, code, one.reason ?? verdict, one);
  }
  return refusal(pkg, 'package-unsigned', 'it carries no signature');
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  'digest-bad': 'The file is damaged or was changed: fetch it again.',
  'signature-bad': 'Do not install it: fetch it again, and tell the owner of the repository if it happens twice.',
  'key-untrusted': 'If you trust the owner of the key: kpatch-pm keys import FILE-OR-URL',
  'key-expired': 'The owner may have extended the key: import its newest form with kpatch-pm keys import FILE-OR-URL',
};

function badDigest(pkg: RpmPackage, { name, algorithm }: DigestVerdict): KpmError {
  return refusal(pkg, 'digest-bad', `its digest of the ${name} (${algorithm}) does not fit its bytes`);
}

function refusal(
  pkg: RpmPackage,
  code: ErrorCode,
  why: string,
  by?: JudgedSignature,
  hint: string | undefined = HINTS[code],
): KpmError {
  const name = formatNevra(pkg.nevra);
  const signature = by
    ? ` (${by.tag}: ${by.signature.algorithm} ${by.signature.hash}${by.key ? `, ${by.key.fingerprint}` : ''})`
    : '';
  return new KpmError(code, { text: `${name} is refused: ${why}${signature}.`, subject: name, hint });
}

function made(pkg: RpmPackage, signer: Signer | null, rest: WholeDigest): SignedPackage {
  let sum: string | null = null;
  const signed: Omit<SignedPackage, typeof brand> = {
    pkg,
    signer,
    rest,
    get sha256() {
      sum ??= createHash('sha256').update(pkg.bytes).digest('hex');
      return sum;
    },
  };
  return signed as SignedPackage;
}

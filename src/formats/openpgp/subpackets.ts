// The subpackets of a signature. Source: RFC 9580 section 5.2.3.7 and following.
import { malformed, Octets } from './octets.ts';
import { newLength } from './packets.ts';

const TYPE = {
  created: 2,
  expires: 3,
  keyExpires: 9,
  issuer: 16,
  keyFlags: 27,
  revocationReason: 29,
  embedded: 32,
  issuerFingerprint: 33,
} as const;

/** Types that may be marked critical although we make no use of them: nothing in them limits what a signature proves. */
const HARMLESS = new Set([4, 5, 7, 11, 21, 22, 23, 24, 25, 26, 28, 30, 34, 35, 39]);
const KNOWN = new Set<number>(Object.values(TYPE));

export interface Subpackets {
  /** Seconds since 1970. */
  readonly created: number | null;
  /** Seconds after creation; null: never. */
  readonly lifetime: number | null;
  /** Seconds after the key's creation; null: never. */
  readonly keyLifetime: number | null;
  readonly keyFlags: number | null;
  readonly revocationReason: number | null;
  readonly keyid: string | null;
  readonly fingerprint: string | null;
  /** Bodies of embedded signature packets. */
  readonly embedded: readonly Buffer[];
  /** A critical subpacket of a kind we do not know: the signature may not be believed. */
  readonly unknownCritical: number | null;
}

type Found = { -readonly [K in keyof Subpackets]: Subpackets[K] };

/**
 * Reads both areas. What is not hashed is not signed: from there only hints count (who issued it, and embedded
 * signatures, which prove themselves).
 */
export function readSubpackets(hashed: Buffer, unhashed: Buffer): Subpackets {
  const embedded: Buffer[] = [];
  const found: Found = {
    created: null,
    lifetime: null,
    keyLifetime: null,
    keyFlags: null,
    revocationReason: null,
    keyid: null,
    fingerprint: null,
    embedded,
    unknownCritical: null,
  };
  // The unhashed area first, so that a hashed hint replaces an unhashed one.
  for (const { type, body } of split(unhashed)) hint(found, embedded, type, body);
  for (const { type, critical, body } of split(hashed)) {
    hint(found, embedded, type, body);
    if (type === TYPE.created) found.created = number(body, 4);
    else if (type === TYPE.expires) found.lifetime = number(body, 4) || null;
    else if (type === TYPE.keyExpires) found.keyLifetime = number(body, 4) || null;
    else if (type === TYPE.keyFlags) found.keyFlags = body[0] ?? 0;
    else if (type === TYPE.revocationReason) found.revocationReason = number(body.subarray(0, 1), 1);
    else if (critical && !KNOWN.has(type) && !HARMLESS.has(type)) found.unknownCritical = type;
  }
  return found;
}

function hint(found: Found, embedded: Buffer[], type: number, body: Buffer): void {
  if (type === TYPE.issuer && body.length === 8) found.keyid = hex(body);
  else if (type === TYPE.issuerFingerprint && body.length > 1) found.fingerprint = hex(body.subarray(1));
  else if (type === TYPE.embedded) embedded.push(body);
}

function* split(area: Buffer): Iterable<{ type: number; critical: boolean; body: Buffer }> {
  const input = new Octets(area, 'subpacket area');
  while (input.left > 0) {
    const length = newLength(input, true);
    if (length === 0) throw malformed('an empty subpacket');
    const first = input.u8();
    yield { type: first & 0x7f, critical: (first & 0x80) !== 0, body: input.take(length - 1) };
  }
}

function number(body: Buffer, size: number): number {
  if (body.length !== size) throw malformed('a subpacket of wrong length');
  return body.readUIntBE(0, size);
}

/** Key ids and fingerprints are written in capitals, as gpg does. */
export function hex(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase();
}

// Public keys with their validity, as the newest self-signatures state it.
import { dearmor, isArmored } from './armor.ts';
import {
  type Certificate,
  newestRight,
  overKey,
  overSubkey,
  overUserId,
  readCertificate,
  SELF,
  splitCertificates,
} from './certificate.ts';
import type { KeyPacket } from './keypacket.ts';
import { malformed } from './octets.ts';
import { readPackets, writePacket } from './packets.ts';
import { parseSignature, type Signature } from './signature.ts';

/** A key that may have made a signature: the primary key or a subkey. */
export interface VerifyingKey {
  readonly packet: KeyPacket;
  /** The moment from which it is expired; null: never. A subkey never outlives its primary key. */
  readonly expires: Date | null;
  /** Why it is revoked; null when it is not. */
  readonly revoked: string | null;
  /** Why its signatures over data do not count (not bound, not meant for signing); null when they do. */
  readonly unfit: string | null;
}

export interface PublicKey {
  /** Of the primary key: hexadecimal, capitals. */
  readonly fingerprint: string;
  readonly keyid: string;
  readonly version: number;
  /** The first user id that the key itself vouches for; may be empty. Never holds characters that steer a terminal. */
  readonly owner: string;
  readonly userIds: readonly string[];
  readonly algorithm: string;
  readonly created: Date;
  readonly expires: Date | null;
  readonly revoked: string | null;
  readonly primary: VerifyingKey;
  readonly subkeys: readonly VerifyingKey[];
  /** The key in binary form. */
  readonly bytes: Buffer;
}

const KEY_BLOCK = 'PUBLIC KEY BLOCK';
const MAX_KEY_FILE = 1024 * 1024;
const MAY_SIGN = 0x02;

/**
 * Reads every public key of a file: binary, or armored in one or several blocks.
 * Raises `openpgp-malformed` when there is none or one cannot be read.
 */
export function parseKeys(bytes: Buffer): PublicKey[] {
  if (bytes.length > MAX_KEY_FILE) throw malformed(`a key file of ${bytes.length} bytes`);
  const blocks = isArmored(bytes) ? dearmor(bytes, KEY_BLOCK) : [bytes];
  // Each block on its own first: none may add to the key of the block before it.
  const packets = blocks.flatMap((block) => splitCertificates(readPackets(block)).flat());
  const keys = splitCertificates(packets).map((one) => evaluate(readCertificate(one)));
  if (keys.length === 0) throw malformed('no public key in it');
  return keys;
}

/**
 * One key for each fingerprint: where several sources give the same key, the newest self-signature of all counts, and a
 * revocation in any of them.
 */
export function mergeKeys(keys: readonly PublicKey[]): PublicKey[] {
  const packets = keys.flatMap((key) => readPackets(key.bytes));
  return splitCertificates(packets).map((one) => evaluate(readCertificate(one)));
}

/** What a certificate says of itself, taken together. */
function evaluate(certificate: Certificate): PublicKey {
  const { primary } = certificate;
  const onKey = overKey(primary);
  const users = certificate.userIds.flatMap((user) => userId(primary, user.packet.body, user.signatures) ?? []);
  const valid = users.filter((user) => !user.revoked);
  const direct = newestRight(certificate.direct, SELF.direct, primary, onKey);
  const newest = valid.reduce((found, user) => newer(found, user.newest), direct);
  const revocation = newestRight(certificate.direct, SELF.keyRevocation, primary, onKey);
  const allUsersRevoked = newest === null && users.length > 0 ? 'all its user ids are revoked' : null;
  const main: VerifyingKey = {
    packet: primary,
    expires: newest === null ? null : expiry(primary, newest),
    revoked: revocation ? revocationText(revocation) : allUsersRevoked,
    unfit: newest === null ? 'it carries no valid signature of its own' : unfitToSign(newest),
  };
  return {
    fingerprint: primary.fingerprint,
    keyid: primary.keyid,
    version: primary.version,
    owner: valid[0]?.text ?? '',
    userIds: valid.map((user) => user.text),
    algorithm: primary.algorithm,
    created: primary.created,
    expires: main.expires,
    revoked: main.revoked,
    primary: main,
    subkeys: certificate.subkeys.map(({ key, signatures }) => subkey(main, newest !== null, key, signatures)),
    bytes: Buffer.concat(certificate.packets.map(writePacket)),
  };
}

interface User {
  readonly text: string;
  readonly newest: Signature;
  readonly revoked: boolean;
}

/** A user id the key vouches for; null when it carries no right certification by the key itself. */
function userId(primary: KeyPacket, id: Buffer, signatures: readonly Signature[]): User | null {
  const data = overUserId(primary, id);
  const newest = newestRight(signatures, SELF.certification, primary, data);
  if (!newest) return null;
  const revocation = newestRight(signatures, SELF.certificationRevocation, primary, data);
  // A certification made after the revocation takes it back (RFC 9580 section 5.2.1.13).
  const revoked = revocation !== null && Number(revocation.created) >= Number(newest.created);
  return { text: printable(id), newest, revoked };
}

/** A user id is free text of a stranger: control characters and those that turn the direction of writing are replaced. */
function printable(id: Buffer): string {
  return id.toString('utf8').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

function subkey(main: VerifyingKey, usable: boolean, key: KeyPacket, signatures: readonly Signature[]): VerifyingKey {
  const primary = main.packet;
  const data = overSubkey(primary, key);
  const binding = newestRight(signatures, SELF.subkeyBinding, primary, data);
  const revocation = newestRight(signatures, SELF.subkeyRevocation, primary, data);
  return {
    packet: key,
    expires: binding === null ? null : earlier(expiry(key, binding), main.expires),
    revoked: main.revoked ?? (revocation ? revocationText(revocation) : null),
    unfit: usable ? unfitSubkey(primary, key, binding) : main.unfit,
  };
}

function unfitSubkey(primary: KeyPacket, key: KeyPacket, binding: Signature | null): string | null {
  if (binding === null) return 'it is not bound to its primary key';
  // A subkey without flags is not taken for a signing one: it would need the proof below anyway.
  if (((binding.subpackets.keyFlags ?? 0) & MAY_SIGN) === 0) return 'it is not meant for signing';
  // The other direction: the subkey must say that it belongs to the primary key, or anybody could adopt it.
  const back = binding.subpackets.embedded.map((body) => parseSignature(body));
  const proof = newestRight(back, SELF.primaryBinding, key, overSubkey(primary, key));
  return proof === null ? 'it does not confirm its primary key' : null;
}

function unfitToSign(statement: Signature): string | null {
  const flags = statement.subpackets.keyFlags;
  return flags === null || (flags & MAY_SIGN) !== 0 ? null : 'it is not meant for signing';
}

/** When the key ends by this statement: its own lifetime, or the statement's, whichever is first. */
function expiry(key: KeyPacket, statement: Signature): Date | null {
  const { keyLifetime } = statement.subpackets;
  const own = keyLifetime === null ? null : new Date(key.created.getTime() + keyLifetime * 1000);
  return earlier(own, statement.expires);
}

function earlier(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function newer(a: Signature | null, b: Signature): Signature {
  return a !== null && Number(a.created) >= Number(b.created) ? a : b;
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [1, 'superseded by another key'],
  [2, 'the key was compromised'],
  [3, 'the key is no longer used'],
  [32, 'the user id is no longer valid'],
]);

function revocationText(revocation: Signature): string {
  const reason = REASONS.get(revocation.subpackets.revocationReason ?? 0) ?? 'no reason given';
  return `revoked on ${revocation.created?.toISOString().slice(0, 10) ?? '?'}: ${reason}`;
}

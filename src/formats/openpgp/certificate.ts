// A transferable public key: the primary key, its user ids and subkeys, and what the key itself says about them.
// Source: RFC 9580 sections 5.2.1, 5.2.4 (what is hashed), 10.1 (order of packets). Why what counts: docs/security.md.
import { hashedForm, type KeyPacket, parseKeyPacket } from './keypacket.ts';
import { isRight } from './mathematics.ts';
import { malformed } from './octets.ts';
import { type Packet, TAG } from './packets.ts';
import { parseSignature, SIGNATURE_TYPE, type Signature } from './signature.ts';

/** Something signed inside a certificate: a user id, user attribute or subkey, with the signatures that follow it. */
interface Part {
  readonly packet: Packet;
  readonly signatures: Signature[];
}

export interface Certificate {
  readonly primary: KeyPacket;
  /** Signatures on the primary key itself. */
  readonly direct: readonly Signature[];
  readonly userIds: readonly Part[];
  readonly subkeys: readonly (Part & { readonly key: KeyPacket })[];
  readonly packets: readonly Packet[];
}

/** Cuts a list of packets at each primary key. Raises `openpgp-malformed` when it does not start with one. */
export function splitCertificates(packets: readonly Packet[]): Packet[][] {
  const groups: Packet[][] = [];
  for (const packet of packets) {
    if (packet.tag === TAG.publicKey) groups.push([packet]);
    else if (packet.tag === TAG.marker || packet.tag === TAG.trust || packet.tag === TAG.padding) continue;
    else if (groups.length === 0) throw malformed(`a key file that starts with a packet of type ${packet.tag}`);
    else groups.at(-1)?.push(packet);
  }
  return groups;
}

/** Orders the packets of one certificate. Raises `openpgp-malformed`. */
export function readCertificate(packets: readonly Packet[]): Certificate {
  const [first, ...rest] = packets;
  if (!first) throw malformed('an empty key');
  const direct: Signature[] = [];
  const userIds: Part[] = [];
  const subkeys: (Part & { key: KeyPacket })[] = [];
  let signatures: Signature[] = direct;
  for (const packet of rest) {
    if (packet.tag === TAG.signature) {
      signatures.push(parseSignature(packet.body));
      continue;
    }
    signatures = [];
    if (packet.tag === TAG.userId) userIds.push({ packet, signatures });
    else if (packet.tag === TAG.publicSubkey) {
      subkeys.push({ packet, signatures, key: parseKeyPacket(packet.body) });
    } else if (packet.tag !== TAG.userAttribute) throw malformed(`a packet of type ${packet.tag} in a public key`);
  }
  return { primary: parseKeyPacket(first.body), direct, userIds, subkeys, packets };
}

/** The signatures of these types, made by `signer` over `data` and right; newest first. */
export function rightOnes(
  signatures: readonly Signature[],
  types: readonly number[],
  signer: KeyPacket,
  data: readonly Buffer[],
): Signature[] {
  return signatures
    .filter((signature) => types.includes(signature.type) && mayBeBy(signature, signer) && isFit(signature, signer))
    .filter((signature) => isRight(signature, data, signer) === true)
    .sort((a, b) => Number(b.created) - Number(a.created));
}

/** Whether the signature names this key as its maker, or nobody. */
export function mayBeBy(signature: Signature, key: KeyPacket): boolean {
  if (signature.fingerprint !== null) return signature.fingerprint === key.fingerprint;
  return signature.keyid === null || signature.keyid === key.keyid;
}

/** MD5 is never believed; SHA-1 is, in a key's statements about itself: nobody else chooses those bytes. */
function isFit(signature: Signature, signer: KeyPacket): boolean {
  return signature.hash !== 'MD5' && signature.created !== null && signature.created >= signer.created;
}

/** What a signature on the primary key hashes. */
export function overKey(primary: KeyPacket): Buffer[] {
  return [hashedForm(primary.version, primary.body)];
}

export function overSubkey(primary: KeyPacket, subkey: KeyPacket): Buffer[] {
  return [...overKey(primary), hashedForm(subkey.version, subkey.body)];
}

export function overUserId(primary: KeyPacket, userId: Buffer): Buffer[] {
  const head = Buffer.alloc(5);
  head[0] = 0xb4;
  head.writeUInt32BE(userId.length, 1);
  return [...overKey(primary), head, userId];
}

export const SELF = {
  certification: SIGNATURE_TYPE.certifications,
  certificationRevocation: [SIGNATURE_TYPE.certificationRevocation],
  direct: [SIGNATURE_TYPE.directKey],
  keyRevocation: [SIGNATURE_TYPE.keyRevocation],
  subkeyBinding: [SIGNATURE_TYPE.subkeyBinding],
  primaryBinding: [SIGNATURE_TYPE.primaryBinding],
  subkeyRevocation: [SIGNATURE_TYPE.subkeyRevocation],
} as const;

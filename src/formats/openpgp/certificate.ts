// A transferable public key: the primary key, its user ids and subkeys, and what the key itself says about them.
// Source: RFC 9580 sections 5.2.1, 5.2.4 (what is hashed), 10.1 (order of packets). Why what counts: docs/security.md.
import { hashedForm, type KeyPacket, parseKeyPacket } from './keypacket.ts';
import { isRight } from './mathematics.ts';
import { malformed } from './octets.ts';
import { type Packet, TAG } from './packets.ts';
import { parseSignature, SIGNATURE_TYPE, type Signature } from './signature.ts';

/** Something signed inside a certificate (user id, user attribute, subkey) with the signatures on it. */
export interface Part {
  readonly packet: Packet;
  readonly signatures: readonly Signature[];
}

export interface Certificate {
  readonly primary: KeyPacket;
  /** Signatures on the primary key itself. */
  readonly direct: readonly Signature[];
  readonly userIds: readonly Part[];
  readonly subkeys: readonly (Part & { readonly key: KeyPacket })[];
  /** All packets in the order a transferable key has them. */
  readonly packets: readonly Packet[];
}

/**
 * Sorts packets by primary key. The same key given twice (in two forms, say, one with a later revocation) becomes one,
 * with everything that either says. Raises `openpgp-malformed` when the list does not start with a primary key.
 */
export function splitCertificates(packets: readonly Packet[]): Packet[][] {
  const groups = new Map<string, Packet[]>();
  let group: Packet[] | null = null;
  for (const packet of packets) {
    if (packet.tag === TAG.marker || packet.tag === TAG.trust || packet.tag === TAG.padding) continue;
    if (packet.tag === TAG.publicKey) {
      const name = packet.body.toString('latin1');
      group = groups.get(name) ?? [];
      groups.set(name, group);
    }
    if (group === null) throw malformed(`a key file that starts with a packet of type ${packet.tag}`);
    group.push(packet);
  }
  return [...groups.values()];
}

interface Gathered {
  readonly packet: Packet;
  readonly signatures: Map<string, Packet>;
}

/** Reads the packets of one primary key. Raises `openpgp-malformed`. */
export function readCertificate(packets: readonly Packet[]): Certificate {
  const parts = new Map<string, Gathered>();
  let current: Gathered | null = null;
  for (const packet of packets) {
    if (packet.tag === TAG.signature) {
      current?.signatures.set(packet.body.toString('latin1'), packet);
      continue;
    }
    if (!PARTS.includes(packet.tag)) throw malformed(`a packet of type ${packet.tag} in a public key`);
    if (packet.tag === TAG.userId && packet.body.length > MAX_USER_ID) {
      throw malformed(`a user id of ${packet.body.length} bytes`);
    }
    const name = `${packet.tag} ${packet.body.toString('latin1')}`;
    current = parts.get(name) ?? { packet, signatures: new Map() };
    parts.set(name, current);
  }
  const all = [...parts.values()].map(
    ({ packet, signatures }): Part => ({
      packet,
      signatures: [...signatures.values()].map((one) => parseSignature(one.body)),
    }),
  );
  const [main] = all;
  if (main?.packet.tag !== TAG.publicKey) throw malformed('a key without its primary key');
  const of = (tag: number): Part[] => all.filter(({ packet }) => packet.tag === tag);
  return {
    primary: parseKeyPacket(main.packet.body),
    direct: main.signatures,
    userIds: of(TAG.userId),
    subkeys: of(TAG.publicSubkey).map((part) => ({ ...part, key: parseKeyPacket(part.packet.body) })),
    packets: PARTS.flatMap((tag) =>
      [...parts.values()]
        .filter(({ packet }) => packet.tag === tag)
        .flatMap((one) => [one.packet, ...one.signatures.values()]),
    ),
  };
}

/** It is hashed once for each signature on it: a long one with many signatures would cost minutes. */
const MAX_USER_ID = 4096;

/** What a public key is made of, in the order of a transferable key. */
const PARTS: readonly number[] = [TAG.publicKey, TAG.userId, TAG.userAttribute, TAG.publicSubkey];

/**
 * The newest signature of these types that `signer` really made over `data`; null when there is none. Checked newest
 * first, so that an honest key costs one check, however many signatures it has gathered.
 */
export function newestRight(
  signatures: readonly Signature[],
  types: readonly number[],
  signer: KeyPacket,
  data: readonly Buffer[],
): Signature | null {
  const candidates = signatures
    .filter((signature) => types.includes(signature.type) && mayBeBy(signature, signer) && isFit(signature, signer))
    .sort((a, b) => Number(b.created) - Number(a.created));
  return candidates.find((signature) => isRight(signature, data, signer) === true) ?? null;
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

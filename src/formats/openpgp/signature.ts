// Signature packets, versions 3, 4 and 6. Source: RFC 9580 section 5.2 (v3: RFC 4880 section 5.2.2).
import { ALGORITHM, algorithmName, type HashAlgorithm, hashAlgorithm } from './algorithms.ts';
import { dearmor, isArmored } from './armor.ts';
import { fromSeconds, malformed, Octets } from './octets.ts';
import { readPackets, TAG } from './packets.ts';
import { hex, readSubpackets, type Subpackets } from './subpackets.ts';

/** What a signature is about (RFC 9580 section 5.2.1). */
export const SIGNATURE_TYPE = {
  binary: 0x00,
  certifications: [0x10, 0x11, 0x12, 0x13] as readonly number[],
  subkeyBinding: 0x18,
  primaryBinding: 0x19,
  directKey: 0x1f,
  keyRevocation: 0x20,
  subkeyRevocation: 0x28,
  certificationRevocation: 0x30,
} as const;

export interface Signature {
  readonly version: number;
  readonly type: number;
  /** Public-key algorithm as a name ('RSA', 'DSA', 'ECDSA', 'EdDSA', 'Ed25519', ...). */
  readonly algorithm: string;
  readonly algorithmId: number;
  /** Hash as a name ('SHA256'). */
  readonly hash: string;
  readonly hashAlgorithm: HashAlgorithm;
  /** 16 hexadecimal digits in capitals; null when the packet does not say. */
  readonly keyid: string | null;
  readonly fingerprint: string | null;
  readonly created: Date | null;
  readonly expires: Date | null;
  /** Why nobody can check it here (version, algorithm, hash, critical part); null when it can be checked. */
  readonly unsupported: string | null;
  readonly subpackets: Subpackets;
  /** The first two bytes of the digest, as the packet shows them: not signed, but a wrong one tells of damage. */
  readonly hint: Buffer;
  /** Bytes hashed before the data (v6) and after it. */
  readonly salt: Buffer;
  readonly trailer: Buffer;
  /** The numbers of the signature, as the algorithm has them; empty when it is unsupported. */
  readonly values: readonly Buffer[];
}

/**
 * Reads the signatures of a blob (packets, or armored), in order. An unknown version or algorithm is no error: such a
 * signature is `unsupported`. Raises `openpgp-malformed` for anything that is no list of signature packets.
 */
export function parseSignatures(blob: Buffer): Signature[] {
  const blocks = isArmored(blob) ? dearmor(blob, 'SIGNATURE') : [blob];
  if (blocks.length === 0) throw malformed('neither a signature packet nor an armored signature');
  return readPackets(Buffer.concat(blocks))
    .filter(({ tag }) => tag !== TAG.marker && tag !== TAG.padding)
    .map(({ tag, body }) => {
      if (tag !== TAG.signature) throw malformed(`a packet of type ${tag} among signatures`);
      return parseSignature(body);
    });
}

/** Reads the body of one signature packet. */
export function parseSignature(body: Buffer): Signature {
  const input = new Octets(body, 'signature packet');
  const version = input.u8();
  if (version === 3) return version3(input, body);
  if (version === 4 || version === 6) return version4or6(input, body, version);
  return foreignVersion(version);
}

const NO_SUBPACKETS = readSubpackets(Buffer.alloc(0), Buffer.alloc(0));
const NONE = Buffer.alloc(0);

function version3(input: Octets, body: Buffer): Signature {
  if (input.u8() !== 5) throw malformed('a version 3 signature whose hashed part is not 5 bytes');
  const hashedFrom = input.at;
  const type = input.u8();
  const created = input.u32();
  const trailer = body.subarray(hashedFrom, input.at);
  const keyid = hex(input.take(8));
  const algorithmId = input.u8();
  const hash = hashAlgorithm(input.u8());
  const hint = input.take(2);
  const subpackets = { ...NO_SUBPACKETS, created, keyid };
  return finish({ version: 3, type, algorithmId, hash, hint, salt: NONE, trailer, subpackets }, input);
}

function version4or6(input: Octets, body: Buffer, version: 4 | 6): Signature {
  const type = input.u8();
  const algorithmId = input.u8();
  const hash = hashAlgorithm(input.u8());
  const hashed = input.take(version === 6 ? input.u32() : input.u16());
  const signedEnd = input.at;
  const unhashed = input.take(version === 6 ? input.u32() : input.u16());
  const hint = input.take(2);
  const salt = version === 6 ? input.take(input.u8()) : NONE;
  const tail = Buffer.from([version, 0xff, 0, 0, 0, 0]);
  tail.writeUInt32BE(signedEnd, 2);
  const trailer = Buffer.concat([body.subarray(0, signedEnd), tail]);
  const subpackets = readSubpackets(hashed, unhashed);
  return finish({ version, type, algorithmId, hash, hint, salt, trailer, subpackets }, input);
}

interface Head {
  readonly version: number;
  readonly type: number;
  readonly algorithmId: number;
  readonly hash: HashAlgorithm;
  readonly hint: Buffer;
  readonly salt: Buffer;
  readonly trailer: Buffer;
  readonly subpackets: Subpackets;
}

function finish(head: Head, input: Octets): Signature {
  const { subpackets, hash } = head;
  const unsupported = whyUnsupported(head);
  const values = unsupported === null ? readValues(head.algorithmId, input) : [];
  if (unsupported === null && input.left > 0) throw malformed('a signature packet with bytes left over');
  const { created, lifetime } = subpackets;
  return {
    version: head.version,
    type: head.type,
    algorithm: algorithmName(head.algorithmId),
    algorithmId: head.algorithmId,
    hash: hash.name,
    hashAlgorithm: hash,
    keyid: subpackets.keyid ?? keyidOf(subpackets.fingerprint),
    fingerprint: subpackets.fingerprint,
    created: created === null ? null : fromSeconds(created),
    expires: created === null || lifetime === null ? null : fromSeconds(created + lifetime),
    unsupported,
    subpackets,
    hint: head.hint,
    salt: head.salt,
    trailer: head.trailer,
    values,
  };
}

function whyUnsupported({ version, algorithmId, hash, salt, subpackets }: Head): string | null {
  if (!(Object.values(ALGORITHM) as number[]).includes(algorithmId))
    return `the algorithm ${algorithmName(algorithmId)}`;
  if (hash.node === null) return `the hash ${hash.name}`;
  if (version === 6 && hash.salt !== salt.length) return `a salt of ${salt.length} bytes with ${hash.name}`;
  if (subpackets.unknownCritical !== null) return `its critical part of type ${subpackets.unknownCritical}`;
  return null;
}

function readValues(algorithmId: number, input: Octets): Buffer[] {
  if (algorithmId === ALGORITHM.ed25519) return [input.take(64)];
  if (algorithmId === ALGORITHM.ed448) return [input.take(114)];
  if (algorithmId === ALGORITHM.rsa || algorithmId === ALGORITHM.rsaSign) return [input.mpi()];
  return [input.mpi(), input.mpi()];
}

function foreignVersion(version: number): Signature {
  return {
    version,
    type: -1,
    algorithm: 'unknown',
    algorithmId: 0,
    hash: 'unknown',
    hashAlgorithm: hashAlgorithm(0),
    keyid: null,
    fingerprint: null,
    created: null,
    expires: null,
    unsupported: `version ${version} of the signature packet`,
    subpackets: NO_SUBPACKETS,
    hint: NONE,
    salt: NONE,
    trailer: NONE,
    values: [],
  };
}

/** The key id that belongs to a fingerprint: its last 8 bytes for version 4, its first 8 for version 6. */
export function keyidOf(fingerprint: string | null): string | null {
  if (fingerprint === null) return null;
  return fingerprint.length === 40 ? fingerprint.slice(-16) : fingerprint.slice(0, 16);
}

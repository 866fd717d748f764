// One public-key packet (primary or subkey): its identity and its numbers, as node:crypto wants them.
// Source: RFC 9580 sections 5.5.2, 5.5.4 (fingerprints) and 9.2 (curves).
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { ALGORITHM, algorithmName } from './algorithms.ts';
import { bitString, integer, objectId, sequence } from './der.ts';
import { fromSeconds, malformed, Octets, trimZeros } from './octets.ts';
import { keyidOf } from './signature.ts';
import { hex } from './subpackets.ts';

export interface KeyPacket {
  readonly version: number;
  readonly created: Date;
  readonly algorithmId: number;
  /** For people: 'RSA 4096', 'Ed25519', 'ECDSA P-256'. */
  readonly algorithm: string;
  /** Hexadecimal, capitals. */
  readonly fingerprint: string;
  readonly keyid: string;
  readonly body: Buffer;
  /** The key; null when it cannot be used here, `unsupported` says why. */
  readonly material: KeyObject | null;
  readonly unsupported: string | null;
  /** Too small to be believed; null when it is not. */
  readonly weak: string | null;
  /** Bytes of each number of a DSA or ECDSA signature by this key, of an RSA modulus; 0 elsewhere. */
  readonly width: number;
}

interface Material {
  readonly label: string;
  readonly material: KeyObject;
  readonly width: number;
  readonly weak: string | null;
}

/** Bounds against keys that cost minutes to use; twice what any vendor has. */
const MAX_RSA_BITS = 8192;
const MAX_EXPONENT_BYTES = 4;
const MAX_DSA_BITS = 4096;
const MAX_DSA_ORDER_BYTES = 64;
/** NIST SP 800-131A: below this, RSA and DSA are no longer allowed. */
const MIN_BITS = 2048;

const CURVES: ReadonlyMap<string, { readonly crv: string; readonly bytes: number }> = new Map([
  ['2A8648CE3D030107', { crv: 'P-256', bytes: 32 }],
  ['2B81040022', { crv: 'P-384', bytes: 48 }],
  ['2B81040023', { crv: 'P-521', bytes: 66 }],
]);
/** The curve of legacy EdDSA: 1.3.6.1.4.1.11591.15.1. */
const ED25519_LEGACY = '2B06010401DA470F01';

/** Reads the body of a public-key packet. Versions and algorithms we cannot use are `unsupported`, not an error. */
export function parseKeyPacket(body: Buffer): KeyPacket {
  const input = new Octets(body, 'key packet');
  const version = input.u8();
  if (version !== 4 && version !== 6) return foreign(version, body);
  const created = fromSeconds(input.u32());
  const algorithmId = input.u8();
  if (version === 6 && input.u32() !== input.left) throw malformed('a version 6 key whose length field is wrong');
  const fingerprint = hex(
    createHash(version === 4 ? 'sha1' : 'sha256')
      .update(hashedForm(version, body))
      .digest(),
  );
  const common = { version, created, algorithmId, fingerprint, keyid: keyidOf(fingerprint) as string, body };
  const read = readMaterial(algorithmId, input);
  if (typeof read === 'string') {
    return {
      ...common,
      algorithm: algorithmName(algorithmId),
      material: null,
      unsupported: read,
      weak: null,
      width: 0,
    };
  }
  if (input.left > 0) throw malformed('a key packet with bytes left over');
  const { label, material, weak, width } = read;
  return { ...common, algorithm: label, material, unsupported: null, weak, width };
}

/** A key as it is hashed: for its fingerprint and into the signatures on it. */
export function hashedForm(version: number, body: Buffer): Buffer {
  const head = Buffer.alloc(version === 6 ? 5 : 3);
  if (version === 6) {
    head[0] = 0x9b;
    head.writeUInt32BE(body.length, 1);
  } else {
    if (body.length > 0xffff) throw malformed('a version 4 key of more than 65535 bytes');
    head[0] = 0x99;
    head.writeUInt16BE(body.length, 1);
  }
  return Buffer.concat([head, body]);
}

function foreign(version: number, body: Buffer): KeyPacket {
  const unsupported = `version ${version} of the key packet`;
  const none = { created: fromSeconds(0), algorithmId: 0, algorithm: 'unknown', fingerprint: '', keyid: '', width: 0 };
  return { ...none, version, body, material: null, unsupported, weak: null };
}

/** The key's numbers, or why they are of no use. */
function readMaterial(algorithmId: number, input: Octets): Material | string {
  switch (algorithmId) {
    case ALGORITHM.rsa:
    case ALGORITHM.rsaSign:
      return rsa(input.mpi(), input.mpi());
    case ALGORITHM.dsa:
      return dsa(input.mpi(), input.mpi(), input.mpi(), input.mpi());
    case ALGORITHM.ecdsa:
      return ecdsa(hex(input.take(input.u8())), input.mpi());
    case ALGORITHM.eddsa:
      return eddsa(hex(input.take(input.u8())), input.mpi());
    case ALGORITHM.ed25519:
      return okp('Ed25519', input.take(32));
    case ALGORITHM.ed448:
      return okp('Ed448', input.take(57));
    default:
      return `the algorithm ${algorithmName(algorithmId)}`;
  }
}

function rsa(modulus: Buffer, exponent: Buffer): Material | string {
  const n = trimZeros(modulus);
  const e = trimZeros(exponent);
  const bits = bitLength(n);
  if (bits > MAX_RSA_BITS || e.length > MAX_EXPONENT_BYTES) return `an RSA key of ${bits} bits`;
  const label = `RSA ${bits}`;
  return fromJwk({ kty: 'RSA', n: base64url(n), e: base64url(e) }, label, n.length, tooSmall(label, bits));
}

function dsa(p: Buffer, q: Buffer, g: Buffer, y: Buffer): Material | string {
  const bits = bitLength(trimZeros(p));
  if (bits > MAX_DSA_BITS || trimZeros(q).length > MAX_DSA_ORDER_BYTES) return `a DSA key of ${bits} bits`;
  const label = `DSA ${bits}`;
  const parameters = sequence(objectId('2A8648CE380401'), sequence(integer(p), integer(q), integer(g)));
  const spki = sequence(parameters, bitString(integer(y)));
  return build(
    () => createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    label,
    trimZeros(q).length,
    tooSmall(label, bits),
  );
}

function ecdsa(curveId: string, point: Buffer): Material | string {
  const curve = CURVES.get(curveId);
  if (!curve) return 'an ECDSA curve other than P-256, P-384 and P-521';
  const { crv, bytes } = curve;
  if (point.length !== 1 + 2 * bytes || point[0] !== 4) return 'an ECDSA key whose point is not in plain form';
  const x = base64url(point.subarray(1, 1 + bytes));
  const y = base64url(point.subarray(1 + bytes));
  return fromJwk({ kty: 'EC', crv, x, y }, `ECDSA ${crv}`, bytes, null);
}

function eddsa(curveId: string, point: Buffer): Material | string {
  if (curveId !== ED25519_LEGACY) return 'an EdDSA curve other than Ed25519';
  if (point.length !== 33 || point[0] !== 0x40) return 'an EdDSA key whose point is not in native form';
  return okp('Ed25519', point.subarray(1));
}

function okp(crv: 'Ed25519' | 'Ed448', point: Buffer): Material | string {
  return fromJwk({ kty: 'OKP', crv, x: base64url(point) }, crv, 0, null);
}

function fromJwk(key: Record<string, string>, label: string, width: number, weak: string | null): Material | string {
  return build(() => createPublicKey({ key, format: 'jwk' }), label, width, weak);
}

function build(make: () => KeyObject, label: string, width: number, weak: string | null): Material | string {
  try {
    return { label, material: make(), width, weak };
  } catch {
    // node gives no reason worth telling: the numbers are no key, or the host's policy forbids the kind.
    return `${label}: this machine's cryptography does not take the key`;
  }
}

function tooSmall(label: string, bits: number): string | null {
  return bits < MIN_BITS ? `${label} is below ${MIN_BITS} bits` : null;
}

function bitLength(bare: Buffer): number {
  return bare.length === 0 ? 0 : (bare.length - 1) * 8 + (32 - Math.clz32(bare[0] as number));
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url');
}

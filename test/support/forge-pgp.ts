// Writes OpenPGP keys and signatures packet by packet, right or wrong as a test wants them: what gpg would never make.
// Source of the forms: RFC 9580 sections 5.2 and 5.5.2.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type Algorithm = 'rsa' | 'eddsa' | 'ed25519' | 'ed448' | 'dsa' | 'p256';
const ID: Record<Algorithm, number> = { rsa: 1, dsa: 17, p256: 19, eddsa: 22, ed25519: 27, ed448: 28 };
export const HASH = { md5: 1, sha1: 2, sha256: 8, sha384: 9, sha512: 10 } as const;
export type Hash = keyof typeof HASH;
const SALT: Record<Hash, number> = { md5: 16, sha1: 16, sha256: 16, sha384: 24, sha512: 32 };

export interface ForgedKey {
  readonly algorithm: Algorithm;
  readonly version: 4 | 6;
  readonly secret: KeyObject;
  /** Body of its key packet. */
  readonly body: Buffer;
  readonly created: number;
}

const u16 = (n: number): Buffer => Buffer.of(n >> 8, n & 0xff);
const u32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
};

/** A multiprecision integer. */
export function mpi(number: Buffer): Buffer {
  let at = 0;
  while (at < number.length && number[at] === 0) at++;
  const bare = number.subarray(at);
  const bits = bare.length === 0 ? 0 : (bare.length - 1) * 8 + 32 - Math.clz32(bare[0] as number);
  return Buffer.concat([u16(bits), bare]);
}

export function packet(tag: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0xc0 | tag, 0xff), u32(body.length), body]);
}

function pair(algorithm: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (algorithm === 'dsa') return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
  if (algorithm === 'p256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return algorithm === 'ed448' ? generateKeyPairSync('ed448') : generateKeyPairSync('ed25519');
}

function material(algorithm: Algorithm, key: KeyObject): Buffer {
  if (algorithm === 'dsa') return dsaNumbers(key);
  const jwk = key.export({ format: 'jwk' });
  const part = (name: 'n' | 'e' | 'x' | 'y'): Buffer => Buffer.from(jwk[name] as string, 'base64url');
  switch (algorithm) {
    case 'rsa':
      return Buffer.concat([mpi(part('n')), mpi(part('e'))]);
    case 'p256':
      return Buffer.concat([
        Buffer.from('082a8648ce3d030107', 'hex'),
        mpi(Buffer.concat([Buffer.of(4), part('x'), part('y')])),
      ]);
    case 'eddsa':
      return Buffer.concat([
        Buffer.from('092b06010401da470f01', 'hex'),
        mpi(Buffer.concat([Buffer.of(0x40), part('x')])),
      ]);
    default:
      return part('x');
  }
}

/** p, q, g and y, out of the DER form (node exports no DSA key as JWK): the four INTEGERs in order. */
function dsaNumbers(key: KeyObject): Buffer {
  const numbers: Buffer[] = [];
  const walk = (der: Buffer): void => {
    for (let at = 0; at < der.length; ) {
      const tag = der[at] as number;
      const first = der[at + 1] as number;
      const size = first < 0x80 ? 0 : first & 0x7f;
      const length = size === 0 ? first : der.readUIntBE(at + 2, size);
      const content = der.subarray(at + 2 + size, at + 2 + size + length);
      if (tag === 0x30) walk(content);
      else if (tag === 0x03) walk(content.subarray(1));
      else if (tag === 0x02) numbers.push(content);
      at += 2 + size + length;
    }
  };
  walk(key.export({ format: 'der', type: 'spki' }));
  return Buffer.concat(numbers.map(mpi));
}

export function forgeKey(algorithm: Algorithm, created: number, version: 4 | 6 = 4): ForgedKey {
  const { publicKey, privateKey } = pair(algorithm);
  const numbers = material(algorithm, publicKey);
  const length = version === 6 ? u32(numbers.length) : Buffer.alloc(0);
  const body = Buffer.concat([Buffer.of(version), u32(created), Buffer.of(ID[algorithm]), length, numbers]);
  return { algorithm, version, secret: privateKey, body, created };
}

/** The form in which a key is hashed. */
export function hashed(key: ForgedKey): Buffer {
  const { version, body } = key;
  return Buffer.concat([
    version === 6
      ? Buffer.concat([Buffer.of(0x9b), u32(body.length)])
      : Buffer.concat([Buffer.of(0x99), u16(body.length)]),
    body,
  ]);
}

export function fingerprint(key: ForgedKey): Buffer {
  return createHash(key.version === 6 ? 'sha256' : 'sha1')
    .update(hashed(key))
    .digest();
}

export function keyid(key: ForgedKey): Buffer {
  return key.version === 6 ? fingerprint(key).subarray(0, 8) : fingerprint(key).subarray(-8);
}

/** One subpacket; `critical` marks it as one that must be understood. */
export function sub(type: number, body: Buffer | number, critical = false): Buffer {
  const content = typeof body === 'number' ? u32(body) : body;
  return Buffer.concat([Buffer.of(255), u32(content.length + 1), Buffer.of(critical ? type | 0x80 : type), content]);
}

export const SUB = {
  created: 2,
  expires: 3,
  keyExpires: 9,
  issuer: 16,
  flags: 27,
  reason: 29,
  embedded: 32,
  fingerprint: 33,
} as const;

export interface ForgedSignature {
  readonly type?: number;
  readonly hash?: Hash;
  readonly version?: 3 | 4 | 6;
  readonly created?: number;
  /** Subpackets that are hashed; creation time and issuer when not given. */
  readonly hashed?: readonly Buffer[];
  readonly unhashed?: readonly Buffer[];
  readonly salt?: Buffer;
  /** Algorithm number that is claimed, when it should not be the key's. */
  readonly claims?: number;
}

/** The body of a signature packet by `key` over `data`. */
export function forgeSignature(key: ForgedKey, data: readonly Buffer[], options: ForgedSignature = {}): Buffer {
  const { type = 0, hash = 'sha256', created = key.created + 1 } = options;
  const version = options.version ?? key.version;
  const algorithm = options.claims ?? ID[key.algorithm];
  if (version === 3) {
    const trailer = Buffer.concat([Buffer.of(type), u32(created)]);
    const [hint, values] = numbers(key, hash, [...data, trailer]);
    return Buffer.concat([Buffer.of(3, 5), trailer, keyid(key), Buffer.of(algorithm, HASH[hash]), hint, values]);
  }
  const area = (parts: readonly Buffer[]): Buffer => {
    const bytes = Buffer.concat(parts);
    return Buffer.concat([version === 6 ? u32(bytes.length) : u16(bytes.length), bytes]);
  };
  const usual = [
    sub(SUB.created, created),
    sub(SUB.fingerprint, Buffer.concat([Buffer.of(version), fingerprint(key)])),
  ];
  const head = Buffer.concat([Buffer.of(version, type, algorithm, HASH[hash]), area(options.hashed ?? usual)]);
  const trailer = Buffer.concat([head, Buffer.of(version, 0xff), u32(head.length)]);
  const salt = version === 6 ? (options.salt ?? Buffer.alloc(SALT[hash], 7)) : Buffer.alloc(0);
  const [hint, values] = numbers(key, hash, [salt, ...data, trailer]);
  const salted = version === 6 ? Buffer.concat([Buffer.of(salt.length), salt]) : salt;
  return Buffer.concat([head, area(options.unhashed ?? []), hint, salted, values]);
}

/** The first two bytes of the digest, and the signature's own numbers. */
function numbers({ algorithm, secret }: ForgedKey, hash: Hash, parts: readonly Buffer[]): [Buffer, Buffer] {
  const data = Buffer.concat(parts);
  const sum = createHash(hash).update(data).digest();
  const signature = (): Buffer => {
    if (algorithm === 'rsa') return mpi(sign(hash, data, secret));
    if (algorithm === 'dsa' || algorithm === 'p256') {
      return halves(sign(hash, data, { key: secret, dsaEncoding: 'ieee-p1363' }));
    }
    const plain = sign(null, sum, secret);
    return algorithm === 'eddsa' ? halves(plain) : plain;
  };
  return [sum.subarray(0, 2), signature()];
}

function halves(both: Buffer): Buffer {
  return Buffer.concat([mpi(both.subarray(0, both.length / 2)), mpi(both.subarray(both.length / 2))]);
}

/** What a certification of a user id hashes. */
export function overUser(key: ForgedKey, user: string): Buffer[] {
  const id = Buffer.from(user);
  return [hashed(key), Buffer.of(0xb4), u32(id.length), id];
}

export const FLAGS = { certify: Buffer.of(1), sign: Buffer.of(2), both: Buffer.of(3), encrypt: Buffer.of(12) } as const;

/** The usual subpackets of a self-signature: when, by whom, for what. */
export function statement(key: ForgedKey, flags: Buffer, created = key.created, ...more: Buffer[]): Buffer[] {
  return [
    sub(SUB.created, created),
    sub(SUB.fingerprint, Buffer.concat([Buffer.of(key.version), fingerprint(key)])),
    sub(SUB.flags, flags),
    ...more,
  ];
}

/** A transferable key with one user id, certified in the usual way; `more` packets follow. */
export function certificate(key: ForgedKey, user: string, ...more: Buffer[]): Buffer {
  const signature = forgeSignature(key, overUser(key, user), { type: 0x13, hashed: statement(key, FLAGS.both) });
  return Buffer.concat([packet(6, key.body), packet(13, Buffer.from(user)), packet(2, signature), ...more]);
}

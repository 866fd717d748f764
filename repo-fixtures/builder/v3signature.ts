// OpenPGP version 3 signature packets (RFC 4880, 5.2.2), which vendors still put into packages and gpg no longer makes.
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { BUILD_TIME } from './time.ts';

/** Takes an unprotected v4 RSA secret-key packet (RFC 4880, 5.5.3) as gpg exports it; gives the key for node:crypto. */
function rsaKey(exported: Buffer): KeyObject {
  if (exported[0] !== 0x95) throw new Error('not a secret-key packet with a two-byte length');
  let at = 3 + 1 + 4 + 1; // header, version, time, algorithm
  const next = (): Buffer => {
    const bytes = Math.ceil(exported.readUInt16BE(at) / 8);
    at += 2 + bytes;
    return exported.subarray(at - bytes, at);
  };
  const [n, e] = [next(), next()];
  if (exported[at++] !== 0) throw new Error('the secret key is protected by a passphrase');
  // OpenPGP's u is the inverse of p modulo q; JWK's qi that of q modulo p: so p and q change places.
  const [d, q, p, qi] = [next(), next(), next(), next()] as [Buffer, Buffer, Buffer, Buffer];
  const number = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
  const text = (bytes: Buffer) => bytes.toString('base64url');
  const reduced = (prime: Buffer) => {
    const hex = (number(d) % (number(prime) - 1n)).toString(16);
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  };
  const parts = { n, e, d, p, q, qi, dp: reduced(p), dq: reduced(q) };
  const key = Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [name, text(bytes)]));
  return createPrivateKey({ key: { kty: 'RSA', ...key }, format: 'jwk' });
}

/** A v3 signature packet by RSA with SHA-256 over `data`. */
export function v3Signature(data: Buffer, exportedSecretKey: Buffer, fingerprint: string): Buffer {
  const hashed = Buffer.alloc(5); // type 0 (binary document), time
  hashed.writeUInt32BE(BUILD_TIME, 1);
  const signed = Buffer.concat([data, hashed]);
  const value = sign('sha256', signed, rsaKey(exportedSecretKey));
  const digest = createHash('sha256').update(signed).digest();
  const first = value.findIndex((byte) => byte !== 0);
  const number = value.subarray(first);
  const bits = Buffer.alloc(2);
  bits.writeUInt16BE(number.length * 8 - Math.clz32(number[0] ?? 0) + 24);
  const keyId = Buffer.from(fingerprint.slice(-16), 'hex');
  const RSA = 1;
  const SHA256 = 8;
  const fields = [Buffer.from([3, 5]), hashed, keyId, Buffer.from([RSA, SHA256]), digest.subarray(0, 2), bits, number];
  const body = Buffer.concat(fields);
  const header = Buffer.from([0x89, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([header, body]);
}

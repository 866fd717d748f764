// A package taken apart for surgery, and sealed again so that every digest is right: what is wrong is only what was meant to be.
import { createHash } from 'node:crypto';
import { compress, decompress } from './metadata.ts';
import {
  binary,
  type HeaderEntry,
  headerLength,
  int32,
  REGION,
  readHeader,
  text,
  texts,
  writeHeader,
} from './rpmheader.ts';

export const TAG = {
  payloadDigest: 5092,
  payloadDigestAlt: 5097,
  sourceRpm: 1044,
  baseNames: 1117,
  dirNames: 1118,
} as const;
const SIG = { size: 1000, md5: 1004, payloadSize: 1007, sha1: 269, sha256: 273, rsaHeader: 268 } as const;
const LEAD = 96;

export interface RpmParts {
  readonly lead: Buffer;
  readonly signature: readonly HeaderEntry[];
  readonly header: readonly HeaderEntry[];
  /** The uncompressed cpio archive. */
  readonly cpio: Buffer;
}

export interface RpmLayout {
  readonly signature: number;
  readonly header: number;
  readonly payload: number;
}

/** Where the parts of a package file begin. */
export function layoutOf(bytes: Buffer): RpmLayout {
  const signature = LEAD;
  // The signature header is padded to a multiple of 8.
  const header = signature + Math.ceil(headerLength(bytes, signature) / 8) * 8;
  return { signature, header, payload: header + headerLength(bytes, header) };
}

/** Takes a package with a gzip payload apart. */
export function splitRpm(bytes: Buffer): RpmParts {
  const at = layoutOf(bytes);
  return {
    lead: bytes.subarray(0, LEAD),
    signature: readHeader(bytes.subarray(at.signature)),
    header: readHeader(bytes.subarray(at.header)),
    cpio: decompress(bytes.subarray(at.payload), 'gz'),
  };
}

const hash = (algorithm: string, ...parts: Buffer[]) => {
  const running = createHash(algorithm);
  for (const part of parts) running.update(part);
  return running.digest();
};

export interface SealOptions {
  /** Changes the compressed payload before it is digested. */
  readonly payload?: (compressed: Buffer) => Buffer;
  /** Leaves the digest of the payload out of the header: then no header signature covers the payload. */
  readonly withoutPayloadDigest?: boolean;
  /** Makes the signature over the header: a blob for RSAHEADER. */
  readonly sign?: (header: Buffer) => Buffer;
}

/** Puts a package together with fresh digests; unsigned unless `sign` is given. */
export function sealRpm(parts: RpmParts, options: SealOptions = {}): Buffer {
  const plain = compress(parts.cpio, 'gz');
  const payload = options.payload ? options.payload(plain) : plain;
  const digests = options.withoutPayloadDigest
    ? []
    : [
        texts(TAG.payloadDigest, [hash('sha256', payload).toString('hex')]),
        texts(TAG.payloadDigestAlt, [hash('sha256', parts.cpio).toString('hex')]),
      ];
  const ours: number[] = [TAG.payloadDigest, TAG.payloadDigestAlt];
  const kept = parts.header.filter(
    (entry) => !ours.includes(entry.tag) && !(options.withoutPayloadDigest && entry.tag === 5093),
  );
  const header = writeHeader([...kept, ...digests], REGION.header);
  const signature = writeHeader(
    [
      int32(SIG.size, header.length + payload.length),
      int32(SIG.payloadSize, parts.cpio.length),
      binary(SIG.md5, hash('md5', header, payload)),
      text(SIG.sha1, hash('sha1', header).toString('hex')),
      text(SIG.sha256, hash('sha256', header).toString('hex')),
      ...(options.sign ? [binary(SIG.rsaHeader, options.sign(header))] : []),
    ],
    REGION.signature,
  );
  const padding = Buffer.alloc((8 - (signature.length % 8)) % 8);
  return Buffer.concat([parts.lead, signature, padding, header, payload]);
}

// Package files that were changed after they were signed, or that are something else; and metadata that does not fit them.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Workshop } from '../../builder/package.ts';
import { packageBytes } from '../../builder/repository.ts';
import { layoutOf } from '../../builder/rpmfile.ts';
import { fileName, type PackageSource } from '../../builder/source.ts';
import { k1Levels } from '../el9.ts';
import { K2 } from '../kernels.ts';
import { livePatch } from '../livepatch.ts';
import { GOOD, type HostileCase } from './case.ts';

const k2Patch = livePatch(K2, '1-1', { why: 'offered as the package of K1', payload: 'gzip' });

/** A copy with one bit changed. */
function flip(bytes: Buffer, at: number, bit = 1): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ bit;
  return copy;
}

function put32(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(value, at);
  return copy;
}

const changed = (
  id: string,
  why: string,
  stage: HostileCase['stage'],
  expected: readonly string[],
  file: (good: Buffer, workshop: Workshop) => Buffer,
): HostileCase => ({ id: `file-${id}`, why, stage, expected, file });

const MALFORMED = ['rpm-malformed', 'not-rpm', 'rpm-unsupported', 'package-mismatch'];
const BROKEN = ['digest-bad', 'signature-bad', 'openpgp-malformed', 'package-unsigned', ...MALFORMED];

/** Where the RSA header signature's blob lies. */
function signatureBlob(bytes: Buffer): number {
  const { signature } = layoutOf(bytes);
  const count = bytes.readUInt32BE(signature + 8);
  for (let index = 0; index < count; index++) {
    const entry = signature + 16 + index * 16;
    if (bytes.readUInt32BE(entry) === 268) return signature + 16 + count * 16 + bytes.readUInt32BE(entry + 8);
  }
  throw new Error('the good package has no RSA header signature');
}

const replacedBy = (source: PackageSource) => (_: Buffer, workshop: Workshop) => packageBytes(source, workshop);

export const FILE_CASES: readonly HostileCase[] = [
  changed('lead', 'one bit of the magic', 'verify', MALFORMED, (good) => flip(good, 0)),
  changed('signature', 'one bit inside the signature value', 'verify', BROKEN, (good) =>
    flip(good, signatureBlob(good) + 100),
  ),
  changed(
    'signature-algorithm',
    'the algorithm that the signature packet names',
    'verify',
    ['signature-unsupported', 'signature-bad'],
    (good) => flip(good, signatureBlob(good) + 5),
  ),
  changed('header', 'one bit in the middle of the header', 'verify', BROKEN, (good) => {
    const { header, payload } = layoutOf(good);
    return flip(good, Math.floor((header + payload) / 2));
  }),
  changed('payload', 'one bit of the payload', 'verify', [...BROKEN, 'corrupt-stream'], (good) =>
    flip(good, layoutOf(good).payload + 200),
  ),
  changed('last-byte', 'the last byte of the file', 'verify', [...BROKEN, 'corrupt-stream'], (good) =>
    flip(good, good.length - 1),
  ),
  changed('cut', 'half of the file', 'verify', BROKEN, (good) => good.subarray(0, good.length >> 1)),
  changed('cut-in-lead', 'fifty bytes', 'verify', MALFORMED, (good) => good.subarray(0, 50)),
  changed('empty', 'no bytes', 'verify', [...MALFORMED, 'net-cut'], () => Buffer.alloc(0)),
  changed('tail', 'bytes behind the package', 'verify', [...BROKEN, 'corrupt-stream'], (good) =>
    Buffer.concat([good, Buffer.from('evil')]),
  ),
  changed('html', "a mirror's error page", 'verify', MALFORMED, () =>
    Buffer.from('<html><body>Service unavailable</body></html>\n'),
  ),
  changed('index-huge', 'a header that claims two thousand million entries', 'verify', BROKEN, (good) =>
    put32(good, layoutOf(good).header + 8, 0x7fffffff),
  ),
  changed('store-huge', 'a header that claims 4 GB of data', 'verify', BROKEN, (good) =>
    put32(good, layoutOf(good).header + 12, 0xffffffff),
  ),
  changed('offset-outside', 'an entry that points outside the store', 'verify', BROKEN, (good) =>
    put32(good, layoutOf(good).header + 16 + 3 * 16 + 8, 0x00ffffff),
  ),
  changed(
    'other-package',
    'a sound, signed package of another kernel under this name',
    'fetch',
    ['package-renamed'],
    replacedBy(k2Patch),
  ),
  changed(
    'older-package',
    'a sound, signed, older level under this name',
    'fetch',
    ['package-renamed'],
    replacedBy(k1Levels[0]),
  ),
  {
    ...changed(
      'not-announced',
      'a bit differs from what the metadata announces',
      'fetch',
      ['package-mismatch', 'metadata-mismatch', 'digest-bad'],
      (good) => flip(good, good.length - 30),
    ),
    metadataFollows: false,
  },
  {
    ...changed(
      'longer-than-announced',
      'longer than the metadata announces',
      'fetch',
      ['package-mismatch', 'metadata-mismatch', 'too-large'],
      (good) => Buffer.concat([good, Buffer.alloc(4096)]),
    ),
    metadataFollows: false,
  },
  {
    id: 'file-missing',
    why: 'the metadata announces a package that is not there',
    stage: 'fetch',
    expected: ['http-status', 'repo-unavailable', 'file-unreadable'],
    repository: (directory) => {
      const file = path.join(directory, 'Packages', fileName(GOOD));
      if (readFileSync(file).length === 0) throw new Error(`${file} is empty`);
      rmSync(file);
    },
  },
];

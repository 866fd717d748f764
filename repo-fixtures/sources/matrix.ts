// Payload x signature: one package, K1's level 1-1, in every compression and signed in every way.
import type { Signing } from '../builder/keyring.ts';
import type { PackageSource, Payload } from '../builder/source.ts';
import { K1 } from './kernels.ts';
import { livePatch } from './livepatch.ts';

const PAYLOADS: readonly Payload[] = ['gzip', 'xz', 'zstd', 'bzip2', 'lzma', 'none'];

interface SignatureCase {
  readonly name: string;
  readonly signing: Signing | null;
  /** What a verifier that trusts the keys release and ed25519 has to say: `ok` or an error code. */
  readonly expected: string;
  /** Only for this payload; for all of them unless said. */
  readonly only?: Payload;
}

const SIGNATURES: readonly SignatureCase[] = [
  { name: 'rsa', signing: { key: 'release' }, expected: 'ok' },
  { name: 'ed25519', signing: { key: 'ed25519' }, expected: 'ok' },
  { name: 'unsigned', signing: null, expected: 'package-unsigned' },
  { name: 'other', signing: { key: 'other-vendor' }, expected: 'key-untrusted' },
  { name: 'weak', signing: { key: 'release', digest: 'md5' }, expected: 'signature-weak' },
  { name: 'sha512', signing: { key: 'release', digest: 'sha512' }, expected: 'ok', only: 'gzip' },
  { name: 'sha1', signing: { key: 'release', digest: 'sha1' }, expected: 'signature-weak', only: 'gzip' },
  { name: 'dsa-sha1', signing: { key: 'weak-dsa', digest: 'sha1' }, expected: 'signature-weak', only: 'gzip' },
  { name: 'both', signing: { key: 'release', headerAndPayload: true }, expected: 'ok', only: 'gzip' },
  { name: 'both', signing: { key: 'ed25519', headerAndPayload: true }, expected: 'ok', only: 'xz' },
  // Made before the key expired (2021): such a signature keeps its worth, as rpm has it; see docs/security.md.
  { name: 'expired', signing: { key: 'expired', at: '20200601T000000!' }, expected: 'ok', only: 'gzip' },
  { name: 'revoked', signing: { key: 'revoked', at: '20200601T000000!' }, expected: 'key-revoked', only: 'gzip' },
];

export interface MatrixCell {
  /** File below built/matrix. */
  readonly file: string;
  readonly payload: Payload;
  readonly signature: string;
  readonly key: string | null;
  readonly expected: string;
  readonly source: PackageSource;
  /** Signed with a version 3 packet, which rpmsign cannot make. */
  readonly v3?: boolean;
}

const SIGNED_BY_RPMSIGN: readonly MatrixCell[] = SIGNATURES.flatMap((signature) =>
  PAYLOADS.filter((payload) => signature.only === undefined || signature.only === payload).map((payload) => ({
    file: `${payload}-${signature.name}.rpm`,
    payload,
    signature: signature.name,
    key: signature.signing?.key ?? null,
    expected: signature.expected,
    source: {
      ...livePatch(K1, '1-1', { why: `payload ${payload}, signature ${signature.name}`, payload }),
      signing: signature.signing,
    },
  })),
);

export const MATRIX: readonly MatrixCell[] = [
  ...SIGNED_BY_RPMSIGN,
  {
    file: 'gzip-v3.rpm',
    payload: 'gzip',
    signature: 'v3',
    key: 'release',
    expected: 'ok',
    v3: true,
    source: livePatch(K1, '1-1', { why: 'an OpenPGP version 3 signature, as vendors still make', payload: 'gzip' }),
  },
];

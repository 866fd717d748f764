import { describe, expect, test } from '@jest/globals';
import { forbidden, parseHostPolicy } from '../../../src/formats/openpgp/host-policy.ts';
import { parseKeys, parseSignatures, verifySignature } from '../../../src/formats/openpgp/index.ts';
import { certificate, forgeKey, forgeSignature, packet } from '../../support/forge-pgp.ts';

const NOW = new Date('2026-11-21T00:00:00Z');
const policy = (text: string) => parseHostPolicy(text, '/etc/policy', NOW);

const DEFAULT = `
[hash_algorithms]
sha1.collision_resistance = "never"
sha1.second_preimage_resistance = "always"
sha224 = "always"
sha256 = "always"
sha384 = "always"
sha512 = "always"
default_disposition = "never"

[symmetric_algorithms]
aes256 = "always"
default_disposition = "never"

[asymmetric_algorithms]
rsa2048 = "always"
rsa3072 = "always"
rsa4096 = "always"
nistp256 = "always"
cv25519 = "always"
default_disposition = "never"
`;
const STRICT = DEFAULT.replace('rsa2048 = "always"', 'rsa2048 = "never"').replace(
  'sha224 = "always"',
  'sha224 = "never"',
);

describe('what a policy forbids', () => {
  test.each<[string, string, string, string, string | null]>([
    ['default', DEFAULT, 'SHA256', 'RSA 2048', null],
    ['default', DEFAULT, 'SHA512', 'RSA 8192', null],
    ['default', DEFAULT, 'SHA256', 'Ed25519', null],
    ['default', DEFAULT, 'SHA256', 'ECDSA P-256', null],
    ['default', DEFAULT, 'SHA1', 'RSA 4096', 'SHA1'],
    ['default', DEFAULT, 'MD5', 'RSA 4096', 'MD5'],
    ['default', DEFAULT, 'SHA3-256', 'RSA 4096', 'SHA3-256'],
    ['default', DEFAULT, 'SHA256', 'RSA 2047', 'RSA 2047'],
    ['default', DEFAULT, 'SHA256', 'ECDSA P-521', 'ECDSA P-521'],
    ['default', DEFAULT, 'SHA256', 'DSA 2048', 'DSA 2048'],
    ['default', DEFAULT, 'SHA256', 'Ed448', 'Ed448'],
    ['strict', STRICT, 'SHA256', 'RSA 2048', 'RSA 2048'],
    ['strict', STRICT, 'SHA256', 'RSA 3071', 'RSA 3071'],
    ['strict', STRICT, 'SHA256', 'RSA 3072', null],
    ['strict', STRICT, 'SHA224', 'RSA 4096', 'SHA224'],
    ['empty', '', 'SHA224', 'DSA 1024', null],
    ['comments', '# [hash_algorithms]\n[hash_algorithms]\nsha256 = "never" # no more', 'SHA256', 'Ed25519', 'SHA256'],
    ['dates', '[hash_algorithms]\nsha224 = 2026-02-01', 'SHA224', 'Ed25519', 'SHA224'],
    ['dates', '[hash_algorithms]\nsha224 = 2027-02-01T00:00:00Z', 'SHA224', 'Ed25519', null],
    ['another section', '[symmetric_algorithms]\nsha256 = "never"', 'SHA256', 'Ed25519', null],
    ['nonsense', '[hash_algorithms\nsha256 = { broken\nsha512 = "maybe"', 'SHA512', 'Ed25519', null],
  ])('%s: %#', (_, text, hash, algorithm, wanted) => expect(forbidden(policy(text), hash, algorithm)).toBe(wanted));

  test('a signature it forbids is unsupported, and the file is named; a bad one stays bad', () => {
    const key = forgeKey('rsa', 1_700_000_000);
    const keys = parseKeys(certificate(key, 'Vendor'));
    const data = [Buffer.from('data')];
    const [signature] = parseSignatures(packet(2, forgeSignature(key, data)));
    if (!signature) throw new Error('no signature');
    expect(verifySignature(signature, data, keys, NOW, policy(DEFAULT)).verdict).toBe('good');
    expect(verifySignature(signature, data, keys, NOW, policy(STRICT))).toMatchObject({
      verdict: 'unsupported',
      right: true,
      reason: 'RSA 2048 is forbidden by /etc/policy',
    });
    expect(verifySignature(signature, [Buffer.from('other')], keys, NOW, policy(STRICT)).verdict).toBe('bad');
  });
});

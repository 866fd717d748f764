// Signatures of every version and algorithm, made here and by openpgp.js.
import { describe, expect, test } from '@jest/globals';
import * as openpgp from 'openpgp';
import { parseKeys, parseSignatures, verifySignature } from '../../../src/formats/openpgp/index.ts';
import { type Algorithm, certificate, forgeKey, forgeSignature, type Hash, packet } from '../../support/forge-pgp.ts';

const T0 = 1_700_000_000;
const NOW = new Date((T0 + 86_400) * 1000);
const DATA = [Buffer.from('the header'), Buffer.from(' and the payload')];

const TABLE: [Algorithm, 4 | 6, 3 | 4 | 6, Hash, string][] = [
  ['rsa', 4, 3, 'sha256', 'RSA'],
  ['rsa', 4, 4, 'sha256', 'RSA'],
  ['rsa', 4, 4, 'sha384', 'RSA'],
  ['rsa', 6, 6, 'sha512', 'RSA'],
  ['dsa', 4, 3, 'sha256', 'DSA'],
  ['dsa', 4, 4, 'sha512', 'DSA'],
  ['p256', 4, 4, 'sha256', 'ECDSA'],
  ['p256', 6, 6, 'sha256', 'ECDSA'],
  ['eddsa', 4, 4, 'sha256', 'EdDSA'],
  ['ed25519', 4, 4, 'sha512', 'Ed25519'],
  ['ed25519', 6, 6, 'sha256', 'Ed25519'],
  ['ed448', 6, 6, 'sha512', 'Ed448'],
];

describe('verifySignature', () => {
  test.each(TABLE)(
    '%s key of version %i, signature of version %i, %s',
    (algorithm, keyVersion, version, hash, name) => {
      const key = forgeKey(algorithm, T0, keyVersion);
      const keys = parseKeys(certificate(key, 'Somebody'));
      const blob = packet(2, forgeSignature(key, DATA, { version, hash }));
      const [signature] = parseSignatures(blob);
      if (!signature) throw new Error('no signature');
      expect(signature).toMatchObject({ version, algorithm: name, hash: hash.toUpperCase(), unsupported: null });
      expect(signature.created).toEqual(new Date((T0 + 1) * 1000));
      const verdict = (data: Buffer[]) => verifySignature(signature, data, keys, NOW).verdict;
      expect(verdict(DATA)).toBe('good');
      expect(verdict([Buffer.concat(DATA)])).toBe('good');
      expect(verdict([...DATA, Buffer.of(0)])).toBe('bad');
      expect(verdict([])).toBe('bad');
    },
  );

  test('an RSA number with a leading zero byte is as long as its modulus all the same', () => {
    const key = forgeKey('rsa', T0);
    const keys = parseKeys(certificate(key, 'Somebody'));
    let short = 0;
    for (let n = 0; n < 2000 && short === 0; n++) {
      const [signature] = parseSignatures(packet(2, forgeSignature(key, DATA, { created: T0 + n })));
      if (!signature || (signature.values[0] as Buffer).length === 256) continue;
      short++;
      expect(verifySignature(signature, DATA, keys, NOW).verdict).toBe('good');
    }
    expect(short).toBe(1);
  });
});

describe('openpgp.js agrees', () => {
  const KINDS = [
    ['curve25519', false, 'Ed25519', 4],
    ['curve448', false, 'Ed448', 4],
    ['curve25519', true, 'Ed25519', 6],
    ['curve448', true, 'Ed448', 6],
  ] as const;
  test.each(KINDS)('%s, version 6: %s', async (type, v6Keys, name, version) => {
    const date = new Date(T0 * 1000);
    const config = { v6Keys };
    const made = await openpgp.generateKey({ type, userIDs: [{ name: 'Somebody' }], date, format: 'binary', config });
    const signingKeys = await openpgp.readPrivateKey({ binaryKey: made.privateKey, config });
    const message = await openpgp.createMessage({ binary: Buffer.concat(DATA) });
    const blob = await openpgp.sign({ message, signingKeys, detached: true, format: 'binary', date, config });
    const keys = parseKeys(Buffer.from(made.publicKey));
    expect(keys.map((key) => [key.owner, key.version])).toEqual([['Somebody', version]]);
    const [signature] = parseSignatures(Buffer.from(blob as Uint8Array));
    if (!signature) throw new Error('no signature');
    expect(signature).toMatchObject({ version, algorithm: name });
    expect(verifySignature(signature, DATA, keys, NOW)).toMatchObject({ verdict: 'good' });
    expect(verifySignature(signature, DATA.slice(1), keys, NOW)).toMatchObject({ verdict: 'bad' });
  });
});

describe('parseSignatures', () => {
  test('an unknown version or algorithm is unsupported, not an error', () => {
    const key = forgeKey('eddsa', T0);
    const list = Buffer.concat([
      packet(2, Buffer.from([5, 0, 22, 8])),
      packet(2, Buffer.from([7])),
      packet(2, forgeSignature(key, DATA, { claims: 31 })),
      packet(2, forgeSignature(key, DATA)),
    ]);
    expect(parseSignatures(list).map(({ unsupported }) => unsupported)).toEqual([
      'version 5 of the signature packet',
      'version 7 of the signature packet',
      'the algorithm ML-DSA-87+Ed448',
      null,
    ]);
    const verdicts = parseSignatures(list).map((one) =>
      verifySignature(one, DATA, parseKeys(certificate(key, 'x')), NOW),
    );
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['unsupported', 'unsupported', 'unsupported', 'good']);
  });

  test('nothing gives no signature, and no signature is no verdict', () => {
    expect(parseSignatures(Buffer.alloc(0))).toEqual([]);
  });
});

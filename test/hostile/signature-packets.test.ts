// Signatures that prove something else than they seem to, and packets that are not what their lengths say.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KpmError } from '../../src/errors.ts';
import { parseKeys, parseSignatures, verifySignature } from '../../src/formats/openpgp/index.ts';
import { codeOf } from '../support/code-of.ts';
import {
  type Algorithm,
  certificate,
  type ForgedSignature,
  fingerprint,
  forgeKey,
  forgeSignature,
  mpi,
  packet,
  SUB,
  sub,
} from '../support/forge-pgp.ts';

const T0 = 1_700_000_000;
const NOW = new Date((T0 + 86_400) * 1000);
const DATA = [Buffer.from('a package')];

const key = forgeKey('eddsa', T0);
const keys = parseKeys(certificate(key, 'Vendor'));
const rsa = forgeKey('rsa', T0);
const rsaKeys = parseKeys(certificate(rsa, 'Vendor'));

const judge = (body: Buffer, using = keys) => {
  const [signature] = parseSignatures(packet(2, body));
  if (!signature) throw new Error('no signature');
  return verifySignature(signature, DATA, using, NOW);
};
const issuer = sub(SUB.fingerprint, Buffer.concat([Buffer.of(4), fingerprint(key)]));
const when = (seconds: number): Buffer => sub(SUB.created, seconds);

describe('signatures that are right but prove nothing', () => {
  test.each<[string, ForgedSignature, string]>([
    ['the usual one', {}, 'good'],
    ['over a text', { type: 1 }, 'unsupported'],
    ['standalone', { type: 2 }, 'unsupported'],
    ['a certification', { type: 0x13 }, 'unsupported'],
    ['a subkey binding', { type: 0x18 }, 'unsupported'],
    ['without a time', { hashed: [issuer] }, 'bad'],
    ['with a time nobody signed', { hashed: [issuer], unhashed: [when(T0 + 1)] }, 'bad'],
    ['made before its key', { created: T0 - 1 }, 'bad'],
    ['expired', { hashed: [when(T0 + 1), issuer, sub(SUB.expires, 10)] }, 'bad'],
    [
      'with a life prolonged outside of what is signed',
      { hashed: [when(T0 + 1), issuer, sub(SUB.expires, 10)], unhashed: [sub(SUB.expires, 0)] },
      'bad',
    ],
    [
      'with an unknown part that must be understood',
      { hashed: [when(T0 + 1), issuer, sub(99, Buffer.of(1), true)] },
      'unsupported',
    ],
    [
      'with a notation that must be understood',
      { hashed: [when(T0 + 1), issuer, sub(20, Buffer.alloc(8), true)] },
      'unsupported',
    ],
    ['with an unknown part that may be skipped', { hashed: [when(T0 + 1), issuer, sub(99, Buffer.of(1))] }, 'good'],
    ['with an unknown critical part in the unsigned area', { unhashed: [sub(99, Buffer.of(1), true)] }, 'good'],
    ['with SHA-1', { hash: 'sha1' }, 'weak'],
    ['with MD5', { hash: 'md5' }, 'weak'],
    ['that claims RSA', { claims: 1 }, 'bad'],
    ['that claims a coming algorithm', { claims: 30 }, 'unsupported'],
  ])('%s', (_, options, wanted) => {
    const by = options.claims === 1 ? rsaShaped() : forgeSignature(key, DATA, options);
    expect(judge(by).verdict).toBe(wanted);
  });

  /** An RSA packet that names an EdDSA key as its maker. */
  function rsaShaped(): Buffer {
    return forgeSignature(rsa, DATA, { hashed: [when(T0 + 1), issuer] });
  }

  test('a version 6 signature whose salt has the wrong length', () => {
    const six = forgeKey('ed25519', T0, 6);
    const using = parseKeys(certificate(six, 'Vendor'));
    expect(judge(forgeSignature(six, DATA), using).verdict).toBe('good');
    expect(judge(forgeSignature(six, DATA, { salt: Buffer.alloc(0) }), using).verdict).toBe('unsupported');
    expect(judge(forgeSignature(six, DATA, { salt: Buffer.alloc(32, 1) }), using).verdict).toBe('unsupported');
  });
});

describe('numbers at the edge', () => {
  const valuesOf = (body: Buffer): readonly Buffer[] =>
    parseSignatures(packet(2, body)).flatMap(({ values }) => values);
  const swap = (body: Buffer, from: Buffer, to: Buffer): Buffer => {
    const at = body.lastIndexOf(from);
    if (at < 0) throw new Error('not found');
    return Buffer.concat([body.subarray(0, at), to]);
  };
  const rsaBody = forgeSignature(rsa, DATA);
  const rsaNumber = mpi(valuesOf(rsaBody)[0] as Buffer);

  test.each<[string, Buffer]>([
    ['zero', Buffer.alloc(0)],
    ['one', Buffer.of(1)],
    ['as long as the modulus and larger', Buffer.alloc(256, 0xff)],
    ['longer than the modulus', Buffer.alloc(300, 0xff)],
  ])('an RSA signature of %s', (_, number) => {
    expect(judge(swap(rsaBody, rsaNumber, mpi(number)), rsaKeys).verdict).toBe('bad');
  });

  test('the same under SHA-1, where we build the block ourselves', () => {
    const body = forgeSignature(rsa, DATA, { hash: 'sha1' });
    const number = mpi(valuesOf(body)[0] as Buffer);
    expect(judge(body, rsaKeys).verdict).toBe('weak');
    for (const wrong of [Buffer.alloc(0), Buffer.of(1), Buffer.alloc(256, 0xff), Buffer.alloc(300, 0xff)]) {
      expect(judge(swap(body, number, mpi(wrong)), rsaKeys).verdict).toBe('bad');
    }
  });

  test.each<Algorithm>(['dsa', 'p256', 'eddsa'])('%s: zero, and numbers too large', (algorithm) => {
    const own = forgeKey(algorithm, T0);
    const using = parseKeys(certificate(own, 'Vendor'));
    const body = forgeSignature(own, DATA);
    const [r, s] = valuesOf(body) as [Buffer, Buffer];
    const tail = Buffer.concat([mpi(r), mpi(s)]);
    expect(judge(body, using).verdict).toBe('good');
    for (const [one, two] of [
      [Buffer.alloc(0), Buffer.alloc(0)],
      [Buffer.alloc(0), s],
      [r, Buffer.alloc(0)],
      [Buffer.alloc(32, 0xff), Buffer.alloc(32, 0xff)],
      [Buffer.alloc(500, 0xff), s],
      [s, r],
    ] as const) {
      expect(judge(swap(body, tail, Buffer.concat([mpi(one), mpi(two)])), using).verdict).toBe('bad');
    }
  });
});

describe('packets', () => {
  const good = packet(2, forgeSignature(key, DATA));
  test.each<[string, Buffer]>([
    ['no packet', Buffer.from([0x00, 0x01])],
    ['a packet of another type', packet(11, Buffer.from('literal'))],
    ['a key among signatures', packet(6, key.body)],
    ['a length beyond the end', Buffer.from([0xc2, 0xff, 0x7f, 0xff, 0xff, 0xff, 4])],
    ['a length in parts', Buffer.concat([Buffer.from([0xc2, 0xe1]), Buffer.alloc(10)])],
    ['an open end', Buffer.concat([Buffer.from([0x8b]), Buffer.alloc(10)])],
    ['an empty packet', packet(2, Buffer.alloc(0))],
    ['bytes behind the numbers', packet(2, Buffer.concat([forgeSignature(key, DATA), Buffer.of(1)]))],
    ['bytes behind the packet', Buffer.concat([good, Buffer.of(1)])],
    ['a subpacket longer than its area', packet(2, Buffer.from([4, 0, 22, 8, 0, 2, 200, 2, 0, 0, 0, 0]))],
    ['a subpacket of no length', packet(2, Buffer.from([4, 0, 22, 8, 0, 1, 0, 0, 0, 0, 0]))],
    ['a hashed area longer than the packet', packet(2, Buffer.from([4, 0, 22, 8, 0xff, 0xff, 0]))],
    ['a version 3 with another length', packet(2, Buffer.concat([Buffer.from([3, 4]), Buffer.alloc(30)]))],
    ['a number longer than the packet', packet(2, Buffer.from([4, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1]))],
    ['armor without an end', Buffer.from('-----BEGIN PGP SIGNATURE-----\n\nAAAA\n')],
    ['more packets than anybody needs', Buffer.concat(Array(5001).fill(packet(10, Buffer.from('PGP'))))],
  ])('%s', (_, bytes) => expect(codeOf(() => parseSignatures(bytes))).toBe('openpgp-malformed'));

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a text', Buffer.from('no key here')],
    ['an error page', Buffer.from('<html><body>404 Not Found</body></html>')],
    ['a signature first', good],
    ['a user id first', packet(13, Buffer.from('x'))],
    ['a secret key', packet(5, key.body)],
    ['a key cut off', packet(6, key.body.subarray(0, 20))],
    ['bytes behind the key', packet(6, Buffer.concat([key.body, Buffer.of(0)]))],
    ['another packet inside', certificate(key, 'Vendor', packet(11, Buffer.from('literal')))],
    ['a user id without end', certificate(key, 'x'.repeat(5000))],
    ['more bytes than any key has', Buffer.concat([certificate(key, 'Vendor'), packet(17, Buffer.alloc(1024 * 1024))])],
    ['armor of another kind', Buffer.from('-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n')],
    [
      'armor that is no base64',
      Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!!!\n-----END PGP PUBLIC KEY BLOCK-----\n'),
    ],
    ['a second block cut off', Buffer.from(`${armored()}-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n`)],
  ])('a key file with %s', (_, bytes) => expect(codeOf(() => parseKeys(bytes))).toBe('openpgp-malformed'));

  function armored(): string {
    const kind = 'PGP PUBLIC KEY BLOCK';
    return `-----BEGIN ${kind}-----\n\n${certificate(key, 'Vendor').toString('base64')}\n-----END ${kind}-----\n`;
  }
  test('its first block alone is a key', () => expect(parseKeys(Buffer.from(armored()))).toHaveLength(1));
});

describe('any change', () => {
  const KINDS = (['rsa', 'dsa', 'p256', 'eddsa', 'ed25519'] as const).map((algorithm) => {
    const own = forgeKey(algorithm, T0);
    return {
      using: parseKeys(certificate(own, 'Vendor')),
      blob: packet(2, forgeSignature(own, DATA)),
      file: certificate(own, 'Vendor'),
    };
  });
  const orMalformed = <T>(act: () => T): T | null => {
    try {
      return act();
    } catch (error) {
      if (error instanceof KpmError && error.code === 'openpgp-malformed') return null;
      throw error;
    }
  };
  const change = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 });
  const changed = (bytes: Buffer, changes: readonly (readonly [number, number])[]): Buffer => {
    const copy = Buffer.from(bytes);
    for (const [place, bits] of changes) copy[place % copy.length] = (copy[place % copy.length] as number) ^ bits;
    return copy;
  };

  test('of the bytes of a signature packet never makes it good over other data', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), change, ({ using, blob }, changes) => {
        for (const signature of orMalformed(() => parseSignatures(changed(blob, changes))) ?? []) {
          const { verdict } = verifySignature(signature, [Buffer.from('another package')], using, NOW);
          expect(['good', 'good-expired-key', 'weak']).not.toContain(verdict);
        }
      }),
      { seed: 20_261_121, numRuns: 1500 },
    );
  });

  test('of the bytes of a key never lets it verify under the same fingerprint more than it did', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), change, ({ using, file, blob }, changes) => {
        const [real] = using;
        for (const one of orMalformed(() => parseKeys(changed(file, changes))) ?? []) {
          if (one.fingerprint !== real?.fingerprint) continue;
          const [signature] = parseSignatures(blob);
          if (!signature) throw new Error('no signature');
          expect(verifySignature(signature, [Buffer.from('another package')], [one], NOW).right).not.toBe(true);
          // What the owner did not say is not shown: the changed statement is dropped, not believed.
          expect([[], ['Vendor']]).toContainEqual(one.userIds);
          expect(one.expires).toBeNull();
        }
      }),
      { seed: 20_261_122, numRuns: 1500 },
    );
  });

  test('cut anywhere, a signature or key is malformed or says less', () => {
    for (const { blob, file, using } of KINDS) {
      for (let size = 0; size < blob.length; size++) {
        expect(orMalformed(() => parseSignatures(blob.subarray(0, size))) ?? []).toEqual([]);
      }
      for (let size = 0; size < file.length; size++) {
        const [one] = orMalformed(() => parseKeys(file.subarray(0, size))) ?? [];
        if (one) expect(one.primary.unfit).toBe('it carries no valid signature of its own');
      }
      expect(using[0]?.primary.unfit).toBeNull();
    }
  });
});

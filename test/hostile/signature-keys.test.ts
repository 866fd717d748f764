// Keys that claim more than their owner said: adopted subkeys, borrowed names, statements nobody signed.
import { describe, expect, test } from '@jest/globals';
import {
  mergeKeys,
  type PublicKey,
  parseKeys,
  parseSignatures,
  verifySignature,
} from '../../src/formats/openpgp/index.ts';
import {
  certificate,
  FLAGS,
  type ForgedKey,
  type ForgedSignature,
  fingerprint,
  forgeKey,
  forgeSignature,
  hashed,
  keyid,
  overUser,
  packet,
  SUB,
  statement,
  sub,
} from '../support/forge-pgp.ts';

const T0 = 1_700_000_000;
const at = (seconds: number): Date => new Date(seconds * 1000);
const NOW = at(T0 + 86_400);
const DATA = [Buffer.from('a package')];
const PACKET = { signature: 2, key: 6, user: 13, subkey: 14 } as const;

const vendor = forgeKey('eddsa', T0);
const attacker = forgeKey('eddsa', T0);
const name = (key: ForgedKey): string => fingerprint(key).toString('hex').toUpperCase();

function one(bytes: Buffer): PublicKey {
  const [key, ...more] = parseKeys(bytes);
  if (!key || more.length > 0) throw new Error('one key expected');
  return key;
}

function verdict(signature: Buffer, ...keys: PublicKey[]) {
  const [parsed] = parseSignatures(packet(PACKET.signature, signature));
  if (!parsed) throw new Error('no signature');
  return verifySignature(parsed, DATA, keys, NOW);
}

/** A subkey packet and its binding by the vendor (or by another), with what the test puts into it. */
function bound(subkey: ForgedKey, options: ForgedSignature, by: ForgedKey = vendor): Buffer[] {
  const binding = forgeSignature(by, [hashed(vendor), hashed(subkey)], { type: 0x18, ...options });
  return [packet(PACKET.subkey, subkey.body), packet(PACKET.signature, binding)];
}
const proofBy = (subkey: ForgedKey, over: ForgedKey[] = [vendor, subkey]): Buffer =>
  sub(SUB.embedded, forgeSignature(subkey, over.map(hashed), { type: 0x19 }));

describe('subkeys', () => {
  const subkey = forgeKey('eddsa', T0);
  const signature = forgeSignature(subkey, DATA);
  const withSubkey = (...packets: Buffer[]): PublicKey => one(certificate(vendor, 'Vendor', ...packets));

  test('a proper signing subkey counts', () => {
    const key = withSubkey(...bound(subkey, { hashed: statement(vendor, FLAGS.sign, T0, proofBy(subkey)) }));
    expect(verdict(signature, key)).toMatchObject({ verdict: 'good', madeBy: name(subkey), key: { owner: 'Vendor' } });
  });

  test.each<[string, () => Buffer[], string]>([
    ['without any binding', () => [packet(PACKET.subkey, subkey.body)], 'not bound'],
    [
      'bound by somebody else',
      () => bound(subkey, { hashed: statement(vendor, FLAGS.sign, T0, proofBy(subkey)) }, attacker),
      'not bound',
    ],
    ['without its own consent', () => bound(subkey, { hashed: statement(vendor, FLAGS.sign) }), 'does not confirm'],
    [
      'with a consent to another primary key',
      () => bound(subkey, { hashed: statement(vendor, FLAGS.sign, T0, proofBy(subkey, [attacker, subkey])) }),
      'does not confirm',
    ],
    [
      'with a consent made by the primary key itself',
      () =>
        bound(subkey, {
          hashed: statement(
            vendor,
            FLAGS.sign,
            T0,
            sub(SUB.embedded, forgeSignature(vendor, [hashed(vendor), hashed(subkey)], { type: 0x19 })),
          ),
        }),
      'does not confirm',
    ],
    [
      'for encryption',
      () => bound(subkey, { hashed: statement(vendor, FLAGS.encrypt, T0, proofBy(subkey)) }),
      'not meant',
    ],
    [
      'whose signing flag is not signed',
      () =>
        bound(subkey, {
          hashed: [...statement(vendor, FLAGS.encrypt).slice(0, 2), proofBy(subkey)],
          unhashed: [sub(SUB.flags, FLAGS.sign)],
        }),
      'not meant',
    ],
    [
      'bound with MD5',
      () => {
        const rsa = forgeKey('rsa', T0);
        const binding = forgeSignature(rsa, [hashed(rsa), hashed(subkey)], {
          type: 0x18,
          hash: 'md5',
          hashed: statement(rsa, FLAGS.sign, T0, proofBy(subkey, [rsa, subkey])),
        });
        return [Buffer.from('RSA'), certificate(rsa, 'Vendor'), packet(PACKET.subkey, subkey.body), packet(2, binding)];
      },
      'not bound',
    ],
  ])('a subkey %s does not count', (_, make, why) => {
    const packets = make();
    const whole = packets[0]?.toString() === 'RSA' ? Buffer.concat(packets.slice(1)) : null;
    const key = whole ? one(whole) : withSubkey(...packets);
    expect(key.subkeys.map(({ unfit }) => unfit)).toEqual([expect.stringContaining(why)]);
    const judged = verdict(signature, key);
    expect(judged.verdict).toBe('no-key');
    expect(judged.reason).toContain(why);
  });

  test('a subkey put behind a key whose own statements are missing does not count', () => {
    const packets = bound(subkey, { hashed: statement(vendor, FLAGS.sign, T0, proofBy(subkey)) });
    const key = one(Buffer.concat([packet(PACKET.key, vendor.body), ...packets]));
    expect(verdict(signature, key).verdict).toBe('no-key');
  });

  test('a subkey ends with its primary key', () => {
    const expiring = forgeSignature(vendor, overUser(vendor, 'Vendor'), {
      type: 0x13,
      hashed: statement(vendor, FLAGS.both, T0, sub(SUB.keyExpires, 100)),
    });
    const key = one(
      Buffer.concat([
        packet(PACKET.key, vendor.body),
        packet(PACKET.user, Buffer.from('Vendor')),
        packet(PACKET.signature, expiring),
        ...bound(subkey, { hashed: statement(vendor, FLAGS.sign, T0, proofBy(subkey), sub(SUB.keyExpires, 5000)) }),
      ]),
    );
    expect(key.subkeys[0]?.expires).toEqual(at(T0 + 100));
    expect(verdict(signature, key)).toMatchObject({ verdict: 'good-expired-key', inTime: true });
    const late = forgeSignature(subkey, DATA, { created: T0 + 101 });
    expect(verdict(late, key)).toMatchObject({ verdict: 'good-expired-key', inTime: false });
  });

  test('a revoked subkey, and a revocation by somebody else', () => {
    const binding = bound(subkey, { hashed: statement(vendor, FLAGS.sign, T0, proofBy(subkey)) });
    const revocation = (by: ForgedKey): Buffer =>
      packet(
        2,
        forgeSignature(by, [hashed(vendor), hashed(subkey)], {
          type: 0x28,
          hashed: statement(vendor, FLAGS.both, T0 + 5),
        }),
      );
    expect(verdict(signature, withSubkey(...binding, revocation(vendor))).verdict).toBe('revoked');
    expect(verdict(signature, withSubkey(...binding, revocation(attacker))).verdict).toBe('good');
  });
});

describe('user ids', () => {
  test('a name nobody certified is not shown as the owner', () => {
    const added = packet(PACKET.user, Buffer.from('Red Hat, Inc. <security@redhat.com>'));
    const certified = forgeSignature(attacker, overUser(vendor, 'Trusted Vendor'), { type: 0x13 });
    const first = Buffer.concat([packet(PACKET.key, attacker.body), added]);
    const own = certificate(attacker, 'Attacker').subarray(packet(PACKET.key, attacker.body).length);
    expect(one(Buffer.concat([first, own]))).toMatchObject({ owner: 'Attacker', userIds: ['Attacker'] });
    const foreign = [packet(PACKET.user, Buffer.from('Trusted Vendor')), packet(2, certified)];
    expect(one(certificate(vendor, 'Vendor', ...foreign)).userIds).toEqual(['Vendor']);
  });

  test('a name cannot steer the terminal it is shown on', () => {
    const nasty = 'Red\u001b[2J\u202eHat\u200b\n\u009bm\u2028 <security@example.org>';
    expect(one(certificate(vendor, nasty)).owner).toBe(
      'Red\ufffd[2J\ufffdHat\ufffd\ufffd\ufffdm\ufffd <security@example.org>',
    );
  });

  test('a certification over another name does not carry over', () => {
    const borrowed = forgeSignature(vendor, overUser(vendor, 'Vendor'), { type: 0x13 });
    const other = [packet(PACKET.user, Buffer.from('Somebody else')), packet(2, borrowed)];
    expect(one(certificate(vendor, 'Vendor', ...other)).userIds).toEqual(['Vendor']);
  });

  test('a key whose only name is revoked is revoked; one certified again is not', () => {
    const revoke = (when: number): Buffer =>
      packet(
        2,
        forgeSignature(vendor, overUser(vendor, 'Vendor'), { type: 0x30, hashed: statement(vendor, FLAGS.both, when) }),
      );
    const again = packet(
      2,
      forgeSignature(vendor, overUser(vendor, 'Vendor'), {
        type: 0x13,
        hashed: statement(vendor, FLAGS.both, T0 + 10),
      }),
    );
    const signature = forgeSignature(vendor, DATA);
    expect(verdict(signature, one(certificate(vendor, 'Vendor', revoke(T0 + 5)))).verdict).toBe('no-key');
    expect(one(certificate(vendor, 'Vendor', revoke(T0 + 5))).revoked).toBe('all its user ids are revoked');
    expect(verdict(signature, one(certificate(vendor, 'Vendor', revoke(T0 + 5), again))).verdict).toBe('good');
    // The name repeated without its revocation does not hide it.
    const twice = Buffer.concat([
      certificate(vendor, 'Vendor', revoke(T0 + 5)),
      certificate(vendor, 'Vendor').subarray(packet(6, vendor.body).length),
    ]);
    expect(one(twice).userIds).toEqual([]);
  });
});

describe('keys', () => {
  const signature = forgeSignature(vendor, DATA);
  const keyRevocation = (by: ForgedKey): Buffer =>
    packet(2, forgeSignature(by, [hashed(vendor)], { type: 0x20, hashed: statement(vendor, FLAGS.both, T0 + 5) }));
  const revokedForm = (by: ForgedKey): Buffer => {
    const head = packet(PACKET.key, vendor.body);
    return Buffer.concat([head, keyRevocation(by), certificate(vendor, 'Vendor').subarray(head.length)]);
  };

  test('a bare key without a statement of its own does not count', () => {
    expect(verdict(signature, one(packet(PACKET.key, vendor.body)))).toMatchObject({ verdict: 'no-key', right: true });
  });

  test('a revocation holds, one by another key does not', () => {
    expect(verdict(signature, one(revokedForm(vendor))).verdict).toBe('revoked');
    expect(verdict(signature, one(revokedForm(attacker))).verdict).toBe('good');
  });

  test('a revocation known from one source is not undone by another', () => {
    const keys = mergeKeys([one(certificate(vendor, 'Vendor')), one(revokedForm(vendor))]);
    expect(keys).toHaveLength(1);
    expect(verdict(signature, ...keys).verdict).toBe('revoked');
  });

  test('a key for certifying alone does not sign packages', () => {
    const only = forgeSignature(vendor, overUser(vendor, 'Vendor'), {
      type: 0x13,
      hashed: statement(vendor, FLAGS.certify),
    });
    const key = one(Buffer.concat([packet(6, vendor.body), packet(13, Buffer.from('Vendor')), packet(2, only)]));
    expect(verdict(signature, key)).toMatchObject({
      verdict: 'no-key',
      reason: expect.stringContaining('not meant for signing'),
    });
  });

  test('an expiry moved to the unsigned part is not believed, nor a longer life there', () => {
    const short = forgeSignature(vendor, overUser(vendor, 'Vendor'), {
      type: 0x13,
      hashed: statement(vendor, FLAGS.both, T0, sub(SUB.keyExpires, 100)),
      unhashed: [sub(SUB.keyExpires, 1_000_000)],
    });
    expect(
      one(Buffer.concat([packet(6, vendor.body), packet(13, Buffer.from('Vendor')), packet(2, short)])).expires,
    ).toEqual(at(T0 + 100));
  });

  test('two keys that claim one key id: each signature is tried with both', () => {
    // Both certificates name the same issuer id, as two keys with colliding ids would.
    const anonymous = (key: ForgedKey): Buffer =>
      forgeSignature(key, DATA, { hashed: [sub(SUB.created, T0 + 1)], unhashed: [sub(SUB.issuer, keyid(key))] });
    const [first, second] = [one(certificate(vendor, 'Vendor')), one(certificate(attacker, 'Other'))];
    const colliding: PublicKey = {
      ...second,
      primary: { ...second.primary, packet: { ...second.primary.packet, keyid: first.keyid } },
    };
    expect(verdict(anonymous(vendor), colliding, first)).toMatchObject({ verdict: 'good', key: { owner: 'Vendor' } });
    expect(verdict(anonymous(vendor), first, colliding)).toMatchObject({ verdict: 'good', key: { owner: 'Vendor' } });
    expect(verdict(anonymous(vendor), colliding)).toMatchObject({ verdict: 'bad' });
  });

  test('a signature that names no key is tried with all', () => {
    const nameless = forgeSignature(vendor, DATA, { hashed: [sub(SUB.created, T0 + 1)] });
    const keys = [one(certificate(attacker, 'Other')), one(certificate(vendor, 'Vendor'))];
    expect(verdict(nameless, ...keys)).toMatchObject({ verdict: 'good', key: { owner: 'Vendor' } });
    expect(verdict(nameless, keys[0] as PublicKey).verdict).toBe('bad');
  });
});

// Our verdicts against gpg's, on keys and signatures made by gpg for the test.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  mergeKeys,
  type PublicKey,
  parseKeys,
  parseSignatures,
  verifySignature,
} from '../../src/formats/openpgp/index.ts';
import { Gpg } from '../support/gpg.ts';
import { needs } from '../support/programs.ts';

const DATA = Buffer.from('the header of a package');
const DAY = 86_400;
const T0 = Date.UTC(2025, 0, 1) / 1000;
const at = (seconds: number): Date => new Date(seconds * 1000);

function judge(signature: Buffer, data: Buffer, keys: PublicKey[], when = at(T0 + DAY)) {
  const [one, ...more] = parseSignatures(signature);
  if (!one || more.length > 0) throw new Error('one signature expected');
  return verifySignature(one, [data.subarray(0, 5), data.subarray(5)], keys, when);
}

needs('gpg')('gpg agrees', () => {
  let gpg: Gpg;
  beforeAll(() => {
    gpg = new Gpg();
    gpg.time = T0;
  });
  afterAll(() => gpg.close());

  const RIGHT = [
    ['rsa2048', 'SHA256', 'RSA'],
    ['rsa3072', 'SHA384', 'RSA'],
    ['rsa4096', 'SHA512', 'RSA'],
    ['rsa2048', 'SHA224', 'RSA'],
    ['dsa2048', 'SHA256', 'DSA'],
    ['dsa2048', 'SHA512', 'DSA'],
    ['ed25519', 'SHA256', 'EdDSA'],
    ['ed25519', 'SHA512', 'EdDSA'],
    ['nistp256', 'SHA256', 'ECDSA'],
    ['nistp384', 'SHA384', 'ECDSA'],
    ['nistp521', 'SHA512', 'ECDSA'],
  ] as const;
  test.each(RIGHT)('%s with %s', (algorithm, hash, name) => {
    const owner = `${algorithm} ${hash} <a@example.org>`;
    const fingerprint = gpg.key(owner, algorithm);
    const keys = parseKeys(gpg.export(fingerprint, algorithm !== 'ed25519'));
    expect(keys.map((key) => [key.fingerprint, key.owner, key.expires, key.revoked])).toEqual([
      [fingerprint, owner, null, null],
    ]);
    const signature = gpg.sign(fingerprint, DATA, '--digest-algo', hash);
    expect(parseSignatures(signature)).toMatchObject([
      {
        version: 4,
        type: 0,
        algorithm: name,
        hash,
        fingerprint,
        keyid: fingerprint.slice(-16),
        created: at(T0),
        expires: null,
      },
    ]);
    expect(gpg.verify(signature, DATA)).toContain('GOODSIG');
    expect(judge(signature, DATA, keys)).toMatchObject({
      verdict: 'good',
      right: true,
      madeBy: fingerprint,
      reason: null,
    });
    const other = Buffer.from('the header of another');
    expect(gpg.verify(signature, other)).toContain('BADSIG');
    expect(judge(signature, other, keys)).toMatchObject({ verdict: 'bad', right: false });
    expect(judge(signature, DATA, []).verdict).toBe('no-key');
  });

  test('SHA-1 and small keys are right but weak', () => {
    const big = gpg.key('big', 'rsa2048');
    const dsa = gpg.key('old dsa', 'dsa1024');
    const small = gpg.key('small', 'rsa1024');
    const weakly = ['--allow-weak-digest-algos', '--digest-algo'];
    const verdicts = [
      [big, gpg.sign(big, DATA, ...weakly, 'SHA1')],
      [dsa, gpg.sign(dsa, DATA, ...weakly, 'SHA1')],
      [dsa, gpg.sign(dsa, DATA, '--enable-dsa2', '--digest-algo', 'SHA256')],
      [small, gpg.sign(small, DATA, '--digest-algo', 'SHA256')],
    ].map(([key, signature]) => judge(signature as Buffer, DATA, parseKeys(gpg.export(key as string))));
    expect(verdicts.map(({ verdict, right }) => [verdict, right])).toEqual(Array(4).fill(['weak', true]));
    expect(judge(gpg.sign(big, DATA, ...weakly, 'SHA1'), Buffer.from('else'), parseKeys(gpg.export(big))).verdict).toBe(
      'bad',
    );
  });

  test('a signing subkey, and a subkey that is not for signing', () => {
    const primary = gpg.key('with subkey', 'rsa2048', 'cert');
    const subkey = gpg.subkey(primary, 'ed25519', 'sign');
    gpg.subkey(primary, 'rsa2048', 'encr');
    const [key] = parseKeys(gpg.export(primary));
    expect(key?.primary.unfit).toBe('it is not meant for signing');
    expect(key?.subkeys.map(({ unfit }) => unfit)).toEqual([null, 'it is not meant for signing']);
    const signature = gpg.sign(`${subkey}!`, DATA);
    expect(judge(signature, DATA, [key as PublicKey])).toMatchObject({ verdict: 'good', madeBy: subkey });
  });

  test('a key that expires: in time, too late, and extended', () => {
    const key = gpg.key('short', 'ed25519', 'sign', `seconds=${10 * DAY}`);
    const early = gpg.sign(key, DATA);
    const before = parseKeys(gpg.export(key));
    expect(before[0]?.expires).toEqual(at(T0 + 10 * DAY));
    expect(judge(early, DATA, before, at(T0 + 9 * DAY)).verdict).toBe('good');
    expect(judge(early, DATA, before, at(T0 + 10 * DAY))).toMatchObject({ verdict: 'good-expired-key', inTime: true });
    gpg.time = T0 + 5 * DAY;
    gpg.run(['--quick-set-expire', key, `seconds=${100 * DAY}`]);
    gpg.time = T0 + 20 * DAY;
    const late = gpg.sign(key, DATA);
    gpg.time = T0;
    expect(judge(late, DATA, before, at(T0 + 20 * DAY))).toMatchObject({ verdict: 'good-expired-key', inTime: false });
    const after = parseKeys(gpg.export(key));
    expect(after[0]?.expires).toEqual(at(T0 + 105 * DAY));
    expect(judge(late, DATA, after, at(T0 + 20 * DAY)).verdict).toBe('good');
    // The old and the new form together: the newest self-signature counts, in either order.
    for (const both of [
      [...before, ...after],
      [...after, ...before],
    ]) {
      expect(mergeKeys(both).map(({ expires }) => expires)).toEqual([at(T0 + 105 * DAY)]);
    }
  });

  test('a revoked key, subkey and user id', () => {
    const key = gpg.key('gone', 'ed25519');
    const signature = gpg.sign(key, DATA);
    const before = parseKeys(gpg.export(key));
    gpg.revoke(key);
    const after = parseKeys(gpg.export(key));
    expect(after[0]?.revoked).toMatch(/^revoked on 2025-01-01: /);
    expect(judge(signature, DATA, after)).toMatchObject({ verdict: 'revoked', right: true });
    expect(gpg.verify(signature, DATA)).toContain('REVKEYSIG');
    // A revocation known from any source holds.
    expect(judge(signature, DATA, mergeKeys([...after, ...before])).verdict).toBe('revoked');
    expect(judge(signature, DATA, mergeKeys([...before, ...after])).verdict).toBe('revoked');

    const two = gpg.key('first name', 'ed25519');
    gpg.run(['--quick-add-uid', two, 'second name']);
    gpg.time = T0 + DAY;
    gpg.run(['--quick-revoke-uid', two, 'first name']);
    const named = parseKeys(gpg.export(two));
    expect(named[0]?.userIds).toEqual(['second name']);
    expect(judge(gpg.sign(two, DATA), DATA, named).verdict).toBe('good');
    gpg.time = T0;
  });

  test('a signature that expires', () => {
    const key = gpg.key('brief', 'ed25519');
    const signature = gpg.sign(key, DATA, '--default-sig-expire', '3d');
    const keys = parseKeys(gpg.export(key));
    expect(parseSignatures(signature)[0]?.expires).toEqual(at(T0 + 3 * DAY));
    expect(judge(signature, DATA, keys, at(T0 + 2 * DAY)).verdict).toBe('good');
    expect(judge(signature, DATA, keys, at(T0 + 3 * DAY)).verdict).toBe('bad');
  });

  test('a text signature is none over a file', () => {
    const key = gpg.key('texts', 'ed25519');
    const signature = gpg.sign(key, DATA, '--textmode');
    expect(parseSignatures(signature)[0]?.type).toBe(1);
    expect(judge(signature, DATA, parseKeys(gpg.export(key))).verdict).toBe('unsupported');
  });

  test('several keys in one file, in one block and in several, without a final newline', () => {
    const one = gpg.key('one of several', 'ed25519');
    const two = gpg.key('two of several', 'nistp256');
    const together = gpg.run(['--armor', '--export', one, two]);
    const apart = Buffer.concat([gpg.export(one), Buffer.from('some words between\n'), gpg.export(two)]);
    const cut = apart.subarray(0, apart.length - 1);
    const binary = gpg.run(['--export', one, two]);
    for (const file of [together, apart, cut, binary, Buffer.from(apart.toString().replaceAll('\n', '\r\n'))]) {
      expect(parseKeys(file).map(({ fingerprint }) => fingerprint)).toEqual([one, two]);
    }
  });
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { verifyPackage, verifySigned } from '../../../src/apply/verify.ts';
import { mergeKeys, type PublicKey, parseKeys } from '../../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../../src/formats/rpm/package.ts';
import { SIGTAG, TAG } from '../../../src/formats/rpm/tags.ts';
import { codeOf } from '../../support/code-of.ts';
import { FIXTURES } from '../../support/fixtures.ts';
import {
  certificate,
  type ForgedKey,
  type ForgedSignature,
  forgeKey,
  forgeSignature,
  packet,
} from '../../support/forge-pgp.ts';
import { assembleRpm, forgeRpm, sha256, type Tag } from '../../support/forge-rpm.ts';
import { top } from '../../support/top.ts';

const T0 = 1_700_000_000;
const NOW = new Date((T0 + 1000) * 1000);

interface Row {
  readonly file: string;
  readonly key: string | null;
  readonly expected: string;
}
const matrix = JSON.parse(readFileSync(path.join(FIXTURES, 'matrix/index.json'), 'utf8')) as Row[];
const keyFile = (name: string): PublicKey[] =>
  parseKeys(readFileSync(path.join(top, `repo-fixtures/keys/${name}.pub.asc`)));

describe('packages of the fixtures', () => {
  // Every test key but the other vendor's is trusted.
  const keys = mergeKeys(['release', 'ed25519', 'expired', 'revoked', 'weak-dsa'].flatMap(keyFile));
  const trust = { keys, allowUnsigned: false, now: new Date('2026-01-01T00:00:00Z') };

  test('there are some', () => expect(matrix.length).toBeGreaterThan(30));

  test.each(matrix.map((row) => [row.file, row] as const))('%s', (file, { key, expected }) => {
    const pkg = parseRpm(readFileSync(path.join(FIXTURES, 'matrix', file)));
    expect(codeOf(() => verifyPackage(pkg, trust))).toBe(expected === 'ok' ? 'accepted' : expected);
    if (expected !== 'ok' || key === null) return;
    const verified = verifyPackage(pkg, trust);
    expect(verified.signer?.fingerprint).toBe(keyFile(key)[0]?.fingerprint);
    expect(verified.sha256).toBe(sha256(pkg.bytes));
    expect(verified.pkg).toBe(pkg);
  });
});

describe('several signatures on one package', () => {
  const trusted = forgeKey('eddsa', T0);
  const stranger = forgeKey('eddsa', T0);
  const keys = parseKeys(certificate(trusted, 'Vendor'));
  const plain = parseRpm(forgeRpm());

  type Kind = readonly [key: ForgedKey, options?: ForgedSignature, over?: Buffer];
  /** The package with these signatures of its header in the OPENPGP tag, and more tags in the signature header. */
  function signed(kinds: readonly Kind[], more: readonly Tag[] = [], header = plain.headerBytes): Buffer {
    const blobs = kinds.map(([key, options, over]) =>
      packet(2, forgeSignature(key, [over ?? header], options)).toString('base64'),
    );
    const tags: Tag[] = [{ tag: SIGTAG.sha256Header, value: sha256(header) }, ...more];
    if (blobs.length > 0) tags.push({ tag: SIGTAG.openpgp, value: blobs });
    return assembleRpm(header, plain.payload, tags);
  }
  const outcome = (bytes: Buffer, allowUnsigned = false): string =>
    codeOf(() => verifyPackage(parseRpm(bytes), { keys, allowUnsigned, now: NOW }));

  const good: Kind = [trusted];
  const bad: Kind = [trusted, {}, Buffer.from('other bytes')];
  const unknown: Kind = [stranger];
  const postQuantum: Kind = [trusted, { claims: 31 }];

  test.each<[string, readonly Kind[], string]>([
    ['none', [], 'package-unsigned'],
    ['good', [good], 'accepted'],
    ['good and good', [good, good], 'accepted'],
    ['a stranger', [unknown], 'key-untrusted'],
    ['a stranger and good', [unknown, good], 'accepted'],
    ['unsupported', [postQuantum], 'signature-unsupported'],
    ['unsupported and good', [postQuantum, good], 'accepted'],
    ['good and unsupported', [good, postQuantum], 'accepted'],
    ['bad', [bad], 'signature-bad'],
    ['good and bad', [good, bad], 'signature-bad'],
    ['bad and good', [bad, good], 'signature-bad'],
  ])('%s', (_, kinds, wanted) => expect(outcome(signed(kinds))).toBe(wanted));

  test.each<[string, readonly Kind[], string]>([
    ['none', [], 'accepted'],
    ['a stranger', [unknown], 'accepted'],
    ['unsupported', [postQuantum], 'accepted'],
    ['bad', [bad], 'signature-bad'],
  ])('with unsigned ones allowed: %s', (_, kinds, wanted) => expect(outcome(signed(kinds), true)).toBe(wanted));

  test.each<[string, readonly Kind[], readonly string[] | null, string]>([
    ['no pin', [good], null, 'accepted'],
    ['its key pinned', [good], ['own'], 'accepted'],
    ['another key pinned', [good], ['other'], 'key-not-pinned'],
    ['its key pinned among others', [good], ['other', 'own'], 'accepted'],
    ['an empty pin', [good], [], 'key-not-pinned'],
    ['another key pinned, by a stranger', [unknown], ['other'], 'key-untrusted'],
  ])('with a pin: %s', (_, kinds, names, wanted) => {
    const pinned = names?.map((name) => (name === 'own' ? (keys[0] as PublicKey).fingerprint : 'F'.repeat(40))) ?? null;
    const act = () => verifyPackage(parseRpm(signed(kinds)), { keys, allowUnsigned: false, now: NOW, pinned });
    expect(codeOf(act)).toBe(wanted);
  });

  test('with unsigned ones allowed, a key that is not pinned passes like no key, and is not named as signer', () => {
    const trust = { keys, allowUnsigned: true, now: NOW, pinned: ['F'.repeat(40)] };
    expect(verifyPackage(parseRpm(signed([good])), trust).signer).toBeNull();
  });

  test('a signature tag without a signature in it is no unsigned package', () => {
    const empty = assembleRpm(plain.headerBytes, plain.payload, [
      { tag: SIGTAG.sha256Header, value: sha256(plain.headerBytes) },
      { tag: SIGTAG.dsaHeader, value: packet(10, Buffer.from('PGP')) },
    ]);
    expect(outcome(empty)).toBe('signature-bad');
    expect(outcome(empty, true)).toBe('signature-bad');
  });

  test('a header without a digest of the payload: only a signature over both will do', () => {
    const { headerBytes, payload } = parseRpm(
      forgeRpm({
        tags: [
          { tag: TAG.payloadDigest, value: 'x' },
          { tag: TAG.payloadDigestAlgo, value: [8] },
        ],
      }),
    );
    // The same header with the digest tag renamed to one that means nothing.
    const bare = Buffer.from(headerBytes);
    for (let at = 16; at < 16 + bare.readUInt32BE(8) * 16; at += 16) {
      if (bare.readUInt32BE(at) === TAG.payloadDigest) bare.writeUInt32BE(TAG.payloadDigest - 1, at);
    }
    const tags = [{ tag: SIGTAG.sha256Header, value: sha256(bare) }];
    const headerOnly = { tag: SIGTAG.dsaHeader, value: packet(2, forgeSignature(trusted, [bare])) };
    const whole = { tag: SIGTAG.gpg, value: packet(2, forgeSignature(trusted, [bare, payload])) };
    expect(outcome(assembleRpm(bare, payload, [...tags, headerOnly]))).toBe('payload-unsigned');
    expect(outcome(assembleRpm(bare, payload, [...tags, headerOnly, whole]))).toBe('accepted');
    const other = Buffer.concat([payload, Buffer.of(0)]);
    expect(outcome(assembleRpm(bare, other, [...tags, headerOnly]))).toBe('payload-unsigned');
    expect(outcome(assembleRpm(bare, other, [...tags, headerOnly, whole]))).toBe('signature-bad');
    // The MD5 is then the only digest of the payload: it tells damage from forgery, and waits for nothing.
    const md5 = { tag: SIGTAG.md5, value: createHash('md5').update(bare).update(payload).digest() };
    expect(outcome(assembleRpm(bare, other, [...tags, headerOnly, whole, md5]))).toBe('digest-bad');
    const trust = { keys, allowUnsigned: false, now: NOW };
    const spoilt = assembleRpm(bare, payload, [...tags, whole, { ...md5, value: Buffer.alloc(16) }]);
    expect(codeOf(() => verifySigned(parseRpm(spoilt), trust))).toBe('digest-bad');
  });

  test('a digest of the payload that anybody can collide does not stand for it', () => {
    const bytes = forgeRpm({
      tags: [
        { tag: TAG.payloadDigest, value: [createHash('md5').update(plain.payload).digest('hex')] },
        { tag: TAG.payloadDigestAlgo, value: [1] },
      ],
    });
    const { headerBytes, payload } = parseRpm(bytes);
    const tags = [
      { tag: SIGTAG.sha256Header, value: sha256(headerBytes) },
      { tag: SIGTAG.dsaHeader, value: packet(2, forgeSignature(trusted, [headerBytes])) },
    ];
    expect(outcome(assembleRpm(headerBytes, payload, tags))).toBe('payload-unsigned');
  });

  test('the sentence names the package, the reason and the signature', () => {
    try {
      verifyPackage(parseRpm(signed([unknown])), { keys, allowUnsigned: false, now: NOW });
      throw new Error('accepted');
    } catch (error) {
      expect((error as Error).message).toMatch(
        /^forged-1-1\.x86_64 is refused: the key [0-9A-F]{40} is not at hand \(OPENPGP: EdDSA SHA256\)\.$/,
      );
      expect(error).toMatchObject({ code: 'key-untrusted', subject: 'forged-1-1.x86_64' });
    }
  });
});

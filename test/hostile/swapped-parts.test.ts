// Signatures over something else than the bytes that are used: parts of packages that one trusted key signed, put together anew.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { verifyPackage } from '../../src/apply/verify.ts';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import { parseRpm, type RpmPackage } from '../../src/formats/rpm/package.ts';
import { codeOf } from '../support/code-of.ts';
import { FIXTURES } from '../support/fixtures.ts';

const keys = parseKeys(readFileSync(path.join(FIXTURES, 'keys', 'RPM-GPG-KEY-fixtures')));
const level = (release: string): RpmPackage =>
  parseRpm(
    readFileSync(path.join(FIXTURES, `el9/Packages/kpatch-patch-5_14_0-427_13_1-1-${release}.el9_4.x86_64.rpm`)),
  );
const [older, newer] = [level('1'), level('2')];

/** Everything before the main header: lead, signature header, padding. */
const head = ({ bytes, headerBytes, payload }: RpmPackage): Buffer =>
  bytes.subarray(0, bytes.length - payload.length - headerBytes.length);
const verdict = (bytes: Buffer): string =>
  codeOf(() => verifyPackage(parseRpm(bytes), { keys, allowUnsigned: false, now: new Date('2026-01-01') }));
const hex = (algorithm: string, bytes: Buffer): string => createHash(algorithm).update(bytes).digest('hex');

/** The signature header of one package with the digests of another: what no signature covers is made to fit. */
function withDigestsOf(from: RpmPackage, to: RpmPackage): Buffer {
  let text = head(from).toString('latin1');
  for (const algorithm of ['sha1', 'sha256']) {
    text = text.replaceAll(hex(algorithm, from.headerBytes), hex(algorithm, to.headerBytes));
  }
  const whole = ({ headerBytes, payload }: RpmPackage): Buffer => Buffer.concat([headerBytes, payload]);
  const md5 = (pkg: RpmPackage): string => createHash('md5').update(whole(pkg)).digest().toString('latin1');
  const size = (pkg: RpmPackage): string => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(whole(pkg).length);
    return number.toString('latin1');
  };
  text = text.replaceAll(md5(from), md5(to)).replaceAll(size(from), size(to));
  return Buffer.from(text, 'latin1');
}

test('the parts as they belong together are taken', () => {
  expect(verdict(Buffer.concat([head(older), older.headerBytes, older.payload]))).toBe('accepted');
  expect(verdict(withDigestsOf(older, older).length === head(older).length ? older.bytes : Buffer.alloc(0))).toBe(
    'accepted',
  );
});
test('the signature of another package of the same key', () => {
  expect(verdict(Buffer.concat([head(older), newer.headerBytes, newer.payload]))).toMatch(
    /^(?:digest-bad|signature-bad)$/,
  );
});
test('the signature of another package, with digests that were made to fit', () => {
  const crafted = Buffer.concat([withDigestsOf(older, newer), newer.headerBytes, newer.payload]);
  expect(checkDigests(parseRpm(crafted)).map((one) => one.verdict)).not.toContain('bad');
  // It is the signature alone that tells.
  expect(verdict(crafted)).toBe('signature-bad');
});
test('the payload of another package behind a signed header', () => {
  expect(verdict(Buffer.concat([head(newer), newer.headerBytes, older.payload]))).toBe('digest-bad');
});
test('the header of another package before a payload', () => {
  expect(verdict(Buffer.concat([head(older), older.headerBytes, newer.payload]))).toBe('digest-bad');
});

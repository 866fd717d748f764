import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sha256OfText } from '../../../src/formats/sha256.ts';

const real = (text: string): string => createHash('sha256').update(text).digest('hex');

// FIPS 180-4's own examples are 'abc' and the text of 56 bytes.
test.each(['', 'abc', 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '\u00e9\u{1f427}\0'])(
  '%p',
  (text) => {
    expect(sha256OfText(text)).toBe(real(text));
  },
);

test('every length around the ends of blocks', () => {
  for (let length = 0; length < 200; length++) {
    const text = 'x'.repeat(length);
    expect([length, sha256OfText(text)]).toEqual([length, real(text)]);
  }
});

test('any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => sha256OfText(text) === real(text)),
    { numRuns: 500 },
  );
});

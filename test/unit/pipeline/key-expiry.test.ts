// When to warn that the last key for live patches ends.
import { expect, test } from '@jest/globals';
import type { PublicKey, VerifyingKey } from '../../../src/formats/openpgp/index.ts';
import { caution, endOf, type Signs } from '../../../src/pipeline/key-ends.ts';
import { expiryNotice } from '../../../src/pipeline/key-expiry.ts';

const DAY = 86_400;
const NOW = new Date('2026-01-01T00:00:00Z');
const inDays = (days: number): Date => new Date(NOW.getTime() + days * DAY * 1000);

const part = (expires: Date | null, more: Partial<VerifyingKey> = {}): VerifyingKey =>
  ({ expires, revoked: null, unfit: null, ...more }) as VerifyingKey;
const key = (primary: VerifyingKey, ...subkeys: VerifyingKey[]): PublicKey =>
  ({
    fingerprint: 'F'.repeat(40),
    owner: 'Vendor',
    revoked: primary.revoked,
    primary,
    subkeys,
  }) as unknown as PublicKey;
const till = (days: number | null): PublicKey => key(part(days === null ? null : inDays(days)));

test.each([
  ['never', key(part(null)), null],
  ['its own end', key(part(inDays(5))), inDays(5)],
  ['the later of primary key and subkey', key(part(inDays(5)), part(inDays(9))), inDays(9)],
  ['a primary key that only certifies does not count', key(part(null, { unfit: 'no' }), part(inDays(9))), inDays(9)],
  ['a revoked subkey does not count', key(part(inDays(5)), part(null, { revoked: 'yes' })), inDays(5)],
  ['none that may sign: ended always', key(part(null, { unfit: 'no' })), new Date(0)],
])('the end of a key: %s', (_, one, end) => {
  expect(endOf(one)).toEqual(end);
});

test.each([
  ['no key at all: another matter', [], null],
  ['one without end', [till(1), till(null)], null],
  ['far away', [till(31)], null],
  ['the last one counts', [till(2), till(31)], null],
  ['just within', [till(30)], /^The key that may .* expires on 2026-01-31, in 30 days:/],
  ['tomorrow', [till(1)], /in one day:/],
  ['of several', [till(2), till(3)], /^The last of 2 keys .* expires on 2026-01-04, in 3 days:/],
  ['over', [till(-1), till(-2)], /expired on 2025-12-31; new patches are refused/],
  ['revoked', [key(part(null, { revoked: 'gone' }))], /was revoked/],
  ['not for signing', [key(part(null, { unfit: 'no' }))], /is not fit to sign packages/],
])('%s', (_, keys, text) => {
  const notice = expiryNotice(keys, NOW, 30 * DAY);
  if (text === null) expect(notice).toBeNull();
  else expect(notice).toEqual({ code: 'key-expiring', text: expect.stringMatching(text) });
});

test.each([
  ['a good key', till(1), null],
  ['one without an end', till(null), null],
  ['an expired one', till(-1), /expired on 2025-12-31\. Only what it signed before/],
  [
    'an expired one for metadata',
    till(-1),
    /expired on 2025-12-31\. Nothing that it signed is/,
    { metadataOf: 'base' },
  ],
  ['an expired one for bundles', till(-1), /expired on 2025-12-31\. Nothing that it signed is/, 'bundles'],
  [
    'a revoked one',
    key(part(null, { revoked: 'revoked on 2025-01-01: lost' })),
    /was revoked on 2025-01-01: lost\. Nothing/,
  ],
  ['one whose user ids are', key(part(null, { revoked: 'all are' })), /counts as revoked: all are\. Nothing/],
  ['an unfit one', key(part(null, { unfit: 'too short' })), /cannot sign: too short\. Nothing/],
] as readonly [string, PublicKey, RegExp | null, Signs?][])(
  'what is said of a key before it is trusted: %s',
  (_, one, told, signs = 'packages') => {
    if (told === null) expect(caution(one, NOW, signs)).toBeNull();
    else expect(caution(one, NOW, signs)).toMatch(told);
  },
);

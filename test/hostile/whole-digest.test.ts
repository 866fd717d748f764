// The MD5 over header and payload proves nothing beside what is signed, and is made while the package is unpacked. Still: a
// package of which it does not hold is not what its vendor shipped, and nothing of it is used.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { extractModules } from '../../src/apply/extract.ts';
import { type Trust, verifyPackage, verifySigned } from '../../src/apply/verify.ts';
import type { KernelRelease } from '../../src/domain/kernel.ts';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { realRun } from '../../src/host/run.ts';
import { codeOf } from '../support/code-of.ts';
import { FIXTURES, KERNELS } from '../support/fixtures.ts';

const K1 = KERNELS.K1 as KernelRelease;
const trust: Trust = {
  keys: parseKeys(readFileSync(path.join(FIXTURES, 'keys/RPM-GPG-KEY-fixtures'))),
  allowUnsigned: false,
  now: new Date('2026-01-01'),
};

/** A package of the fixtures' matrix with one bit of its MD5 changed. */
function spoilt(name: string): Buffer {
  const bytes = readFileSync(path.join(FIXTURES, 'matrix', `${name}.rpm`));
  const { headerBytes, payload } = parseRpm(bytes);
  const at = bytes.indexOf(createHash('md5').update(headerBytes).update(payload).digest());
  if (at < 0) throw new Error(`${name} has no MD5`);
  bytes.writeUInt8(bytes.readUInt8(at + 7) ^ 4, at + 7);
  return bytes;
}

describe.each(['gzip-rsa', 'xz-rsa', 'zstd-rsa', 'bzip2-rsa', 'none-rsa'])('%s', (name) => {
  test('its other digests hold', () => {
    const bad = checkDigests(parseRpm(spoilt(name))).filter(({ verdict }) => verdict === 'bad');
    expect(bad).toEqual([{ name: 'header+payload', algorithm: 'md5', verdict: 'bad' }]);
  });

  test('verified alone', () => {
    expect(codeOf(() => verifyPackage(parseRpm(spoilt(name)), trust))).toBe('digest-bad');
  });

  test('verified while it is unpacked', async () => {
    const signed = verifySigned(parseRpm(spoilt(name)), trust);
    await expect(extractModules(signed, K1, realRun.filter)).rejects.toMatchObject({
      code: 'digest-bad',
      message: expect.stringContaining('its digest of the header+payload (md5) does not fit its bytes'),
    });
  });
});

test('an unsigned package that was let through is not even unpacked', () => {
  const unsigned = parseRpm(spoilt('gzip-unsigned'));
  expect(codeOf(() => verifySigned(unsigned, { ...trust, allowUnsigned: true }))).toBe('digest-bad');
});

// The MD5 over header and payload proves nothing beside what is signed, and is made while the package is unpacked. Still: a
// package of which it does not hold is not what its vendor shipped, and nothing of it is used.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { extractModules } from '../../src/apply/extract.ts';
import { type Trust, verifyPackage, verifySigned } from '../../src/apply/verify.ts';
import type { KernelRelease } from '../../src/domain/kernel.ts';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { realRun } from '../../src/host/run.ts';
import { KEY_STORE } from '../../src/state/directory.ts';
import { codeOf } from '../support/code-of.ts';
import { FIXTURES, KERNELS, scratchRoot } from '../support/fixtures.ts';
import { directoryForAll } from '../support/hooks.ts';
import { listener, machineOver } from '../support/machine.ts';
import { livePatch, makeRepo } from '../support/repodata.ts';
import { verb } from '../support/verb-runs.ts';

const K1 = KERNELS.K1 as KernelRelease;
const trust: Trust = {
  keys: parseKeys(readFileSync(path.join(FIXTURES, 'keys/RPM-GPG-KEY-fixtures'))),
  allowUnsigned: false,
  now: new Date('2026-01-01'),
};

/** A package of the fixtures with one bit of its MD5 changed. */
function spoiltFile(file: string): Buffer {
  const bytes = readFileSync(path.join(FIXTURES, file));
  const { headerBytes, payload } = parseRpm(bytes);
  const at = bytes.indexOf(createHash('md5').update(headerBytes).update(payload).digest());
  if (at < 0) throw new Error(`${file} has no MD5`);
  bytes.writeUInt8(bytes.readUInt8(at + 7) ^ 4, at + 7);
  return bytes;
}

const spoilt = (name: string): Buffer => spoiltFile(`matrix/${name}.rpm`);

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

describe('in a repository whose key is not trusted yet', () => {
  const directory = directoryForAll();
  test('no key is asked about for it', async () => {
    const bytes = spoiltFile('el9/Packages/kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64.rpm');
    const { files } = makeRepo([livePatch(K1, '1-2', { release: '2.el9_4', bytes })]);
    for (const [name, content] of files) {
      mkdirSync(path.dirname(path.join(directory.path, name)), { recursive: true });
      writeFileSync(path.join(directory.path, name), content);
    }
    const keyFile = path.join(FIXTURES, 'keys/RPM-GPG-KEY-fixtures');
    const repos = `[r]\nname=r\nbaseurl=file://${directory.path}\ngpgkey=file://${keyFile}\n`;
    const root = scratchRoot({ kernels: [K1], rpmdb: false, repos });
    const ui = listener();
    try {
      await verb('install')(machineOver(root.path), ui);
      expect(ui.warnings.join('\n')).toContain('its digest of the header+payload (md5) does not fit its bytes');
      expect(ui.warnings.join('\n')).not.toContain('Importing key');
      expect(existsSync(root.at(KEY_STORE))).toBe(false);
    } finally {
      root.remove();
    }
  });
});

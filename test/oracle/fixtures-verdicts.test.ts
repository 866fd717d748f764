// Our own verdict on every cell of the matrix and every hostile package, against what the fixtures were built to be.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { extractModules } from '../../src/apply/extract.ts';
import { verifySigned } from '../../src/apply/verify.ts';
import { REASON_CODES } from '../../src/domain/because.ts';
import type { KernelRelease } from '../../src/domain/kernel.ts';
import { ERROR_CODES, KpmError } from '../../src/errors.ts';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { realRun } from '../../src/host/run.ts';
import { FIXTURES, hostileCases, KERNELS, matrixCells } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';

const NOW = new Date('2024-06-10T00:00:00Z');
const TRUSTED = ['RPM-GPG-KEY-fixtures', 'RPM-GPG-KEY-fixtures-ed25519'];
/** A case about a key's state needs that key in the ring. */
const OWN_KEY: Readonly<Record<string, string>> = {
  expired: 'RPM-GPG-KEY-expired',
  revoked: 'RPM-GPG-KEY-revoked',
  'weak-dsa': 'RPM-GPG-KEY-weak-dsa',
};

/** `ok`, or the code with which a package file is refused between its first byte and its modules. */
async function verdict(file: string, ...keyFiles: string[]): Promise<{ code: string; modules: string[] }> {
  const read = keyFiles.map((name) => parseKeys(readFileSync(path.join(FIXTURES, 'keys', name))));
  const trust = { keys: (await Promise.all(read)).flat(), allowUnsigned: false, now: NOW };
  try {
    const signed = verifySigned(parseRpm(readFileSync(file)), trust);
    const { modules } = await extractModules(signed, KERNELS.K1 as KernelRelease, realRun.filter);
    return { code: 'ok', modules: modules.map((module) => module.file) };
  } catch (error) {
    if (error instanceof KpmError) return { code: error.code, modules: [] };
    throw error;
  }
}

function matrix(payloads: (payload: string) => boolean): void {
  test.each(matrixCells().filter(({ payload }) => payloads(payload)))(
    'matrix/$file: $expected',
    async ({ file, key, expected }) => {
      const own = key === null ? undefined : OWN_KEY[key];
      const found = await verdict(path.join(FIXTURES, 'matrix', file), ...TRUSTED, ...(own ? [own] : []));
      expect(found).toEqual({ code: expected, modules: expected === 'ok' ? ['kpatch-5_14_0-427_13_1-1-1.ko'] : [] });
    },
  );
}
const byXz = (payload: string) => payload === 'xz' || payload === 'lzma';
describe('payloads read by Node alone', () => matrix((payload) => !byXz(payload)));
needs('xz')('payloads read through xz', () => matrix(byXz));

// What is noticed earlier, or later, than between the file and its modules is tested where it is noticed.
const HERE = hostileCases().filter(({ id, stage }) => ['verify', 'extract'].includes(stage) || id === 'scriptlets');
test.each(HERE)('hostile/$id', async ({ id, expected }) => {
  const directory = path.join(FIXTURES, 'hostile', id, 'Packages');
  const [name = '', ...more] = readdirSync(directory);
  expect(more).toEqual([]);
  const { code } = await verdict(path.join(directory, name), 'RPM-GPG-KEY-fixtures');
  expect(expected).toContain(code);
});

test('every code the fixtures expect is one the program has', () => {
  const known = new Set(['ok', ...Object.keys(ERROR_CODES), ...Object.keys(REASON_CODES)]);
  const cases = [
    ...hostileCases().flatMap(({ expected }) => expected),
    ...matrixCells().map(({ expected }) => expected),
  ];
  expect(cases.filter((code) => !known.has(code))).toEqual([]);
});

// Inputs that made a reader look back over what it had read, again and again: found by fuzzing and by reading the code.
// Each is as large as the program takes; what needed minutes or hours then must simply end now, within a test's time.
import { describe, expect, test } from '@jest/globals';
import { glob } from '../../src/domain/pattern.ts';
import { parseIni } from '../../src/formats/ini/document.ts';
import { editKpatchConf, readKpatchValues } from '../../src/formats/ini/kpatchconf.ts';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { parseTomlLocks } from '../../src/observe/config/toml.ts';
import { kernelHead } from '../../src/observe/repo/package.ts';
import { codeOf } from '../support/code-of.ts';

const MB = 1024 * 1024;
const many = (unit: string, bytes: number): string => unit.repeat(Math.floor(bytes / unit.length));

describe('key files of 4 MB', () => {
  test.each([
    '-----BEGIN PGP PUBLIC KEY BLOCK-----\n',
    '-----BEGIN PGP MESSAGE-----\n',
    '-----BEGIN PGP MESSAGE-----\n-----END PGP SIGNATURE-----\n',
    '-----END PGP PUBLIC KEY BLOCK-----\n',
  ])('%j over and over', (unit) => {
    expect(codeOf(() => parseKeys(Buffer.from(many(unit, 4 * MB))))).toBe('openpgp-malformed');
  });

  test('blocks of another kind, even unfinished ones, do not hide a key', () => {
    const other = '-----BEGIN PGP MESSAGE-----\nno end\n';
    const key = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n';
    // It is reached, and found to be none.
    expect(() => parseKeys(Buffer.from(other + key))).toThrow(/packet|byte/);
  });
});

describe('kernel entries of 8 MB', () => {
  const entry = (inside: string): string =>
    `<package type="rpm"><name>kernel-core</name><format>${inside}</format></package>`;
  test.each([
    '<rpm:provides>',
    '<rpm:entry name="kernel-uname-r"',
    '<entry ',
    'name="kernel-uname-r" ',
    '<rpm:entry name="kernel-uname-r" ver="" />',
  ])('%j over and over', (unit) => {
    for (const text of [entry(many(unit, 8 * MB)), entry(`<rpm:provides>${many(unit, 8 * MB)}</rpm:provides>`)]) {
      expect(kernelHead(Buffer.from(text))).toBeNull();
    }
  });
});

test('a glob with many stars on a long name', () => {
  const fits = glob('*a*a*a*a*a*a*a*b');
  expect(fits('a'.repeat(MB))).toBe(false);
  expect(fits(`${'a'.repeat(MB)}b`)).toBe(true);
});

test('an array that never closes in versionlock.toml', () => {
  const text = `[[packages]]\nname = "a"\n${many('conditions = [\n', MB)}`;
  expect(parseTomlLocks(text, 'versionlock.toml').locks).toEqual([]);
});

test('a section of 4 MB of brackets', () => {
  expect(parseIni(`${many('[', 4 * MB)}]`).sections).toHaveLength(1);
  expect(parseIni(many('[', 4 * MB)).faults).toHaveLength(1);
});

test('a setting given thirty thousand times in kpatch.conf', () => {
  const edited = editKpatchConf(`[main]\n${many('autoupdate=1 ;x\n', MB / 2)}`, { autoupdate: false });
  expect(readKpatchValues(edited).autoupdate).toBe(false);
});

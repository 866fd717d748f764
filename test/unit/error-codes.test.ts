// Every error code is asserted somewhere by its name: in a test, in a case (as JSON, or with -v), or as the verdict of a hostile
// fixture. A code that nobody asserts may change its meaning, or never be raised at all.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, KpmError } from '../../src/errors.ts';
import { top } from '../support/top.ts';

/** Codes without such a test, and why. A code that gets one must leave this list. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'probe-conflict':
    'a running kernel with probes: the probes are read in test/unit/formats/probes.test.ts, refused in no test',
  'program-stuck': 'a program that hangs in the kernel (state D) cannot be had here',
  'bundle-unsigned': 'test/oracle/bundle.test.ts asserts its sentence',
  'bundle-signature-bad': 'test/oracle/bundle.test.ts asserts its sentence',
  'bundle-key-untrusted': 'test/oracle/bundle.test.ts asserts its sentence',
  'file-exists': 'test/oracle/bundle.test.ts asserts its sentence',
  'signing-failed': 'gpg refuses: test/oracle/publish.test.ts asserts its sentence',
  'publish-refused': 'test/oracle/publish.test.ts asserts its sentence',
};

function texts(): string {
  const tests = path.join(top, 'test');
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(test\.ts|case)$/.test(name) || name.startsWith('vm/cases/') || name.startsWith('support/'))
    .filter((name) => name.includes('.') && !name.endsWith('error-codes.test.ts'));
  const fixtures = path.join(top, 'repo-fixtures', 'built', 'hostile', 'index.json');
  return [...files.map((name) => path.join(tests, name)), fixtures]
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

describe('error codes', () => {
  const all = texts();
  const asserted = (code: string): boolean => new RegExp(`(?<![a-z0-9-])${code}(?![a-z0-9-])`).test(all);
  const codes = Object.keys(ERROR_CODES);

  test('each is asserted by its name, but for the exceptions', () => {
    expect(codes.filter((code) => !asserted(code) && !(code in EXCEPTIONS))).toEqual([]);
  });

  test('no exception is needless', () => {
    expect(Object.keys(EXCEPTIONS).filter((code) => !codes.includes(code) || asserted(code))).toEqual([]);
  });
});

test('a sentence goes on behind a colon, unless it begins with a name', () => {
  const reason = (text: string): string => new KpmError('internal', { text }).reason;
  expect(reason('The file is gone.')).toBe('the file is gone.');
  expect(reason('A line has no "=".')).toBe('a line has no "=".');
  expect(reason('Thelma is a name.')).toBe('Thelma is a name.');
  expect(reason('/etc/x could not be read: no.')).toBe('/etc/x could not be read: no.');
});

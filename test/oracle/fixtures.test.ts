// What the distribution's own tools say about the fixtures: they are what they claim to be.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { isTestKey, TEST_KEY_FINGERPRINTS } from '../../src/domain/testkeys.ts';
import { FIXTURES } from '../support/fixtures.ts';

test('the list of refused test keys is the list of keys whose secret halves are checked in', () => {
  const keys = path.join(path.dirname(FIXTURES), 'keys');
  const recorded = JSON.parse(readFileSync(path.join(keys, 'fingerprints.json'), 'utf8')) as Record<string, string>;
  expect([...TEST_KEY_FINGERPRINTS].sort()).toEqual(Object.values(recorded).sort());
  const secrets = readdirSync(keys).filter((name) => name.endsWith('.secret.asc'));
  expect(secrets.map((name) => name.replace('.secret.asc', '')).sort()).toEqual(Object.keys(recorded).sort());
  for (const name of secrets) expect(readFileSync(path.join(keys, name), 'utf8')).toContain('TEST KEY - never trust');
  expect(isTestKey('67c180cd3e68af9aa4b7dc2c0f6ab0c2b5d41d1b')).toBe(true);
  expect(isTestKey('0'.repeat(40))).toBe(false);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { forbidden } from '../../../src/formats/openpgp/host-policy.ts';
import { readCryptoPolicy } from '../../../src/host/crypto-policy.ts';
import { Root } from '../../../src/host/root.ts';

const NOW = new Date('2026-11-21T00:00:00Z');
const PLACE = 'etc/crypto-policies/back-ends';
let dir: string;
let root: Root;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kpm-policy-'));
  root = new Root(dir);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a host without a policy forbids nothing', () => expect(readCryptoPolicy(root, NOW)).toBeNull());

test("rpm's own file counts before the general one, and alone", () => {
  root.mkdirs(PLACE);
  root.write(`${PLACE}/sequoia.config`, '[hash_algorithms]\nsha256 = "never"\n');
  const general = readCryptoPolicy(root, NOW);
  expect(general?.source).toBe(path.join(dir, PLACE, 'sequoia.config'));
  expect(general && forbidden(general, 'SHA256', 'Ed25519')).toBe('SHA256');
  root.write(`${PLACE}/rpm-sequoia.config`, '[hash_algorithms]\nsha512 = "never"\n');
  const own = readCryptoPolicy(root, NOW);
  expect(own && [forbidden(own, 'SHA256', 'Ed25519'), forbidden(own, 'SHA512', 'Ed25519')]).toEqual([null, 'SHA512']);
});

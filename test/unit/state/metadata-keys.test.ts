import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type PublicKey, parseKeys } from '../../../src/formats/openpgp/index.ts';
import { Root } from '../../../src/host/root.ts';
import {
  allMetadataKeys,
  importMetadataKey,
  METADATA_KEYS,
  metadataKeys,
  removeMetadataKey,
} from '../../../src/state/metadata-keys.ts';
import { removedKeys } from '../../../src/state/removed-keys.ts';
import { needsThat } from '../../support/programs.ts';
import { top } from '../../support/top.ts';

let dir: string;
let root: Root;
const uid = process.getuid?.() ?? 0;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kpm-metadata-'));
  root = new Root(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

function key(name: string): PublicKey {
  const [one] = parseKeys(readFileSync(path.join(top, 'repo-fixtures/keys', `${name}.pub.asc`)));
  if (!one) throw new Error(name);
  return one;
}
const fingerprints = (repo: string) => metadataKeys(root, uid, repo).keys?.map(({ fingerprint }) => fingerprint);

test('nothing there: no key, and nothing is created', () => {
  expect(metadataKeys(root, uid, 'base')).toEqual({ keys: [], removed: [], notices: [] });
  expect(allMetadataKeys(root, uid)).toEqual({ keys: [], notices: [] });
  expect(root.exists('var')).toBe(false);
});

test('a key counts for its repository alone, whatever the repository is called', () => {
  const names = ['base', '..', '.hidden', 'a/b', 'a%2Fb', 'Ünï'];
  for (const [n, repo] of names.entries()) importMetadataKey(root, repo, key(n % 2 === 0 ? 'release' : 'ed25519'));
  for (const [n, repo] of names.entries()) {
    expect([repo, fingerprints(repo)]).toEqual([repo, [key(n % 2 === 0 ? 'release' : 'ed25519').fingerprint]]);
  }
  expect(
    allMetadataKeys(root, uid)
      .keys.map(({ repo }) => repo)
      .sort(),
  ).toEqual([...names].sort());
  expect(fingerprints('other')).toEqual([]);
  // Nothing left the directory.
  expect(root.list('var/lib/kpatch-pm')).toEqual(['metadata-keys']);
  expect(root.list(METADATA_KEYS)).toHaveLength(names.length);
});

test('files and directories are closed to others', () => {
  importMetadataKey(root, 'base', key('release'));
  const file = path.join(dir, METADATA_KEYS, 'base', `${key('release').fingerprint}.asc`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
});

test('a removed key is remembered for its repository, and not among the package keys', () => {
  importMetadataKey(root, 'base', key('release'));
  importMetadataKey(root, 'other', key('release'));
  removeMetadataKey(root, { repo: 'base', key: key('release') }, '2026-01-01T00:00:00Z');
  expect([fingerprints('base'), fingerprints('other')?.length]).toEqual([[], 1]);
  expect(metadataKeys(root, uid, 'base').removed.map(({ since }) => since)).toEqual(['2026-01-01T00:00:00Z']);
  expect(removedKeys(root)).toEqual([]);
  // A file that somebody puts back does not bring it back.
  writeFileSync(
    path.join(dir, METADATA_KEYS, 'base', `${key('release').fingerprint}.asc`),
    readFileSync(path.join(top, 'repo-fixtures/keys/release.pub.asc')),
  );
  expect(fingerprints('base')).toEqual([]);
  importMetadataKey(root, 'base', key('release'));
  expect(fingerprints('base')).toEqual([key('release').fingerprint]);
});

test('a file is believed only as the key it is named by; what cannot be read is named', () => {
  importMetadataKey(root, 'base', key('release'));
  const folder = path.join(dir, METADATA_KEYS, 'base');
  writeFileSync(
    path.join(folder, `${'A'.repeat(40)}.asc`),
    readFileSync(path.join(top, 'repo-fixtures/keys/ed25519.pub.asc')),
  );
  writeFileSync(path.join(folder, `${'B'.repeat(40)}.asc`), 'no key');
  const { keys, notices } = metadataKeys(root, uid, 'base');
  expect(keys?.map(({ fingerprint }) => fingerprint)).toEqual([key('release').fingerprint]);
  expect(notices.map(({ code }) => code)).toEqual(['key-unreadable']);
});

test('a directory that others may write, or a damaged list of removals, gives no keys, and that is said', () => {
  importMetadataKey(root, 'base', key('release'));
  writeFileSync(path.join(dir, METADATA_KEYS, 'base', 'removed.json'), '{');
  expect(metadataKeys(root, uid, 'base')).toMatchObject({ keys: [], notices: [{ code: 'state-damaged' }] });
  rmSync(path.join(dir, METADATA_KEYS, 'base', 'removed.json'));
  chmodSync(path.join(dir, 'var/lib/kpatch-pm'), 0o777);
  expect(metadataKeys(root, uid, 'base')).toMatchObject({ keys: [], notices: [{ code: 'state-unsafe' }] });
});

needsThat(process.getuid?.() === 0, 'being root')('as another user', () => {
  test('keys that may not be read are not known, rather than none', () => {
    importMetadataKey(root, 'base', key('release'));
    chmodSync(dir, 0o755);
    process.seteuid?.(65534);
    try {
      expect(metadataKeys(root, 0, 'base')).toMatchObject({ keys: null, notices: [{ code: 'file-unreadable' }] });
      expect(allMetadataKeys(root, 0).keys).toEqual([]);
    } finally {
      process.seteuid?.(0);
    }
  });
});

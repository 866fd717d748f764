// Made the test keys of this directory, once. Run again only to replace all of them:
//   node packaging/run-ts.mjs repo-fixtures/keys/make-keys.ts DIRECTORY
// Keys are random, so everything signed has to be built and checked in again afterwards.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tool } from '../builder/tools.ts';

const target = process.argv[2];
if (!target) throw new Error('usage: make-keys.ts DIRECTORY');
mkdirSync(target, { recursive: true });
const MARK = 'TEST KEY - never trust';
const MADE = '20200101T000000!';

interface KeySource {
  readonly name: string;
  readonly algorithm: string;
  readonly expires: string;
  readonly revoked?: boolean;
}

const KEYS: readonly KeySource[] = [
  { name: 'release', algorithm: 'rsa4096', expires: 'never' },
  { name: 'ed25519', algorithm: 'ed25519', expires: 'never' },
  { name: 'other-vendor', algorithm: 'rsa2048', expires: 'never' },
  { name: 'expired', algorithm: 'rsa2048', expires: '20210101T000000' },
  { name: 'revoked', algorithm: 'rsa2048', expires: 'never', revoked: true },
  { name: 'weak-dsa', algorithm: 'dsa1024', expires: 'never' },
];

const fingerprints: Record<string, string> = {};
for (const key of KEYS) {
  const home = mkdtempSync(path.join(os.tmpdir(), 'kpm-mk-'));
  const gpg = (args: readonly string[], input = '') => {
    const fixed = ['--homedir', home, '--batch', '--no-tty', '--quiet', '--faked-system-time', MADE];
    return tool('/usr/bin/gpg', [...fixed, '--pinentry-mode', 'loopback', '--passphrase', '', ...args], { input });
  };
  const user = `${key.name} (${MARK}) <${key.name}@fixtures.invalid>`;
  gpg(['--quick-generate-key', user, key.algorithm, 'sign', key.expires]);
  const listing = gpg(['--with-colons', '--list-keys']).toString();
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1];
  if (!fingerprint) throw new Error(`gpg shows no fingerprint for ${key.name}`);
  fingerprints[key.name] = fingerprint;
  // --export ignores --comment in some versions; the mark is put in by hand, as an armor header (RFC 4880, 6.2).
  const marked = (armor: Buffer) => armor.toString().replace(/(-----BEGIN [A-Z ]+-----\n)/, `$1Comment: ${MARK}\n`);
  const secret = gpg(['--armor', '--export-secret-keys', fingerprint]);
  writeFileSync(path.join(target, `${key.name}.secret.asc`), marked(secret));
  if (key.revoked) {
    const folder = path.join(home, 'openpgp-revocs.d');
    const certificate = readFileSync(path.join(folder, readdirSync(folder)[0] ?? ''), 'utf8');
    // gpg puts a colon before the armor so that nobody imports it by accident.
    gpg(['--import'], certificate.replace(/^:(-----BEGIN)/m, '$1'));
  }
  writeFileSync(path.join(target, `${key.name}.pub.asc`), marked(gpg(['--armor', '--export', fingerprint])));
  tool('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
  rmSync(home, { recursive: true, force: true });
}
writeFileSync(path.join(target, 'fingerprints.json'), `${JSON.stringify(fingerprints, null, 2)}\n`);

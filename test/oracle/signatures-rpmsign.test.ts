// Packages built and signed here by rpmbuild and rpmsign, judged by us and by rpmkeys.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { judgeSignatures, verifyPackage } from '../../src/apply/verify.ts';
import { type PublicKey, parseKeys } from '../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { type Built, buildRpm } from '../support/build-rpm.ts';
import { codeOf } from '../support/code-of.ts';
import { Gpg } from '../support/gpg.ts';
import { needs } from '../support/programs.ts';

const SPEC = `
Name: signed
Version: 1
Release: 1
Summary: A package to sign
License: MIT
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/opt
echo content > %{buildroot}/opt/file
%files
/opt/file
`;
const DAY = 86_400;
const T0 = Date.UTC(2025, 0, 1) / 1000;
const NOW = new Date((T0 + 30 * DAY) * 1000);

needs(
  'rpmbuild',
  'rpmsign',
  'rpmkeys',
  'gpg',
)('packages signed by rpmsign', () => {
  let dir: string;
  let gpg: Gpg;
  let plain: Built;
  let count = 0;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'kpm-sign-'));
    gpg = new Gpg();
    gpg.time = T0;
    plain = await buildRpm(SPEC);
  });
  afterAll(() => {
    gpg.close();
    plain.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  function sign(key: string, options: { hash?: string; v3?: boolean; time?: number } = {}): string {
    const file = path.join(dir, `signed-${count++}.rpm`);
    copyFileSync(plain.file, file);
    const macros = {
      __gpg: '/usr/bin/gpg',
      _gpg_path: gpg.home,
      _gpg_name: key,
      _gpg_digest_algo: options.hash ?? 'sha256',
      _gpg_sign_cmd_extra_args: `--faked-system-time ${options.time ?? T0}! --allow-weak-digest-algos`,
    };
    const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
    const { status, stderr } = spawnSync('rpmsign', [
      ...defines,
      '--addsign',
      ...(options.v3 ? ['--rpmv3'] : []),
      file,
    ]);
    if (status !== 0) throw new Error(`rpmsign: ${stderr}`);
    return file;
  }

  const keysOf = (...names: string[]): PublicKey[] => names.flatMap((name) => parseKeys(gpg.export(name)));
  const codeFor = (file: string, keys: PublicKey[], now = NOW): string =>
    codeOf(() => verifyPackage(parseRpm(readFileSync(file)), { keys, allowUnsigned: false, now }));

  /** rpmkeys -Kv with a keyring of these keys alone: its exit status, and its words on signatures. */
  function rpmkeys(file: string, ...names: string[]): { rc: number | null; says: string[] } {
    const db = mkdtempSync(path.join(dir, 'db-'));
    spawnSync('rpmkeys', ['--dbpath', db, '--initdb']);
    for (const name of names) {
      const key = path.join(db, 'key.asc');
      writeFileSync(key, gpg.export(name));
      expect(spawnSync('rpmkeys', ['--dbpath', db, '--import', key]).status).toBe(0);
    }
    const checked = spawnSync('rpmkeys', ['--dbpath', db, '-Kv', file], { env: { ...process.env, LC_ALL: 'C' } });
    const says = [...checked.stdout.toString().matchAll(/^ +(.*Signature.*)$/gm)].map((match) => match[1] as string);
    return { rc: checked.status, says };
  }

  const COMBINATIONS = [
    ['rsa2048', 'sha256', 'RSA', 'RSAHEADER', 'SIGPGP'],
    ['rsa3072', 'sha512', 'RSA', 'RSAHEADER', 'SIGPGP'],
    ['rsa4096', 'sha384', 'RSA', 'RSAHEADER', 'SIGPGP'],
    ['ed25519', 'sha256', 'EdDSA', 'DSAHEADER', 'SIGGPG'],
    ['ed25519', 'sha512', 'EdDSA', 'DSAHEADER', 'SIGGPG'],
    ['dsa2048', 'sha256', 'DSA', 'DSAHEADER', 'SIGGPG'],
  ] as const;
  test.each(COMBINATIONS)('%s with %s', (algorithm, hash, name, headerTag, wholeTag) => {
    const key = gpg.key(`${algorithm} ${hash}`, algorithm);
    for (const v3 of [false, true]) {
      const file = sign(key, { hash, v3 });
      const judged = judgeSignatures(parseRpm(readFileSync(file)), keysOf(key), NOW);
      const wanted = {
        verdict: 'good',
        key: { fingerprint: key },
        signature: { algorithm: name, hash: hash.toUpperCase() },
      };
      expect(judged).toMatchObject(
        [headerTag, ...(v3 ? [wholeTag] : [])].map((tag) => ({
          ...wanted,
          tag,
          covers: tag === headerTag ? 'header' : 'header+payload',
        })),
      );
      const { rc, says } = rpmkeys(file, key);
      expect(says).toHaveLength(judged.length);
      for (const line of says) expect(line).toMatch(/: OK$/);
      expect(rc).toBe(0);
      expect(codeFor(file, keysOf(key))).toBe('accepted');
      expect(codeFor(file, [])).toBe('key-untrusted');
      expect(rpmkeys(file).rc).toBe(1);
    }
  });

  test('unsigned', () => {
    expect(codeFor(plain.file, keysOf())).toBe('package-unsigned');
    const pkg = parseRpm(plain.bytes);
    const letThrough = verifyPackage(pkg, { keys: [], allowUnsigned: true, now: NOW });
    expect(letThrough.signer).toBeNull();
    expect(letThrough.pkg).toBe(pkg);
  });

  test('a byte changed in the header, in the payload, or in the signature', () => {
    const key = gpg.key('changes', 'rsa2048');
    const bytes = readFileSync(sign(key));
    const trust = { keys: keysOf(key), allowUnsigned: true, now: NOW };
    const pkg = parseRpm(bytes);
    const blob = judgeSignatures(pkg, trust.keys, NOW)[0]?.signature.values[0] as Buffer;
    const changed = (at: number): string => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] as number) ^ 1;
      return codeOf(() => verifyPackage(parseRpm(copy), trust));
    };
    expect(changed(bytes.length - 1)).toBe('digest-bad');
    expect(changed(bytes.indexOf('A package to sign'))).toBe('digest-bad');
    expect(changed(bytes.indexOf(blob) + 9)).toBe('signature-bad');
  });

  test('SHA-1 is refused, whatever rpm says', () => {
    const key = gpg.key('sha1', 'rsa2048');
    const file = sign(key, { hash: 'sha1', v3: true });
    expect(rpmkeys(file, key).rc).toBe(0);
    expect(codeFor(file, keysOf(key))).toBe('signature-weak');
  });

  test('a signing subkey', () => {
    const primary = gpg.key('subkey owner', 'rsa2048', 'cert');
    const subkey = gpg.subkey(primary, 'rsa2048', 'sign');
    const file = sign(`${subkey}!`);
    expect(codeFor(file, keysOf(primary))).toBe('accepted');
    const { signer } = verifyPackage(parseRpm(readFileSync(file)), {
      keys: keysOf(primary),
      allowUnsigned: false,
      now: NOW,
    });
    expect(signer).toEqual({ fingerprint: primary, keyid: primary.slice(-16), owner: 'subkey owner' });
  });

  test('a key that expired: what it signed before counts, as rpm has it; what it signed after does not', () => {
    const key = gpg.key('expiring', 'rsa2048', 'sign', `seconds=${10 * DAY}`);
    const short = keysOf(key);
    const inTime = sign(key);
    expect(rpmkeys(inTime, key).rc).toBe(0);
    gpg.time = T0 + DAY;
    gpg.run(['--quick-set-expire', key, `seconds=${100 * DAY}`]);
    gpg.time = T0;
    const late = sign(key, { time: T0 + 20 * DAY });
    expect(codeFor(inTime, short)).toBe('accepted');
    expect(codeFor(late, short)).toBe('key-expired');
    expect(codeFor(late, keysOf(key))).toBe('accepted');
  });

  test('a revoked key', () => {
    const key = gpg.key('revoked', 'rsa2048');
    const file = sign(key);
    gpg.revoke(key);
    expect(codeFor(file, keysOf(key))).toBe('key-revoked');
    // Not even on explicit wish.
    const trust = { keys: keysOf(key), allowUnsigned: true, now: NOW };
    expect(codeOf(() => verifyPackage(parseRpm(readFileSync(file)), trust))).toBe('key-revoked');
  });
});

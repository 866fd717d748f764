// The test keys of repo-fixtures/keys in a gpg home of their own, for rpmsign and detached signatures.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BUILD_TIME_GPG } from './time.ts';
import { tool } from './tools.ts';
import { v3Signature } from './v3signature.ts';

export const KEY_NAMES = ['release', 'ed25519', 'other-vendor', 'expired', 'revoked', 'weak-dsa'] as const;
export type KeyName = (typeof KEY_NAMES)[number];

export interface Signing {
  readonly key: KeyName;
  /** Digest; sha256 unless said, as the vendor has it. */
  readonly digest?: 'sha1' | 'md5' | 'sha512';
  /** Also the older signature over header and payload together. */
  readonly headerAndPayload?: boolean;
  /** When the signature claims to be made, for gpg's --faked-system-time; the build time unless said. */
  readonly at?: string;
}

export class Keyring {
  readonly home: string;
  readonly #fingerprints: Readonly<Record<string, string>>;

  constructor(keysDirectory: string) {
    // Short on purpose: gpg-agent's socket lives here and a socket path holds 107 bytes.
    this.home = mkdtempSync(path.join(os.tmpdir(), 'kpm-gpg-'));
    mkdirSync(path.join(this.home, 'private-keys-v1.d'), { mode: 0o700 });
    this.#fingerprints = JSON.parse(readFileSync(path.join(keysDirectory, 'fingerprints.json'), 'utf8'));
    // The revoked key's secret half comes without the revocation: gpg would refuse to sign with it.
    const secrets = KEY_NAMES.map((name) => path.join(keysDirectory, `${name}.secret.asc`));
    this.#gpg(['--import', ...secrets]);
  }

  #gpg(args: readonly string[], input?: Buffer): Buffer {
    const fixed = ['--homedir', this.home, '--batch', '--no-tty', '--quiet', '--faked-system-time', BUILD_TIME_GPG];
    return tool('/usr/bin/gpg', [...fixed, '--trust-model', 'always', ...args], input ? { input } : {});
  }

  fingerprint(name: KeyName): string {
    const fingerprint = this.#fingerprints[name];
    if (!fingerprint) throw new Error(`fingerprints.json does not name the key ${name}`);
    return fingerprint;
  }

  /** Signs a package in place, replacing signatures it has. */
  signPackage(file: string, signing: Signing): void {
    const extra = [
      `--homedir ${this.home} --batch --no-tty --trust-model always --faked-system-time ${signing.at ?? BUILD_TIME_GPG}`,
      '--allow-weak-digest-algos',
      '--ignore-time-conflict',
    ];
    const args = ['--define', '__gpg /usr/bin/gpg', '--define', `_gpg_name ${this.fingerprint(signing.key)}`];
    args.push('--define', `_gpg_path ${this.home}`, '--define', `_gpg_sign_cmd_extra_args ${extra.join(' ')}`);
    args.push('--define', `_gpg_digest_algo ${signing.digest ?? 'sha256'}`);
    if (signing.headerAndPayload) args.push('--rpmv3');
    tool('rpmsign', ['--addsign', ...args, file], { env: { GNUPGHOME: this.home, HOME: this.home } });
  }

  /** The same for a package in memory. */
  signBytes(bytes: Buffer, signing: Signing): Buffer {
    const file = path.join(this.home, 'package.rpm');
    writeFileSync(file, bytes);
    this.signPackage(file, signing);
    return readFileSync(file);
  }

  /** A version 3 signature over bytes. */
  v3(name: KeyName, data: Buffer): Buffer {
    const fingerprint = this.fingerprint(name);
    return v3Signature(data, this.#gpg(['--export-secret-keys', fingerprint]), fingerprint);
  }

  /** An armored detached signature, as repodata/repomd.xml.asc holds. */
  detached(name: KeyName, content: Buffer): Buffer {
    return this.#gpg(['--local-user', this.fingerprint(name), '--armor', '--detach-sign', '--output', '-'], content);
  }

  /** Ends the agent that gpg started for this home and removes the home. */
  close(): void {
    tool('gpgconf', ['--homedir', this.home, '--kill', 'gpg-agent']);
    rmSync(this.home, { recursive: true, force: true });
  }
}

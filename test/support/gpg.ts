// A GnuPG home of its own in a temporary directory: the oracle for keys and signatures.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export class Gpg {
  readonly home = mkdtempSync(path.join(tmpdir(), 'kpm-gpg-'));
  /** Seconds since 1970 that gpg believes it to be; null: the real time. */
  time: number | null = null;

  /** Runs gpg; fails loudly. */
  run(args: readonly string[], input?: Buffer): Buffer {
    const result = this.try(args, input);
    if (result.status !== 0) throw new Error(`gpg ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  try(args: readonly string[], input?: Buffer): { status: number | null; stdout: Buffer; stderr: string } {
    const time = this.time === null ? [] : ['--faked-system-time', `${this.time}!`];
    const all = [
      '--homedir',
      this.home,
      '--batch',
      '--yes',
      '--pinentry-mode',
      'loopback',
      '--passphrase',
      '',
      ...time,
      ...args,
    ];
    const { status, stdout, stderr } = spawnSync('gpg', all, {
      ...(input ? { input } : {}),
      env: { PATH: process.env.PATH },
    });
    return { status, stdout, stderr: stderr.toString() };
  }

  /** Makes a key; gives its fingerprint. `algorithm` as gpg names it (rsa2048, ed25519, nistp384, dsa2048). */
  key(owner: string, algorithm: string, usage = 'sign', expire = 'never'): string {
    this.run(['--quick-gen-key', owner, algorithm, usage, expire]);
    return this.fingerprint(owner);
  }

  /** Adds a subkey to a key; gives the subkey's fingerprint. */
  subkey(fingerprint: string, algorithm: string, usage = 'sign', expire = 'never'): string {
    this.run(['--quick-add-key', fingerprint, algorithm, usage, expire]);
    return this.fingerprints(fingerprint).at(-1) as string;
  }

  fingerprint(name: string): string {
    return this.fingerprints(name)[0] as string;
  }

  /** Primary key first, then subkeys. */
  fingerprints(name: string): string[] {
    const listed = this.run(['--with-colons', '--with-subkey-fingerprint', '--list-keys', name]).toString();
    return [...listed.matchAll(/^fpr:+([0-9A-F]+):/gm)].map((match) => match[1] as string);
  }

  export(name: string, armored = true): Buffer {
    return this.run([...(armored ? ['--armor'] : []), '--export', name]);
  }

  sign(key: string, data: Buffer, ...options: string[]): Buffer {
    return this.run(['--local-user', key, '--detach-sign', ...options], data);
  }

  /** Applies the revocation certificate that gpg made together with the key. */
  revoke(fingerprint: string): void {
    const file = path.join(this.home, 'openpgp-revocs.d', `${fingerprint}.rev`);
    this.run(['--import'], Buffer.from(readFileSync(file, 'utf8').replace(':-----BEGIN', '-----BEGIN')));
  }

  /** What gpg says of a signature: the keywords of its status lines (GOODSIG, BADSIG, EXPKEYSIG, REVKEYSIG, ERRSIG). */
  verify(signature: Buffer, data: Buffer): string[] {
    const file = path.join(this.home, 'checked.sig');
    writeFileSync(file, signature);
    const { stdout } = this.try(['--status-fd', '1', '--verify', file, '-'], data);
    return [...stdout.toString().matchAll(/^\[GNUPG:\] (\w+)/gm)].map((match) => match[1] as string);
  }

  close(): void {
    spawnSync('gpgconf', ['--homedir', this.home, '--kill', 'all']);
    rmSync(this.home, { recursive: true, force: true });
  }
}

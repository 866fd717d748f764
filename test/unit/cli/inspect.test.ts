// The verb inspect from its arguments to its exit status.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { main } from '../../../src/cli/main.ts';
import { inKeyring, parseKernelKeys } from '../../../src/host/keyring.ts';
import { FIXTURES } from '../../support/fixtures.ts';
import { faults, undescribed } from '../../support/schema.ts';
import { surroundings } from '../../support/surroundings.ts';
import { top } from '../../support/top.ts';

const A = 'el9/Packages/kpatch-patch-5_14_0-427_13_1-1-1.el9_4.x86_64.rpm';
const B = 'el9/Packages/kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64.rpm';
const KEY = ['--key', 'keys/RPM-GPG-KEY-fixtures'];
const BAD = 'hostile/file-payload/Packages/kpatch-patch-5_14_0-427_13_1-1-4.el9_4.x86_64.rpm';

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const around = surroundings({ hostPath: '/', directory: FIXTURES });
  const status = await main(['inspect', ...args], around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}

describe('exit status', () => {
  test.each([
    [[A], 0],
    [[A, '--require-signature', ...KEY], 0],
    [[A, '--require-signature', '--key', 'keys/RPM-GPG-KEY-other-vendor'], 1],
    [['matrix/gzip-unsigned.rpm'], 0],
    [['matrix/gzip-unsigned.rpm', '--require-signature'], 1],
    [[A, BAD], 1],
    [['absent.rpm'], 1],
    [['keys'], 1],
    [[A, '--key', 'absent.asc'], 1],
    [[A, '--key', A], 1],
    [[], 2],
    [[A, '--diff'], 2],
    [[A, B, A, '--diff'], 2],
    [[A, B, '--diff'], 0],
    [[A, BAD, '--diff'], 1],
  ])('%j: %p', async (args, status) => {
    const ended = await run(...args);
    expect(ended).toMatchObject({ status });
    expect(ended.err).not.toContain('internal');
    // What is wrong is said somewhere, in text and in JSON alike.
    expect((await run(...args, '--json')).status).toBe(status);
    expect((await run(...args, '-q')).status).toBe(status);
  });
});

describe('JSON', () => {
  const schema = JSON.parse(readFileSync(path.join(top, 'docs/schemas/inspect.json'), 'utf8'));

  test('is what its schema says, of every kind of file', async () => {
    const { out } = await run(
      '--json',
      ...KEY,
      A,
      B,
      BAD,
      'matrix/gzip-unsigned.rpm',
      'absent',
      'keys/RPM-GPG-KEY-fixtures',
    );
    const found = JSON.parse(out);
    expect(faults(schema, found)).toEqual([]);
    expect(undescribed(schema, found)).toEqual([]);
    expect(found.map(({ kind, authentic }: { kind: string; authentic: string }) => `${kind} ${authentic}`)).toEqual([
      'rpm trusted',
      'rpm trusted',
      'rpm bad',
      'rpm unsigned',
      'unknown unsigned',
      'unknown unsigned',
    ]);
    expect(found[1].files.at(-1)).toMatchObject({ mode: '0100755', size: 2958 });
    expect(found[1].livepatch.cves).toEqual(['CVE-2024-90001', 'CVE-2024-90002']);
    expect(found[1].livepatch.functions).toEqual(['vmlinux:example_ioctl', 'nf_tables:nft_example_walk']);
  });

  test('of a difference', async () => {
    const { out } = await run('--json', '--diff', A, B);
    const { files, difference, format, error } = JSON.parse(out);
    expect([format, error, faults(schema, files)]).toEqual([1, null, []]);
    expect(difference.added.cves).toEqual(['CVE-2024-90002']);
    expect(difference.added.files.map((file: { path: string }) => path.basename(file.path))).toEqual([
      'kpatch-5_14_0-427_13_1-1-2.ko',
    ]);
    expect(difference.removed.cves).toEqual([]);
    const back = JSON.parse((await run('--json', '--diff', B, A)).out).difference;
    expect([back.added, back.removed]).toEqual([difference.removed, difference.added]);
    expect((await run('--diff', A, A)).out).toContain('adds nothing');
  });
});

describe('text', () => {
  test('says who signed it, what it replaces and fixes, and what will not be run', async () => {
    const { out } = await run(...KEY, B);
    for (const text of [
      'trusted: signed by release (TEST KEY - never trust)',
      'vmlinux: example_ioctl',
      'CVE-2024-90002 [2900001]: kernel: example: fix number 2',
      'postinstall, postuninstall: kpatch-pm never runs them',
      'Result      sound',
    ]) {
      expect(out).toContain(text);
    }
    expect(await run('-q', ...KEY, B)).toEqual({ status: 0, out: '', err: '' });
    expect((await run('matrix/gzip-unsigned.rpm')).out).toContain('it would not be installed');
  });
});

describe('keys of the running kernel', () => {
  const list = (user: number, ...keys: string[]) =>
    parseKernelKeys(
      ['0ba59f0d I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 1', ...keys].join('\n'),
      user,
    );
  const key = (description: string) => `1a1dbfa6 I------     1 perm 1f030000     0     0 asymmetri ${description}`;
  const vendor = key('Vendor, Inc.: Vendor kernel signing key: 59a86e7aa2c8: X509.rsa a2c8 []');
  const by = (signer: string | null, keyid: string | null) => ({
    signer,
    keyid,
    hash: 'sha256',
    names: 'certificate' as const,
  });

  test.each([
    [by('Other', '59A86E7AA2C8'), list(0, vendor), 'yes'],
    [by('Other', '0059A86E7AA2C8'), list(0, vendor), 'yes'],
    [by('Vendor kernel signing key', '01'), list(0, vendor), 'likely'],
    [by('Vendor kernel', '01'), list(0, vendor), 'no'],
    [by('Vendor kernel', '01'), list(1000, vendor), 'unknown'],
    [by(null, null), list(0, vendor), 'unknown'],
    [by('Other', '01'), parseKernelKeys(vendor, 0), 'unknown'],
    [by('Other', '01'), null, 'unknown'],
  ])('%j', (signature, keys, verdict) => {
    expect(inKeyring(signature, keys)).toBe(verdict);
  });
});

// Who signed a module, against what the running kernel says of its keys: certain, doubtful, or not to be told.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkSigners } from '../../../src/apply/load/signer.ts';
import {
  judgeSigner,
  type KeyringVerdict,
  type ModuleSigner,
  type SignatureRule,
} from '../../../src/domain/signing.ts';
import { parseKernelKeys, signatureRule } from '../../../src/host/keyring.ts';
import { Root } from '../../../src/host/root.ts';
import { codeOf } from '../../support/code-of.ts';
import { elf, modinfo, thisModule } from '../../support/elf.ts';

const on: SignatureRule = { enforced: true, because: 'module.sig_enforce is on' };
const off: SignatureRule = { enforced: false, because: 'unsigned modules are taken' };
const mute: SignatureRule = { enforced: null, because: 'its settings cannot be read' };
const byCertificate: ModuleSigner = { signer: 'Vendor signing key', keyid: '0A1B', names: 'certificate' };
const byKey: ModuleSigner = { signer: null, keyid: 'C0FFEE', names: 'key' };

describe('what the kernel will say', () => {
  test.each<[ModuleSigner | null, KeyringVerdict, SignatureRule, string, string]>([
    [null, 'unknown', off, 'fine', ''],
    [byKey, 'no', off, 'fine', ''],
    [null, 'unknown', on, 'refused', 'carries no signature'],
    [null, 'unknown', mute, 'unknown', 'is not known (its settings cannot be read)'],
    [byKey, 'no', mute, 'unknown', 'is signed by the key C0FFEE'],
    [byKey, 'yes', on, 'fine', ''],
    [byCertificate, 'yes', on, 'fine', ''],
    [byCertificate, 'likely', on, 'fine', ''],
    [byKey, 'no', on, 'refused', "none of the kernel's keyrings shows (.builtin_trusted_keys, .machine)"],
    // A certificate may be listed under its key's identifier: its absence proves nothing.
    [byCertificate, 'no', on, 'doubtful', '"Vendor signing key" (certificate 0A1B)'],
    [byKey, 'unknown', on, 'unknown', 'cannot be told from /proc/keys'],
    [{ signer: null, keyid: null, names: null }, 'unknown', on, 'unknown', 'somebody it does not name'],
  ])('%j, in its keyrings: %s, %j: %s', (signer, keyring, rule, answer, text) => {
    const found = judgeSigner(signer, keyring, ['.builtin_trusted_keys', '.machine'], rule);
    expect(found.answer).toBe(answer);
    expect(found.why).toContain(text);
  });
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-signer-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function sys(files: Record<string, string>): Root {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), text);
  }
  return new Root(directory);
}

const PARAMETER = 'sys/module/module/parameters/sig_enforce';
const LOCKDOWN = 'sys/kernel/security/lockdown';

describe('whether signatures are enforced', () => {
  test.each<[string, Record<string, string>, boolean | null, RegExp]>([
    ['the parameter is on', { [PARAMETER]: 'Y\n' }, true, /module\.sig_enforce/],
    ['the parameter is off', { [PARAMETER]: 'N\n' }, false, /./],
    ['locked down', { [PARAMETER]: 'N\n', [LOCKDOWN]: 'none [integrity] confidentiality\n' }, true, /integrity/],
    ['not locked down', { [PARAMETER]: 'N\n', [LOCKDOWN]: '[none] integrity confidentiality\n' }, false, /./],
    ['only the command line says it', { 'proc/cmdline': 'quiet module.sig_enforce=1\n' }, true, /sig_enforce=1/],
    ['the command line, without a value', { 'proc/cmdline': 'module.sig_enforce quiet\n' }, true, /command line/],
    ['switched off there', { 'sys/module/ext4/refcnt': '0', 'proc/cmdline': 'module.sig_enforce=0\n' }, false, /./],
    ['a kernel without module signatures', { 'sys/module/ext4/refcnt': '0' }, false, /./],
    ['no sysfs', {}, null, /sysfs/],
    ['unreadable', { [`${PARAMETER}/x`]: '' }, null, /cannot be read/],
  ])('%s', (_name, files, enforced, because) => {
    const rule = signatureRule(sys(files));
    expect(rule.enforced).toBe(enforced);
    expect(rule.because).toMatch(because);
  });
});

test('the keyrings that count for modules are told from others', () => {
  const line = (name: string): string => `0ba59f0d I------     1 perm 1f0b0000     0     0 keyring   ${name}: 1`;
  const text = ['.builtin_trusted_keys', '.secondary_trusted_keys', '.platform', '.ima', '.machine']
    .map(line)
    .join('\n');
  expect(parseKernelKeys(text, 0).keyrings).toEqual([
    '.builtin_trusted_keys',
    '.secondary_trusted_keys',
    '.machine',
    '.platform',
  ]);
});

describe('before anything is put in place', () => {
  const RELEASE = '5.14.0-427.13.1.el9_4.x86_64';
  const unsigned = {
    module: 'kpatch_1',
    bytes: elf({
      sections: {
        '.modinfo': modinfo(`vermagic=${RELEASE} SMP mod_unload `, 'livepatch=Y', 'name=kpatch_1'),
        '.gnu.linkonce.this_module': thisModule('kpatch_1'),
      },
    }),
  };
  const said: string[] = [];
  const ui = {
    warn: (text: string) => said.push(`warn ${text}`),
    detail: (text: string) => said.push(`detail ${text}`),
  };
  const machine = (host: Root, more = {}) => ({ host, live: true, uname: RELEASE, uid: 0, ...more });
  beforeEach(() => {
    said.length = 0;
  });

  test('an unsigned module for an enforcing kernel is refused', () => {
    const host = sys({ [PARAMETER]: 'Y\n' });
    expect(codeOf(() => checkSigners(machine(host), RELEASE, [unsigned], ui))).toBe('signer-not-in-kernel');
  });
  test('for a kernel that takes unsigned ones nothing is said', () => {
    checkSigners(machine(sys({ [PARAMETER]: 'N\n' })), RELEASE, [unsigned], ui);
    expect(said).toEqual([]);
  });
  test('where the kernel does not say, that is said', () => {
    checkSigners(machine(sys({})), RELEASE, [unsigned], ui);
    expect(said).toEqual([expect.stringMatching(/^detail kpatch_1 carries no signature; whether .* is not known/)]);
  });
  test.each([
    ['another kernel', { uname: '5.14.0-1.el9.x86_64' }],
    ['another root', { live: false, uname: null }],
  ])('%s: only a remark', (_name, more) => {
    checkSigners(machine(sys({ [PARAMETER]: 'Y\n' }), more), RELEASE, [unsigned], ui);
    expect(said).toEqual([expect.stringMatching(/^detail Whether .* shows when it runs/)]);
  });
});

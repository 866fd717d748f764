import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Problem } from '../../../src/domain/because.ts';
import type { KernelRelease } from '../../../src/domain/kernel.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { Root } from '../../../src/host/root.ts';
import { openState, STATE } from '../../../src/state/directory.ts';
import { parseState } from '../../../src/state/format.ts';
import { holdsText, readHolds, withHold, withoutHold } from '../../../src/state/holds.ts';
import { isModuleFile, readReceipts, receiptPath, receiptText } from '../../../src/state/receipts.ts';
import { codeOf } from '../../support/code-of.ts';

const uid = process.getuid?.() ?? 0;
let root: Root;
beforeEach(() => {
  root = new Root(mkdtempSync(path.join(os.tmpdir(), 'kpm-receipts-')));
  openState({ root, uid });
});
afterEach(() => rmSync(root.path, { recursive: true, force: true }));

const RECEIPT: Receipt = {
  format: 1,
  kernel: '5.14.0-1.el9.x86_64' as KernelRelease,
  package: { name: 'kpatch-patch-5_14_0-1', epoch: 0, version: '1', release: '2.el9', arch: 'x86_64' },
  repo: 'el9',
  url: null,
  signer: { fingerprint: 'AB', keyid: 'CD', owner: 'somebody' },
  packageSha256: 'ff',
  files: [{ file: 'kpatch-5_14_0-1-1-2.ko', module: 'kpatch_5_14_0_1_1_2', size: 3, sha256: 'aa' }],
  installedAt: '2026-01-01T00:00:00.000Z',
  by: '0.1.0',
  askedBy: 'auto',
  registered: false,
};

function write(text: string, name = 'kpatch-patch-5_14_0-1'): void {
  const file = path.join(root.path, receiptPath(RECEIPT.kernel, name));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test('none at first', () => expect(readReceipts(root, uid)).toEqual([]));

test('what is written is read', () => {
  write(receiptText(RECEIPT));
  expect(readReceipts(root, uid)).toEqual([RECEIPT]);
});

describe('a damaged receipt', () => {
  test.each<[string, unknown]>([
    ['without files', { ...RECEIPT, files: undefined }],
    ['with a path as file', { ...RECEIPT, files: [{ ...RECEIPT.files[0], file: '../x.ko' }] }],
    ['with a path as kernel', { ...RECEIPT, kernel: '../..' }],
    ['without a format', { ...RECEIPT, format: undefined }],
    ['of a format that never was', { ...RECEIPT, format: 0 }],
    ['that is a list', [RECEIPT]],
  ])('%s is named, and left out for readers', (_, value) => {
    write(receiptText(RECEIPT));
    write(JSON.stringify(value), 'other');
    expect(codeOf(() => readReceipts(root, uid))).toBe('state-damaged');
    const notices: Problem[] = [];
    expect(readReceipts(root, uid, (notice) => notices.push(notice))).toEqual([RECEIPT]);
    expect(notices).toEqual([{ code: 'state-damaged', text: expect.stringContaining('other.json') }]);
  });

  test('cut in the middle', () => {
    write(receiptText(RECEIPT).slice(0, 50));
    expect(codeOf(() => readReceipts(root, uid))).toBe('state-damaged');
  });
});

test('a newer format is refused, not guessed at', () => {
  write(JSON.stringify({ ...RECEIPT, format: 2, files: 'something else' }));
  expect(codeOf(() => readReceipts(root, uid))).toBe('state-newer');
});

test('an older format is migrated step by step', () => {
  const format = {
    what: 'example',
    current: 3,
    migrations: {
      1: (old: Readonly<Record<string, unknown>>) => ({ ...old, second: 2 }),
      2: (old: Readonly<Record<string, unknown>>) => ({ ...old, third: 3 }),
    },
    check: (fields: Readonly<Record<string, unknown>>) => fields,
  };
  expect(parseState('{"format":1,"first":1}', '/x', format)).toEqual({ format: 3, first: 1, second: 2, third: 3 });
  expect(parseState('{"format":2}', '/x', format)).toEqual({ format: 3, third: 3 });
});

test('a directory that others may write is not believed', () => {
  write(receiptText(RECEIPT));
  chmodSync(path.join(root.path, STATE), 0o777);
  expect(codeOf(() => readReceipts(root, uid))).toBe('state-unsafe');
  const notices: Problem[] = [];
  expect(readReceipts(root, uid, (notice) => notices.push(notice))).toEqual([]);
  expect(notices.map(({ code }) => code)).toEqual(['state-unsafe']);
});

test.each([
  ['kpatch-5_14_0-1-1-2.ko', true],
  ['a.ko', true],
  ['.a.ko', false],
  ['a.ko.xz', false],
  ['a', false],
  ['../a.ko', false],
  ['a/b.ko', false],
  ['a\nb.ko', false],
  ['-rf.ko', false],
  [`${'a'.repeat(300)}.ko`, false],
])('module file %j: %s', (name, is) => expect(isModuleFile(name)).toBe(is));

test('a package name that is a path names no receipt', () => {
  expect(codeOf(() => receiptPath(RECEIPT.kernel, '../../x'))).toBe('state-damaged');
});

test('holds are added once, and lifted', () => {
  const hold = { kernel: RECEIPT.kernel, name: 'a', since: 's', why: 'w' };
  const twice = withHold(withHold([], { ...hold, why: 'old' }), hold);
  expect(twice).toEqual([hold]);
  writeFileSync(path.join(root.path, STATE, 'holds.json'), holdsText(twice));
  expect(readHolds(root, uid)).toEqual([hold]);
  expect(withoutHold(twice, { kernel: RECEIPT.kernel, name: 'a' })).toEqual([]);
  expect(withoutHold(twice, { kernel: null, name: 'a' })).toEqual([hold]);
});

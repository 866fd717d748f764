import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { openCache } from '../../../src/state/cache.ts';
import { rpmdbMemo } from '../../../src/state/rpmdbmemo.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(path.join(os.tmpdir(), 'kpm-memo-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const uid = process.getuid?.() ?? 0;
const memo = () => rpmdbMemo(openCache({ root: new Root(top), host: new Root('/'), uid, env: {} }));

test('an answer is remembered under its key, and only the last one', () => {
  expect(memo().get('one')).toBeNull();
  memo().put('one', 'kernel\t5\n');
  expect(memo().get('one')).toBe('kernel\t5\n');
  expect(memo().get('on')).toBeNull();
  memo().put('two', 'other\n');
  expect(memo().get('one')).toBeNull();
  expect(memo().get('two')).toBe('other\n');
});

test('what a power cut may leave of the file is no answer', () => {
  const answer = 'kernel\t5\nkernel-core\t5\n';
  memo().put('one', answer);
  const file = path.join(top, 'var/cache/kpatch-pm/rpmdb/answer');
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(file, whole.subarray(0, length));
    expect(memo().get('one')).toBeNull();
    writeFileSync(file, Buffer.concat([whole.subarray(0, length), Buffer.alloc(whole.length - length)]));
    expect(memo().get('one')).toBeNull();
    writeFileSync(file, Buffer.concat([Buffer.alloc(length + 1), whole.subarray(length + 1)]));
    expect(memo().get('one')).toBeNull();
  }
  writeFileSync(file, whole);
  expect(memo().get('one')).toBe(answer);
});

test('where nothing can be written, nothing is remembered and nothing fails', () => {
  writeFileSync(path.join(top, 'var'), 'a file in the way');
  memo().put('one', 'x');
  expect(memo().get('one')).toBeNull();
});

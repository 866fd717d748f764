// What a person is told of a system error: the sentence, and what to do next.
import { describe, expect, test } from '@jest/globals';
import { unreadable, unwritable } from '../../../src/host/failure.ts';

const error = (code: string, text: string): Error =>
  Object.assign(new Error(`${code}: ${text}, open '/proc/self/fd/3'`), { code });

describe('a file that could not be', () => {
  test.each([
    [
      'EACCES',
      'permission denied',
      'file-unreadable',
      /^Check who may read it \(ls -l\), or run the command as root\.$/,
    ],
    ['ENOENT', 'no such file or directory', 'file-unreadable', /^Check the path: ls -ld \/etc\/x$/],
    ['ENOTDIR', 'not a directory', 'file-unreadable', /^Check the path: ls -ld \/etc\/x$/],
    ['EISDIR', 'illegal operation on a directory', 'file-unreadable', /^See what lies there: ls -ld \/etc\/x\/y$/],
    ['EIO', 'i/o error', 'file-unreadable', /dmesg \| tail$/],
  ])('read: %s', (code, text, wanted, hint) => {
    const told = unreadable('/etc/x/y', error(code, text));
    expect([told.code, told.message]).toEqual([wanted, `/etc/x/y could not be read: ${text}.`]);
    expect(told.hint).toMatch(hint);
  });

  test.each([
    ['ENOSPC', 'no-space', /df \/etc\/x\)/],
    ['EDQUOT', 'no-space', /df \/etc\/x\)/],
    ['EROFS', 'read-only', /^Remount it writable/],
    ['EPERM', 'needs-root', /ls -ld \/etc\/x\)/],
    ['ENOENT', 'file-unwritable', /^Check the path: ls -ld \/etc\/x$/],
    ['EISDIR', 'file-unwritable', /^See what lies there: ls -ld \/etc\/x\/y$/],
    ['EIO', 'file-unwritable', /dmesg \| tail$/],
  ])('written: %s', (code, wanted, hint) => {
    const told = unwritable('/etc/x/y', error(code, 'a reason'));
    expect(told.code).toBe(wanted);
    expect(told.message).toContain('/etc/x/y');
    expect(told.hint).toMatch(hint);
  });
});

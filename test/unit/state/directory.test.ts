import {
  chmodSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { checkState, openState, STATE } from '../../../src/state/directory.ts';
import { codeOf } from '../../support/code-of.ts';
import { needsThat } from '../../support/programs.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(path.join(os.tmpdir(), 'kpm-state-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const uid = process.getuid?.() ?? 0;
const at = (relative: string): string => path.join(top, relative);
const open = () => openState({ root: new Root(top), uid });

test('is created 0700, and found again', () => {
  open();
  expect(statSync(at(STATE)).mode & 0o7777).toBe(0o700);
  expect(open().uid).toBe(uid);
});

describe('refused', () => {
  test.each<[string, () => void, RegExp]>([
    ['open to other users', () => chmodSync(at(STATE), 0o750), /open to other users/],
    ['writable by all above it', () => chmodSync(at('var/lib'), 0o777), /var\/lib may be written by others/],
    [
      'a file in its place',
      () => {
        rmSync(at(STATE), { recursive: true });
        writeFileSync(at(STATE), '');
      },
      /not a directory/,
    ],
    [
      'a link in its place',
      () => {
        renameSync(at(STATE), at('elsewhere'));
        symlinkSync('../../elsewhere', at(STATE));
      },
      /is a link/,
    ],
  ])('%s', (_, spoil, why) => {
    open();
    spoil();
    expect(codeOf(open)).toBe('state-unsafe');
    expect(open).toThrow(why);
    expect(codeOf(() => checkState(new Root(top), uid))).toBe('state-unsafe');
  });

  test('a link that leaves the root', () => {
    mkdirSync(at('var'));
    symlinkSync('../../../../..', at('var/lib'));
    expect(codeOf(open)).toBe('path-escape');
  });

  needsThat(uid === 0, 'root, to give files to other users')('with another owner', () => {
    test.each(['var', 'var/lib', STATE])('of %s', (relative) => {
      open();
      lchownSync(at(relative), 4242, 0);
      expect(open).toThrow(/belongs to user 4242/);
    });

    test('of a link on the way', () => {
      mkdirSync(at('data'));
      mkdirSync(at('var'));
      symlinkSync('../data', at('var/lib'));
      expect(codeOf(open)).toBe('accepted');
      lchownSync(at('var/lib'), 4242, 0);
      expect(open).toThrow(/belongs to user 4242/);
    });

    test('of the directory behind a link', () => {
      mkdirSync(at('data/deep'), { recursive: true });
      mkdirSync(at('var'));
      symlinkSync('../data/deep', at('var/lib'));
      open();
      lchownSync(at('data'), 4242, 0);
      expect(open).toThrow(/data belongs to user 4242/);
    });
  });
});

// Two runs that fetch the same package write into the same file of the cache: neither disturbs the other.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { openPartial } from '../../../src/apply/partial.ts';
import { Root } from '../../../src/host/root.ts';
import { rootForEach } from '../../support/hooks.ts';

const FILE = 'k/packages/p.rpm';
const root = rootForEach(() => ({ rpmdb: false }));

const open = () => openPartial({ root: new Root(root.path), base: 'var/cache/kpatch-pm', mode: 0o755 }, FILE, 64);
const kept = (): string => readFileSync(root.at(`var/cache/kpatch-pm/${FILE}`), 'utf8');

test('who ends second has the package all the same', () => {
  const [one, other] = [open(), open()];
  for (const partial of [one, other]) {
    partial.append(Buffer.from('the '));
    partial.append(Buffer.from('package'));
  }
  for (const partial of [one, other]) {
    expect(partial.bytes().toString()).toBe('the package');
    partial.commit();
    partial.close();
  }
  expect(kept()).toBe('the package');
});

test('one that begins anew takes nothing from the other', () => {
  const [one, other] = [open(), open()];
  one.append(Buffer.from('the '));
  other.append(Buffer.from('something else'));
  other.reset();
  other.close();
  one.append(Buffer.from('package'));
  expect(one.bytes().toString()).toBe('the package');
  one.commit();
  one.close();
});

test('the file of another download is not kept as this one', () => {
  const one = open();
  one.append(Buffer.from('the package'));
  rmSync(root.at(`var/cache/kpatch-pm/${FILE}.part`));
  const other = open();
  other.append(Buffer.from('the '));
  one.commit();
  one.close();
  expect(existsSync(root.at(`var/cache/kpatch-pm/${FILE}`))).toBe(false);
  other.append(Buffer.from('package'));
  other.commit();
  other.close();
  expect(kept()).toBe('the package');
});

test('what was begun is gone on with', () => {
  const before = open();
  before.append(Buffer.from('the '));
  before.close();
  const partial = open();
  expect(partial.size).toBe(4);
  partial.append(Buffer.from('package'));
  expect(partial.bytes().toString()).toBe('the package');
  partial.commit();
  partial.close();
  expect(kept()).toBe('the package');
});

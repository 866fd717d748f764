// The option of V8 that keeps a stream from growing the heap: known to this node, silent, and it works.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { top } from '../../support/top.ts';

function young(how: 'grow' | 'keep'): number {
  const script = ['packaging/run-ts.mjs', 'test/support/young-heap.ts'].map((file) => path.join(top, file));
  const { status, stdout, stderr } = spawnSync(process.execPath, [...script, how], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return Number(stdout);
}

test('the young part of the heap stays small where that was asked for', () => {
  expect(young('grow')).toBeGreaterThanOrEqual(8);
  expect(young('keep')).toBeLessThanOrEqual(4);
});

// How a hint stands on a screen: a command in it can be copied.
import { expect, test } from '@jest/globals';
import { errorLines } from '../../../src/cli/failure.ts';

const told = (hint: string, width: number): string[] =>
  errorLines('x', hint, { width, color: false, symbols: false }).split('\n').slice(1, -1);

const TWO = 'What is on offer: kpatch-pm --installroot /mnt/i list --available   For which kernels: kpatch-pm kernels';

test('what fits stays one line', () => {
  expect(told(TWO, 200)).toEqual([`  ${TWO}`]);
});

test('two parts stand below one another', () => {
  expect(told(TWO, 80)).toEqual([
    '  What is on offer: kpatch-pm --installroot /mnt/i list --available',
    '  For which kernels: kpatch-pm kernels',
  ]);
});

test('a command that is too long has a line of its own', () => {
  expect(told(TWO, 50)).toEqual([
    '  What is on offer:',
    '    kpatch-pm --installroot /mnt/i list --available',
    '  For which kernels: kpatch-pm kernels',
  ]);
  expect(told('Move it away and run the same command again: mv /var/lib/kpatch-pm/pins.json /root/', 40)).toEqual([
    '  Move it away and run the same command',
    '  again:',
    '    mv /var/lib/kpatch-pm/pins.json /root/',
  ]);
});

test('a sentence behind a colon is broken as any other', () => {
  expect(told('See: it does not fit the kernel it names, so leave it.', 30)).toEqual([
    '  See: it does not fit the',
    '  kernel it names, so leave',
    '  it.',
  ]);
});

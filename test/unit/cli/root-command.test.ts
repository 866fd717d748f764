import { expect, test } from '@jest/globals';
import { parseArguments } from '../../../src/cli/arguments.ts';
import {
  forThisRoot,
  hintForThisRoot,
  mendingThisRoot,
  reasonsForThisRoot,
  textForThisRoot,
} from '../../../src/cli/root-command.ts';

const at = (root: string) => parseArguments(['--installroot', root, 'doctor']).options;

test.each([
  ['kpatch-pm install', 'kpatch-pm --installroot /mnt/image install'],
  ['sudo kpatch-pm doctor', 'sudo kpatch-pm --installroot /mnt/image doctor'],
  ['dnf install kpatch', 'dnf --installroot /mnt/image install kpatch'],
  ['systemctl enable kpatch.service', 'systemctl --root /mnt/image enable kpatch.service'],
  // systemctl(1): --now needs a running system.
  ['systemctl disable --now kcare.service', 'systemctl --root /mnt/image disable kcare.service'],
  ['chmod go-w /mnt/image/var', 'chmod go-w /mnt/image/var'],
])('%s', (command, expected) => {
  expect(mendingThisRoot(command, at('/mnt/image'))).toBe(expected);
  expect(mendingThisRoot(command, parseArguments(['doctor']).options)).toBe(command);
});

test('a root is quoted for the shell', () => {
  expect(mendingThisRoot('dnf install kpatch', at("/a b'c"))).toBe("dnf --installroot '/a b'\\''c' install kpatch");
});

test('where the command is for the running system only ours changes', () => {
  expect(forThisRoot('dnf install kmod', at('/mnt/image'))).toBe('dnf install kmod');
});

test.each([
  [
    'What is on offer: kpatch-pm list --available   For which kernels: kpatch-pm kernels',
    'What is on offer: kpatch-pm --installroot /mnt/image list --available   For which kernels: kpatch-pm --installroot /mnt/image kernels',
  ],
  ['Run: sudo kpatch-pm history', 'Run: sudo kpatch-pm --installroot /mnt/image history'],
  ['Lift it: kpatch-pm check-update.', 'Lift it: kpatch-pm --installroot /mnt/image check-update.'],
  // What is the same for every root, and what is no command.
  ['See `kpatch-pm keys --help`.', 'See `kpatch-pm keys --help`.'],
  ['See `kpatch-pm --help`.', 'See `kpatch-pm --help`.'],
  ['another kpatch-pm runs; rm -r /var/lib/kpatch-pm keys', 'another kpatch-pm runs; rm -r /var/lib/kpatch-pm keys'],
])('in a hint: %s', (hint, expected) => {
  expect(hintForThisRoot(hint, at('/mnt/image'))).toBe(expected);
  expect(hintForThisRoot(hint, parseArguments(['doctor']).options)).toBe(hint);
});

test.each([
  ['Undo with: kpatch-pm keys unpin rhel', 'Undo with: kpatch-pm --installroot /mnt/image keys unpin rhel'],
  ['run `kpatch-pm makecache` to see why', 'run `kpatch-pm --installroot /mnt/image makecache` to see why'],
  // What somebody typed.
  [
    'The lock is held by pid 1 (kpatch-pm auto), since today.',
    'The lock is held by pid 1 (kpatch-pm auto), since today.',
  ],
])('in a sentence: %s', (text, expected) => {
  expect(textForThisRoot(text, at('/mnt/image'))).toBe(expected);
  expect(textForThisRoot(text, parseArguments(['doctor']).options)).toBe(text);
  const plan = (one: string) => ({ skipped: [{ because: { code: 'held', text: one } }], count: 2, name: one });
  expect(reasonsForThisRoot(plan(text), at('/mnt/image'))).toEqual({ ...plan(expected), name: text });
});

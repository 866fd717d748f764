// What the kernel shows of a live patch: functions below it in sysfs, functions in the tracer's list, build ids.
import { afterAll, expect, test } from '@jest/globals';
import { livepatches, loadedBuildId } from '../../../src/host/livepatch.ts';
import { Root } from '../../../src/host/root.ts';
import { functionProof } from '../../../src/observe/system/functions.ts';
import { removeTrees, tree } from '../../support/config-root.ts';
import { buildIdNote, livePatch } from '../../support/elf.ts';

afterAll(removeTrees);

const LIVEPATCH = 'sys/kernel/livepatch/m';

test.each([true, false])('the build id of a loaded module, little-endian %s', (little) => {
  const root = new Root(
    tree({ 'sys/module/m/notes/.note.gnu.build-id': buildIdNote('00112233445566778899aabbccddeeff00112233', little) }),
  );
  expect(loadedBuildId(root, 'm')).toBe('00112233445566778899aabbccddeeff00112233');
  expect(loadedBuildId(root, 'other')).toBeNull();
});

test.each([
  ['empty', Buffer.alloc(0)],
  ['cut', buildIdNote('aabb').subarray(0, 17)],
  ['too long a length', Buffer.from(buildIdNote('aa').fill(255, 4, 8))],
])('a note that is %s gives none', (_what, bytes) => {
  expect(loadedBuildId(new Root(tree({ 'sys/module/m/notes/.note.gnu.build-id': bytes })), 'm')).toBeNull();
});

test('livepatches carry it where there is one', () => {
  const files = { [`${LIVEPATCH}/enabled`]: '1\n', [`${LIVEPATCH}/transition`]: '0\n' };
  expect(livepatches(new Root(tree(files)))).toEqual([{ module: 'm', enabled: true, transition: false }]);
  const withNote = { ...files, 'sys/module/m/notes/.note.gnu.build-id': buildIdNote('aabb') };
  expect(livepatches(new Root(tree(withNote)))).toEqual([
    { module: 'm', enabled: true, transition: false, buildId: 'aabb' },
  ]);
});

test('a file that is no module proves nothing', () => {
  const root = new Root(tree({ 'a.ko': 'no module' }));
  expect(functionProof(root, root, 'a.ko', 'm')).toBeNull();
  expect(functionProof(root, root, 'none.ko', 'm')).toBeNull();
});

/** A module file that says which functions it replaces: `.kpatch.funcs`, its relocations, one symbol for the strings. */
function patching(functions: readonly (readonly [object: string, name: string])[]): Buffer {
  const strings: string[] = [];
  const place = (text: string): number => {
    const at = strings.reduce((sum, one) => sum + one.length + 1, 0);
    strings.push(text);
    return at;
  };
  const relocations = functions.flatMap(([object, name], n) =>
    [[n * 56 + 40, place(name)] as const, [n * 56 + 48, place(object)] as const].map(([offset, addend]) => {
      const entry = Buffer.alloc(24);
      entry.writeUInt32LE(offset, 0);
      entry.writeUInt32LE(1, 12);
      entry.writeUInt32LE(addend, 16);
      return entry;
    }),
  );
  const symbols = Buffer.alloc(48);
  // The strings are the third section: .modinfo, .gnu.linkonce.this_module, .kpatch.strings.
  symbols.writeUInt16LE(3, 24 + 6);
  return livePatch({
    name: 'm',
    release: '5.14.0-1.el9.x86_64',
    more: {
      '.kpatch.strings': Buffer.from(`${strings.join('\0')}\0`),
      '.kpatch.funcs': Buffer.alloc(56 * functions.length),
      '.rela.kpatch.funcs': Buffer.concat(relocations),
      '.symtab': symbols,
    },
  });
}

const MODULE = patching([
  ['vmlinux', 'first'],
  ['vmlinux', 'second'],
  ['xfs', 'elsewhere'],
]);
const listed = { [`${LIVEPATCH}/vmlinux/first,1/x`]: '', [`${LIVEPATCH}/vmlinux/second,1/x`]: '' };
const TRACER = `first (1) R I     \ttramp: 0xffffffffc03f5000 (klp_ftrace_handler+0x0/0x210) ->ftrace_ops_assist_func\nother (2)\n`;

test.each([
  ['all listed, no tracer', { ...listed }, { expected: 2, missing: [], unhooked: null }],
  ['one not listed', { [`${LIVEPATCH}/vmlinux/first,1/x`]: '' }, { expected: 2, missing: ['second'], unhooked: null }],
  [
    'the tracer has one',
    { ...listed, 'sys/kernel/tracing/enabled_functions': TRACER },
    { expected: 2, missing: [], unhooked: ['second'] },
  ],
  [
    'the tracer has both, at its old place',
    { ...listed, 'sys/kernel/debug/tracing/enabled_functions': `${TRACER}second (1) R I\ttramp\n` },
    { expected: 2, missing: [], unhooked: [] },
  ],
  [
    'hooked, but not redirected',
    { ...listed, 'sys/kernel/tracing/enabled_functions': 'first (1) R\t\nsecond (1)\n' },
    { expected: 2, missing: [], unhooked: ['first', 'second'] },
  ],
])('functions: %s', (_what, files, proof) => {
  const root = new Root(tree({ 'm.ko': MODULE, ...files }));
  expect(functionProof(root, root, 'm.ko', 'm')).toEqual(proof);
});

test('a module of another tool names no functions: those of sysfs count', () => {
  const plain = livePatch({ name: 'm', release: '5.14.0-1.el9.x86_64' });
  const root = new Root(tree({ 'm.ko': plain, ...listed, 'sys/kernel/tracing/enabled_functions': TRACER }));
  expect(functionProof(root, root, 'm.ko', 'm')).toEqual({ expected: 2, missing: [], unhooked: ['second'] });
});

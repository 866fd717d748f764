import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { moduleFacts } from '../../../src/formats/elf/module.ts';
import { codeOf } from '../../support/code-of.ts';
import { buildIdNote, elf, livePatch, modinfo, thisModule } from '../../support/elf.ts';

const RELEASE = '5.14.0-427.13.1.el9_4.x86_64';
const NAME = 'kpatch_5_14_0_427_13_1_1_2';

describe('facts of a module', () => {
  test.each([
    ['x86_64', 64, true, 62],
    ['ppc64le', 64, true, 21],
    ['ppc64', 64, false, 21],
    ['s390x', 64, false, 22],
    ['aarch64', 64, true, 183],
    ['i686', 32, true, 3],
    ['ppc', 32, false, 20],
    ['armv7hl', 32, true, 40],
    ['riscv64', 64, true, 243],
  ] as const)('are read on %s (%i bit, little endian %s)', (machine, bits, little, number) => {
    const more = {
      '.note.gnu.build-id': buildIdNote('00112233aabb', little),
      '.kpatch.checksum': Buffer.from('abc\0'),
    };
    const facts = moduleFacts(livePatch({ name: NAME, release: RELEASE, bits, little, machine: number, more }));
    expect(facts).toEqual({
      name: NAME,
      vermagic: `${RELEASE} SMP mod_unload `,
      release: RELEASE,
      livepatch: true,
      machine,
      checksum: 'abc',
      buildId: '00112233aabb',
      srcversion: null,
      depends: [],
      signature: null,
      functions: [],
    });
  });

  test.each([
    ['an ordinary module', ['vermagic=1 SMP'], false],
    ['livepatch=N', ['vermagic=1 SMP', 'livepatch=N'], false],
    ['livepatch=Y', ['livepatch=Y', 'vermagic=1 SMP'], true],
    ['a description that mentions it', ['description=livepatch=Y', 'vermagic=1 SMP'], false],
  ])('%s', (_, info, livepatch) => {
    expect(moduleFacts(livePatch({ name: 'a', release: '', modinfo: info })).livepatch).toBe(livepatch);
  });

  test('dependencies and srcversion', () => {
    const info = ['vermagic=1 SMP', 'depends=dm_mod,xfs', 'srcversion=ABC'];
    expect(moduleFacts(livePatch({ name: 'a', release: '', modinfo: info }))).toMatchObject({
      depends: ['dm_mod', 'xfs'],
      srcversion: 'ABC',
    });
  });
});

describe('refused', () => {
  const good = { '.modinfo': modinfo('vermagic=1 SMP'), '.gnu.linkonce.this_module': thisModule('a') };
  test.each<[string, Buffer, RegExp]>([
    ['an empty file', Buffer.alloc(0), /empty/],
    ['a text', Buffer.from('#!/bin/sh\n'.repeat(20)), /does not start as an ELF/],
    ['an ELF header alone', elf({ sections: good }).subarray(0, 64), /section table/],
    ['a program', elf({ type: 2, sections: good }), /no relocatable/],
    ['an unknown machine', elf({ machine: 999, sections: good }), /machine number 999/],
    ['no .modinfo', elf({ sections: { '.text': Buffer.alloc(8) } }), /no \.modinfo/],
    ['no vermagic', elf({ sections: { ...good, '.modinfo': modinfo('license=GPL') } }), /no vermagic/],
    ['no name', elf({ sections: { '.modinfo': modinfo('vermagic=1 SMP') } }), /module name/],
    ['a name with a slash', elf({ sections: { '.modinfo': modinfo('vermagic=1', 'name=../x') } }), /module name/],
    ['two vermagics', livePatch({ name: 'a', release: '', modinfo: ['vermagic=1 SMP', 'vermagic=2 SMP'] }), /twice/],
    ['two names', livePatch({ name: 'a', release: '', modinfo: ['vermagic=1 SMP', 'name=b'] }), /"b" and "a"/],
  ])('%s', (_, bytes, why) => {
    expect(codeOf(() => moduleFacts(bytes))).toBe('not-a-module');
    expect(() => moduleFacts(bytes)).toThrow(why);
  });
});

test('whatever bytes change, the answer is facts or not-a-module', () => {
  const whole = livePatch({
    name: NAME,
    release: RELEASE,
    more: {
      '.note.gnu.build-id': buildIdNote('00112233'),
      '.kpatch.funcs': Buffer.alloc(112),
      '.symtab': Buffer.alloc(96),
    },
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
      fc.nat(whole.length),
      (flips, cut) => {
        const bytes = Buffer.from(whole.subarray(0, whole.length - (cut % 3 === 0 ? cut : 0)));
        for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
        expect(['accepted', 'not-a-module']).toContain(codeOf(() => moduleFacts(bytes)));
      },
    ),
    { seed: 20240606, numRuns: 3000 },
  );
});

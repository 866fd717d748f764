import { describe, expect, test } from '@jest/globals';
import { parseNevra } from '../../../src/domain/nevra.ts';
import { glob, hiddenBy } from '../../../src/observe/repo/filter.ts';

describe('globs are those of fnmatch', () => {
  test.each<[string, string, boolean]>([
    ['kpatch*', 'kpatch-patch-5_14_0-1', true],
    ['kpatch', 'kpatch-patch', false],
    ['*', '', true],
    ['k?atch', 'kpatch', true],
    ['k[a-p]atch', 'kpatch', true],
    ['k[!p]atch', 'kpatch', false],
    ['k[^p]atch', 'kqatch', true],
    ['[]x]', ']', true],
    ['a[', 'a[', true],
    ['[z-a]', 'm', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a.c', 'abc', false],
    ['a(b|c)+', 'ab', false],
    ['**', 'anything', true],
    ['K*', 'kpatch', false],
  ])('%s on %s', (pattern, text, matches) => {
    expect(glob(pattern)(text)).toBe(matches);
  });
});

const PATCH = 'kpatch-patch-5_14_0-427_13_1-1-3.el9_4.x86_64';
const EPOCH = 'kpatch-patch-5_14_0-427_13_1-2:1-3.el9_4.x86_64';

function hides(rules: { exclude?: string[]; include?: string[] }, text: string): string | null {
  const nevra = parseNevra(text);
  if (nevra === null) throw new Error(text);
  return hiddenBy({ id: 'baseos', excludepkgs: rules.exclude ?? [], includepkgs: rules.include ?? [] })(nevra);
}

describe('a pattern names a package in any form', () => {
  test.each([
    'kpatch-patch-5_14_0-427_13_1',
    'kpatch-patch-5_14_0-427_13_1.x86_64',
    'kpatch-patch-5_14_0-427_13_1-1',
    'kpatch-patch-5_14_0-427_13_1-1-3.el9_4',
    'kpatch-patch-5_14_0-427_13_1-0:1-3.el9_4.x86_64',
    'kpatch-patch-5_14_0-427_13_1-*:1-3.el9_4.x86_64',
    PATCH,
    'kpatch*',
    '*patch*x86_64',
    'kpatch-*-1-3*',
    'kpatch-patch-5_14_0-427_13_1-1-[0-9].*',
    '*',
  ])('%s', (pattern) => {
    expect(hides({ exclude: [pattern] }, PATCH)).toBe(`excludepkgs=${pattern} (repository baseos)`);
  });

  test.each([
    'kpatch',
    'kpatch-patch',
    'kpatch-patch-5_14_0-427_13_1-1-2.el9_4',
    'kpatch-patch-5_14_0-427_13_1.aarch64',
    'kpatch-patch-5_14_0-427_13_1-1:1-3.el9_4.x86_64',
    'x86_64',
    '',
  ])('not %s', (pattern) => {
    expect(hides({ exclude: [pattern] }, PATCH)).toBeNull();
  });

  test('an epoch in the pattern counts, none in the pattern means any', () => {
    expect(hides({ exclude: ['kpatch-*-2:1-3.el9_4.x86_64'] }, EPOCH)).not.toBeNull();
    expect(hides({ exclude: ['kpatch-*-0:1-3.el9_4.x86_64'] }, EPOCH)).toBeNull();
    expect(hides({ exclude: ['kpatch-patch-5_14_0-427_13_1-1-3.el9_4.x86_64'] }, EPOCH)).not.toBeNull();
  });
});

describe('includes', () => {
  test('hide what they do not name', () => {
    expect(hides({ include: ['kernel*'] }, PATCH)).toBe('not in includepkgs=kernel* (repository baseos)');
    expect(hides({ include: ['kernel*', 'kpatch*'] }, PATCH)).toBeNull();
  });

  test('never bring back what is excluded', () => {
    expect(hides({ include: [PATCH], exclude: ['kpatch-patch*'] }, PATCH)).toContain('excludepkgs');
  });
});

// What administrators type after reading the vendor's documentation, and what it names.
import { describe, expect, test } from '@jest/globals';
import { isPinned, parseSpecs, type Spec, select } from '../../../src/decide/spec.ts';
import { formatNevra } from '../../../src/domain/nevra.ts';
import { K, offer } from '../../support/world.ts';

const K2 = '5.14.0-427.13.1.el9_4.x86_64';
const running = K;
const requirement = (evr: string, name = 'kpatch-patch', operator = '='): Spec => ({
  kind: 'requirement',
  text: `${name} ${operator} ${evr}`,
  dependency: { name, flags: ({ '=': 'EQ', '>=': 'GE', '<': 'LT' } as const)[operator] as 'EQ', evr },
});
const pattern = (text: string): Spec => ({ kind: 'pattern', text });

describe('reading', () => {
  test.each<[string, string[], Spec[]]>([
    ['the documented form', [`kpatch-patch = ${K}`], [requirement(K)]],
    ['without spaces', [`kpatch-patch=${K}`], [requirement(K)]],
    ['two equal signs', [`kpatch-patch == ${K}`], [requirement(K)]],
    ['more spaces than needed', [`  kpatch-patch   =   ${K} `], [requirement(K)]],
    ['no quotes at all: three words', ['kpatch-patch', '=', K], [requirement(K)]],
    ['split after the sign', ['kpatch-patch =', K], [requirement(K)]],
    ['split before the sign', ['kpatch-patch', `=${K}`], [requirement(K)]],
    ['curly quotes, split by the shell', ['\u201ckpatch-patch', '=', `${K}\u201d`], [requirement(K)]],
    ['curly quotes inside straight ones', [`\u201ckpatch-patch = ${K}\u201d`], [requirement(K)]],
    ['low and high quotes', [`\u201ekpatch-patch = ${K}\u201c`], [requirement(K)]],
    ['guillemets', [`\u00abkpatch-patch = ${K}\u00bb`], [requirement(K)]],
    ['doubled quotes', [`"kpatch-patch = ${K}"`], [requirement(K)]],
    ['single quotes kept the shell from running uname', ['kpatch-patch = $(uname -r)'], [requirement(K)]],
    ['the same with backticks', ['kpatch-patch = `uname -r`'], [requirement(K)]],
    ['no-break spaces', [`kpatch-patch\u00a0=\u00a0${K}`], [requirement(K)]],
    ['typeset dashes', [`kpatch\u2011patch = ${K.replace('-', '\u2013')}`], [requirement(K)]],
    [
      'a version range',
      ['kpatch-patch-5_14_0-362_8_1 >= 1-2'],
      [requirement('1-2', 'kpatch-patch-5_14_0-362_8_1', '>=')],
    ],
    ['an epoch of zero', ['kpatch-patch = 0:1-2'], [requirement('1-2')]],
    ['a plain name', ['kpatch-patch'], [pattern('kpatch-patch')]],
    ['several', ['a', 'b*', 'kpatch-patch = 1'], [pattern('a'), pattern('b*'), requirement('1')]],
    ['a CVE', ['cve-2024-1086'], [{ kind: 'cve', text: 'CVE-2024-1086' }]],
    ['a file', ['./x-1-1.x86_64.rpm'], [{ kind: 'file', text: './x-1-1.x86_64.rpm' }]],
    ['a URL', ['https://example.com/x'], [{ kind: 'file', text: 'https://example.com/x' }]],
    ['a module file', ['kpatch-5_14_0.ko'], [{ kind: 'file', text: 'kpatch-5_14_0.ko' }]],
    ['nothing but quotes', ['""'], []],
  ])('%s', (_, words, specs) => {
    expect(parseSpecs(words, running)).toEqual(specs);
  });

  test('without a running kernel uname stays as it was typed, and fits nothing', () => {
    const [spec] = parseSpecs(['kpatch-patch = $(uname'], null);
    expect(select(spec as Spec, [offer(K, '1-1')])).toEqual([]);
  });
});

describe('what is named', () => {
  const packages = [offer(K, '1-1'), offer(K, '1-2'), offer(K, '1-10'), offer(K2, '1-1', { epoch: 1 })];
  const chosen = (...words: string[]) =>
    parseSpecs(words, running).flatMap((spec) => select(spec, packages).map(formatNevra));
  const [one, two, ten, other] = packages.map(formatNevra) as [string, string, string, string];

  test.each<[string, string[]]>([
    [`kpatch-patch = ${K}`, [one, two, ten]],
    ['kpatch-patch = $(uname -r)', [one, two, ten]],
    ['kpatch-patch = 5.14.0-362.8.1.el9_3', [one, two, ten]],
    ['kpatch-patch = 5.14.0-362.8.1', []],
    ['kpatch-patch = 5.14.0', []],
    ['kpatch-patch', [one, two, ten, other]],
    ['kpatch-patch-5_14_0-362_8_1', [one, two, ten]],
    ['kpatch-patch-5_14_0-362_8_1.x86_64', [one, two, ten]],
    ['kpatch-patch-5_14_0-362_8_1.ppc64le', []],
    ['kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64', [two]],
    ['kpatch-patch-5_14_0-362_8_1-1-2.el9_3', [two]],
    ['kpatch-patch-5_14_0-362_8_1-0:1-2.el9_3.x86_64', [two]],
    ['kpatch-patch-5_14_0-362_8_1-1', [one, two, ten]],
    ['kpatch-patch-5_14_0-427_13_1-1:1-1.el9_3.x86_64', [other]],
    ['kpatch-patch-*-1-10*', [ten]],
    ['kpatch-patch-5_14_0-4*', [other]],
    ['kpatch-patch-5_14_0-362_8_1 < 1-10', [one, two]],
    ['kpatch_5_14_0_362_8_1_1_2', [two]],
    ['kpatch_5_14_0_362_8_1_1_1*', [one, ten]],
    ['kpatch-5_14_0-362_8_1-1-2', [two]],
    ['kpatch', []],
    ['kernel', []],
    ['*', [one, two, ten, other]],
  ])('%s', (word, expected) => {
    expect(chosen(word)).toEqual(expected);
  });

  test.each<[string, boolean]>([
    ['kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64', true],
    ['kpatch-patch-5_14_0-362_8_1-1-2.el9_3', true],
    ['kpatch-patch-5_14_0-362_8_1-1-2*', true],
    ['kpatch_5_14_0_362_8_1_1_2', true],
    ['kpatch-patch-5_14_0-362_8_1', false],
    ['kpatch-patch-5_14_0-362_8_1.x86_64', false],
    ['kpatch-patch*', false],
    ['kpatch-patch', false],
    [`kpatch-patch = ${K}`, false],
    ['kpatch-patch-5_14_0-362_8_1 = 1-2.el9_3', true],
    ['kpatch-patch-5_14_0-362_8_1 <= 1-2.el9_3', false],
  ])('%s names one version: %s', (word, pinned) => {
    const [spec] = parseSpecs([word], running);
    expect(isPinned(spec as Spec, packages[1] as (typeof packages)[number])).toBe(pinned);
  });
});

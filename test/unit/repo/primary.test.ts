// The quick scan, the strict parser behind it, and that both find the same packages however the bytes arrive.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Contents, readPrimary } from '../../../src/observe/repo/primary.ts';
import { INTEREST, scanPackages, trustworthy } from '../../../src/observe/repo/scan.ts';
import { strictPackages } from '../../../src/observe/repo/strict.ts';
import { kernelCore, livePatch, primaryXml } from '../../support/repodata.ts';

const K1 = '5.14.0-427.13.1.el9_4.x86_64';

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Reads a text; tells how often it was opened (twice: the strict parser was asked). */
async function read(text: string, size = 100_000): Promise<Contents & { opened: number }> {
  let opened = 0;
  const open = async () => {
    opened++;
    return { stream: pieces(Buffer.from(text), size), check() {} };
  };
  const contents = await readPrimary(open, 'package list of x');
  return { ...contents, opened };
}

const names = (contents: Contents): string[] => contents.packages.map(({ name }) => name);
const usual = [
  { name: 'bash' },
  livePatch(K1, '1-1'),
  {
    name: 'kernel-modules',
    format: '<rpm:requires><rpm:entry name="kernel-uname-r" flags="EQ" ver="1"/></rpm:requires>',
  },
  kernelCore(K1),
  { name: 'kpatch', version: '0.9.7', release: '2.el9', arch: 'noarch' },
  { name: 'zsh' },
];

describe('what is kept', () => {
  test('live patches, kernels that boot, the utility, and nothing else', async () => {
    const contents = await read(primaryXml(usual));
    expect(names(contents)).toEqual(['kpatch-patch-5_14_0-427_13_1', 'kpatch']);
    expect(contents.kernels).toEqual([
      { name: 'kernel-core', epoch: 0, version: '5.14.0', release: '427.13.1.el9_4', arch: 'x86_64', uname: K1 },
    ]);
    expect(contents.opened).toBe(1);
  });

  test('every value of a package', async () => {
    const { packages } = await read(primaryXml([livePatch(K1, '1-10', { epoch: 2 })]));
    expect(packages[0]).toEqual({
      name: 'kpatch-patch-5_14_0-427_13_1',
      arch: 'x86_64',
      epoch: 2,
      version: '1',
      release: '10.el9',
      href: 'Packages/kpatch-patch-5_14_0-427_13_1-1-10.el9.x86_64.rpm',
      base: null,
      size: expect.any(Number),
      installedSize: 100,
      fileTime: 1700000001,
      buildTime: 1_700_000_000,
      checksum: { type: 'sha256', value: expect.stringMatching(/^[0-9a-f]{64}$/) },
      summary: 'Summary of kpatch-patch-5_14_0-427_13_1',
      provides: [{ name: 'kpatch-patch', flags: 'EQ', evr: K1 }],
      requires: [{ name: 'kernel-uname-r', flags: 'EQ', evr: K1 }],
      conflicts: [],
      obsoletes: [],
      files: [],
    });
  });

  test('who obsoletes a live patch, but not who only talks of it', async () => {
    const obsoletes =
      '<rpm:obsoletes><rpm:entry name="kpatch-patch-5_14_0-1" flags="LT" epoch="1" ver="1" rel="3"/></rpm:obsoletes>';
    const contents = await read(
      primaryXml([
        { name: 'withdrawn', format: `${obsoletes}<file>/etc/a&amp;b</file><file type="dir">/etc/c</file>` },
        { name: 'talker', format: '<!-- kpatch-patch --><rpm:vendor>kpatch-patch friends</rpm:vendor>' },
      ]),
    );
    expect(names(contents)).toEqual(['withdrawn']);
    expect(contents.packages[0]?.obsoletes).toEqual([{ name: 'kpatch-patch-5_14_0-1', flags: 'LT', evr: '1:1-3' }]);
    expect(contents.packages[0]?.files).toEqual(['/etc/a&b', '/etc/c']);
  });

  test('neither sources nor debugging symbols', async () => {
    const contents = await read(
      primaryXml([
        livePatch(K1, '1-1', { arch: 'src' }),
        livePatch(K1, '1-1', { name: 'kpatch-patch-5_14_0-1-debuginfo' }),
        livePatch(K1, '1-1', { name: 'kpatch-patch-5_14_0-1-debugsource' }),
        kernelCore(K1, { arch: 'src' }),
      ]),
    );
    expect([names(contents), contents.kernels]).toEqual([[], []]);
  });

  test('a weak checksum counts as none; a package without location is no offer', async () => {
    const contents = await read(
      primaryXml([livePatch(K1, '1-1', { checksumType: 'md5' }), livePatch(K1, '1-2', { location: '' })]),
    );
    expect(contents.packages.map(({ release, checksum }) => [release, checksum])).toEqual([['1.el9', null]]);
  });
});

describe('shapes the scan cannot vouch for go through the strict parser', () => {
  const list = primaryXml(usual);
  const hidden = '<package type="rpm"><name>kpatch-patch-evil</name></package>';
  test.each([
    ['a package inside a comment', list.replace('<name>zsh', `<!-- ${hidden} --><name>zsh`)],
    ['a package inside CDATA', list.replace('Nothing &amp; more', `<![CDATA[${hidden}]]>`)],
    ['an end inside CDATA', list.replace('Nothing &amp; more', '<![CDATA[</package>]]>')],
    ['no count', list.replace(/ packages="\d+"/, '')],
    ['a wrong count', list.replace(/packages="\d+"/, 'packages="7"')],
    ['packages with a line break after the name', list.replaceAll('<package type', '<package\n type')],
    ['another prefix', list.replaceAll('rpm:', 'r:').replace('xmlns:rpm', 'xmlns:r')],
  ])('%s', async (_what, text) => {
    const contents = await read(text);
    expect(names(contents)).toEqual(['kpatch-patch-5_14_0-427_13_1', 'kpatch']);
    expect(contents.kernels.map(({ uname }) => uname)).toEqual([K1]);
    expect(contents.packages[0]?.requires).toEqual([{ name: 'kernel-uname-r', flags: 'EQ', evr: K1 }]);
  });

  test.each([
    ['cut off', primaryXml(usual).slice(0, -30)],
    ['a document type', primaryXml(usual).replace('<metadata', '<!DOCTYPE m [<!ENTITY a "b">]><metadata')],
    [
      'an undefined entity',
      primaryXml(usual)
        .replace(/packages="\d+"/, '')
        .replace('Nothing &amp;', 'Nothing &nope;'),
    ],
    ['another root', '<otherdata packages="0"/>'],
    ['empty', ''],
    ['no XML', 'Service unavailable'],
  ])('%s is refused', async (_what, text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'primary-malformed' });
  });

  test('an entry that only the real parser can read is kept without reading the list twice', async () => {
    const text = primaryXml(usual).replaceAll('<summary>', '<summary>caf&#233; &amp; ');
    expect(text).toContain('&#233;');
    const contents = await read(text);
    expect(names(contents)).toEqual(['kpatch-patch-5_14_0-427_13_1', 'kpatch']);
    expect(contents.packages[0]?.summary).toMatch(/^caf\u00e9 & /);
    expect(contents.kernels.map(({ uname }) => uname)).toEqual([K1]);
    expect(contents.opened).toBe(1);
  });

  test('a broken entry of interest is refused', async () => {
    const text = primaryXml([livePatch(K1, '1-1')]).replace('</summary>', '</sumary>');
    await expect(read(text)).rejects.toMatchObject({ code: 'primary-malformed' });
    const nameless = primaryXml([livePatch(K1, '1-1')]).replace(/<version[^>]*>/, '');
    await expect(read(nameless)).rejects.toThrow('without name, architecture or version');
  });

  test('bytes that are no UTF-8 are refused by the strict parser', async () => {
    const bytes = Buffer.from(primaryXml(usual, '').replace('Nothing', 'N\u00ff'), 'latin1');
    await expect(strictPackages(pieces(bytes, 10), 'x', () => {})).rejects.toMatchObject({ code: 'primary-malformed' });
  });
});

describe('limits', () => {
  test('an entry that never ends', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('<metadata packages="1"><package type="rpm"><name>kpatch-patch-x</name>');
      const filling = Buffer.alloc(1024 * 1024, 'x');
      for (let n = 0; n < 40; n++) yield filling;
    }
    const result = await scanPackages(endless(), INTEREST, () => {});
    expect(trustworthy(result)).toBe(false);
    await expect(strictPackages(endless(), 'x', () => {})).rejects.toThrow('too long');
  });

  test('an entry of interest that is longer than any', async () => {
    const files = '<file>/usr/lib/kpatch/a/long/name/of/a/file</file>'.repeat(100_000);
    await expect(read(primaryXml([livePatch(K1, '1-1', { format: files })]))).rejects.toMatchObject({
      code: 'too-large',
    });
  });

  test('kernels that only the real parser can read are not gathered without end', async () => {
    const summary = `<summary>&#120;${'x'.repeat(1024 * 1024)}`;
    const text = primaryXml([kernelCore(K1)]).replace('<summary>', summary);
    expect((await read(text)).kernels).toHaveLength(1);
    const [before = '', entry = '', after = ''] = text.split(/(<package .*<\/package>)/s);
    await expect(read(before + entry.repeat(50) + after)).rejects.toMatchObject({ code: 'too-large' });
  });
});

test('the size of the pieces never matters, and the strict parser finds the same', async () => {
  const text = primaryXml(usual);
  const whole = await read(text);
  const strict = await read(primaryXml(usual, ''));
  expect({ ...strict, opened: 0 }).toEqual({ ...whole, opened: 0 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), async (size) => {
      expect(await read(text, size)).toEqual(whole);
    }),
    { numRuns: 60 },
  );
});

test('entries longer than a window', async () => {
  const long = `<rpm:provides>${'<rpm:entry name="kernel(symbol)" flags="EQ" ver="0x1"/>'.repeat(20_000)}</rpm:provides>`;
  const contents = await read(
    primaryXml([kernelCore(K1), { name: 'kernel-modules', format: long }, livePatch(K1, '1-1')]),
    64 * 1024,
  );
  expect([contents.opened, contents.kernels.length, contents.packages.length]).toEqual([1, 1, 1]);
});

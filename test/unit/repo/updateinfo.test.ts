// updateinfo.xml: what is read of it, however vendors write it, and what is refused.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { readUpdateinfo } from '../../../src/observe/repo/updateinfo.ts';
import { xmlReader } from '../../../src/observe/repo/xml.ts';
import { corpusDir, describeCorpus } from '../../support/corpus.ts';

/** The code it is refused with. */
async function codeOf(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof KpmError) return error.code;
    throw error;
  }
  return 'accepted';
}

/** Reads a text given in pieces of `size` bytes; also how often it was opened (2: the strict parser was needed). */
async function read(text: string | Buffer, size = 1 << 16) {
  const bytes = Buffer.from(text as string);
  let opened = 0;
  const open = async () => {
    opened++;
    async function* stream() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    return { stream: stream(), check: () => undefined };
  };
  const list = await readUpdateinfo(open, 'the list', await xmlReader());
  return { list, opened };
}

const pkg = (name: string, more = '') => `<package name="${name}" version="1" release="2.el9" arch="x86_64"${more}/>`;
const update = (id: string, inside: string, attributes = ' type="security"') =>
  `<update from="x"${attributes}><id>${id}</id>${inside}</update>`;
const list = (packages: string) => `<pkglist><collection short="c"><name>c</name>${packages}</collection></pkglist>`;
const whole = (entries: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${entries}\n</updates>\n`;

const PLAIN = update(
  'A-1',
  `<title>a &amp; b</title><issued date="2024-01-10"/><severity>Important</severity>
  <references><reference href="h" id="CVE-2024-0001" type="cve" title="t"/><reference id="99" type="bugzilla" title="b" href=""/>
  <reference id="CVE-2024-0001" type="cve"/></references>${list(pkg('kpatch-patch-5_14_0-1', ' epoch="2"'))}`,
);

test('an ordinary entry', async () => {
  const { list: found, opened } = await read(whole(PLAIN));
  expect(opened).toBe(1);
  expect(found).toEqual([
    {
      id: 'A-1',
      type: 'security',
      severity: 'Important',
      title: 'a & b',
      description: '',
      rights: '',
      issued: '2024-01-10',
      updated: null,
      references: [
        { type: 'cve', id: 'CVE-2024-0001', title: 't', href: 'h' },
        { type: 'bugzilla', id: '99', title: 'b', href: '' },
        { type: 'cve', id: 'CVE-2024-0001', title: '', href: '' },
      ],
      cves: ['CVE-2024-0001'],
      packages: [
        {
          name: 'kpatch-patch-5_14_0-1',
          epoch: 2,
          version: '1',
          release: '2.el9',
          arch: 'x86_64',
          rebootSuggested: false,
        },
      ],
    },
  ]);
});

test.each([1, 7, 64, 4096])('the same in pieces of %d bytes', async (size) => {
  const text = whole(`${update('other', list(pkg('bash')))}${PLAIN}${update('B', list(pkg('kernel-core')))}`);
  const { list: found, opened } = await read(text, size);
  expect([opened, found.map(({ id }) => id)]).toEqual([1, ['A-1', 'B']]);
});

describe('what is kept', () => {
  const kept = async (entries: string) => (await read(whole(entries))).list;

  test.each([
    ['kpatch-patch-5_14_0-1', true],
    ['kernel', true],
    ['kernel-rt-core', true],
    ['kernel-livepatch-6.1.12-19.43', true],
    ['kernel-debuginfo', false],
    ['kernel-debuginfo-common-x86_64', false],
    ['kpatch-patch-5_14_0-1-debugsource', false],
    ['bash', false],
    ['not-kernel', false],
  ])('%s: %s', async (name, yes) => {
    expect((await kept(update('A', list(pkg(name))))).length).toBe(yes ? 1 : 0);
  });

  test('no source packages, no entry without an id, each package once', async () => {
    expect(await kept(update('A', list('<package name="kernel" version="1" release="1" arch="src"/>')))).toEqual([]);
    expect(await kept(`<update>${list(pkg('kernel'))}</update>`)).toEqual([]);
    const [one] = await kept(update('A', list(pkg('kernel') + pkg('kernel'))));
    expect(one?.packages.length).toBe(1);
  });

  test('collections of another name (openEuler), several lists, packages without any collection', async () => {
    const inside = `<pkglist><hot_patch_collection><name>x</name>${pkg('kpatch-a')}</hot_patch_collection><collection>${pkg('kernel-a')}</collection></pkglist><pkglist>${pkg('kernel-b')}</pkglist>`;
    const [one] = await kept(update('A', inside));
    expect(one?.packages.map(({ name }) => name).sort()).toEqual(['kernel-a', 'kernel-b', 'kpatch-a']);
  });

  test.each([
    ['<reboot_suggested/>', true],
    ['<reboot_suggested>True</reboot_suggested>', true],
    ['<reboot_suggested>False</reboot_suggested>', false],
    ['', false],
  ])('reboot suggested %s: %s', async (inside, yes) => {
    const [one] = await kept(
      update('A', list(`<package name="kernel" version="1" release="1" arch="x86_64">${inside}</package>`)),
    );
    expect(one?.packages[0]?.rebootSuggested).toBe(yes);
  });

  test('a type nobody knows, no type, no severity, a CVE by type only, no CVE in a bug title', async () => {
    const refs =
      '<references><reference type="other" id="cve-2024-5555"/><reference type="cve" id="" title="CVE-2024-7777"/><reference type="bugzilla" id="1" title="CVE-2024-8888 kernel: x"/></references>';
    const [one] = await kept(update('A', refs + list(pkg('kernel')), ' type="odd"'));
    expect([one?.type, one?.severity, one?.cves]).toEqual(['unknown', null, ['CVE-2024-5555', 'CVE-2024-7777']]);
  });
});

describe('unusual ways of writing are read by the strict parser', () => {
  test.each([
    ['a comment with an entry in it', whole(`<!-- ${update('GHOST', list(pkg('kernel')))} -->${PLAIN}`)],
    ['a comment inside an entry', whole(PLAIN.replace('<title>', '<!-- </update> --><title>'))],
    ['CDATA', whole(PLAIN.replace('a &amp; b', '<![CDATA[a & b]]>'))],
    ['a processing instruction', whole(`<?pi <update > ?>${PLAIN}`)],
    ['a prefix', whole(PLAIN).replaceAll('<', '<u:').replaceAll('<u:/', '</u:').replace('<u:?', '<?')],
  ])('%s', async (_what, text) => {
    const { list: found, opened } = await read(text);
    expect(opened).toBe(2);
    expect(found.map(({ id, title, cves }) => [id, title, cves])).toEqual([['A-1', 'a & b', ['CVE-2024-0001']]]);
  });
});

describe('refused', () => {
  test.each([
    ['cut off', whole(PLAIN).slice(0, -14)],
    ['cut inside an entry', whole(PLAIN).slice(0, -40)],
    ['a login page', '<html><body>Please log in</body></html>'],
    ['nothing', ''],
    ['another document', '<metadata packages="0"></metadata>'],
    ['a document type', whole(PLAIN).replace('<updates>', '<!DOCTYPE x [<!ENTITY e "y">]><updates>')],
    ['an entry without an end', whole(PLAIN.replace('</update>', ''))],
    ['an entry that does not parse', whole(PLAIN.replace('</title>', '</titel>'))],
    [
      'not UTF-8',
      Buffer.concat([Buffer.from(whole(PLAIN).replace('<title>', '<title><!-- x -->')), Buffer.from([0xff])]),
    ],
  ])('%s', async (_what, text) => {
    expect(await codeOf(() => read(text))).toBe('updateinfo-malformed');
  });

  test('more advisories than anybody has: memory stays bounded', async () => {
    const many = update('A', list(pkg('kernel'))).repeat(20_001);
    expect(await codeOf(() => read(whole(many)))).toBe('too-large');
  });
});

test.each([['<updates/>'], ['<updates></updates>'], ['<?xml version="1.0"?>\n<updates>\n</updates>\n']])(
  'no advisories: %s',
  async (text) => expect(await read(text)).toEqual({ list: [], opened: 1 }),
);

const corpus = corpusDir();
describeCorpus('files of vendors', () => {
  const file = (name: string) => readFileSync(path.join(corpus as string, 'repodata', name));

  test('Amazon, kernel live patches', async () => {
    const text = gunzipSync(file('vulsdata_amazon/updateinfo_2023_kernel-livepatch.xml.gz'));
    const { list: found, opened } = await read(text);
    expect(opened).toBe(1);
    expect(found).toMatchObject([
      {
        id: 'ALAS2023LIVEPATCH-2023-001',
        type: 'security',
        severity: 'important',
        cves: ['CVE-2023-26545'],
        issued: '2023-04-13 17:56:00',
        packages: [{ name: 'kernel-livepatch-6.1.12-19.43', version: '1.0', release: '1.amzn2023' }],
      },
    ]);
  });

  test.each([
    'createrepo_updateinfo_files/updateinfo_00.xml',
    'createrepo_modified_repo_files/updateinfo_ampersand.xml',
  ])('%s: nothing about kernels', async (name) => {
    expect((await read(file(name))).list).toEqual([]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { parseRepomd, primaryRecord } from '../../../src/observe/repo/repomd.ts';
import { makeRepo } from '../../support/repodata.ts';

const parse = (text: string) => parseRepomd(Buffer.from(text), 'repomd.xml of repository x');
const refusal = async (act: () => unknown): Promise<string> => {
  try {
    await act();
  } catch (error) {
    if (error instanceof KpmError) return error.code;
    throw error;
  }
  return 'none';
};
const good = makeRepo([]).repomd.toString();
const data = (type: string, href: string, more = ''): string =>
  `<data type="${type}"><checksum type="sha256">ab</checksum><location href="${href}"/>${more}</data>`;
const doc = (inside: string): string => `<repomd>${inside}</repomd>`;

test('every value of a record', async () => {
  const {
    records: [record],
    revision,
  } = await parse(good);
  expect(record).toEqual({
    type: 'primary',
    href: expect.stringMatching(/^repodata\/[0-9a-f]{64}-primary\.xml\.gz$/),
    base: null,
    checksum: { type: 'sha256', value: expect.stringMatching(/^[0-9a-f]{64}$/) },
    openChecksum: { type: 'sha256', value: expect.stringMatching(/^[0-9a-f]{64}$/) },
    size: expect.any(Number),
    openSize: expect.any(Number),
    timestamp: 1700000000,
  });
  expect(revision).toBe('1700000000');
});

test('what may be missing or odd', async () => {
  const repomd = await parse(
    doc(
      `<revision>2026-11-21 x</revision><data><location href="a"/></data><data type="group"/>` +
        `<data type="primary"><location xml:base="http://h/" href="p&amp;q&#x41;.xml"/><timestamp>1700.5</timestamp><size>big</size></data>`,
    ),
  );
  expect(repomd.revision).toBe('2026-11-21 x');
  expect(repomd.records).toEqual([
    {
      type: 'primary',
      href: 'p&qA.xml',
      base: 'http://h/',
      checksum: null,
      openChecksum: null,
      size: null,
      openSize: null,
      timestamp: 1700,
    },
  ]);
});

test.each([
  ['nothing', ''],
  ['a login page', '<html><body>Please log in<br></body></html>'],
  ['well-formed, another root', '<html><body/></html>'],
  ['cut off', good.slice(0, -20)],
  ['cut off in the middle', good.slice(0, 300)],
  ['two roots', `${good}<repomd/>`],
  ['a document type', `<!DOCTYPE repomd [<!ENTITY a "b">]>${doc('')}`],
  [
    'an entity from outside',
    `<!DOCTYPE repomd [<!ENTITY x SYSTEM "file:///etc/passwd">]>${doc('<revision>&x;</revision>')}`,
  ],
  ['crossed tags', doc('<data type="primary"><location></data></location>')],
  ['not text', '\u0000\u0001\u0002'],
])('%s is refused', async (_what, text) => {
  expect(await refusal(() => parse(text))).toBe('repomd-malformed');
});

describe('the package list', () => {
  test('is the record of type primary', async () => {
    const both = await parse(doc(data('primary_db', 'b') + data('primary', 'a')));
    expect(primaryRecord(both, 'x').href).toBe('a');
  });

  test.each([
    ['sqlite', data('primary_db', 'p.sqlite.bz2'), 'metadata-unsupported', 'only as sqlite'],
    ['zchunk', data('primary_zck', 'p.xml.zck'), 'metadata-unsupported', 'only as zchunk'],
    ['zchunk under the plain name', data('primary', 'p.xml.zck'), 'metadata-unsupported', 'only as zchunk'],
    ['none', data('group', 'c.xml'), 'repomd-malformed', 'names no package list'],
  ])('only %s', async (_kind, inside, code, text) => {
    const repomd = await parse(doc(inside));
    expect(() => primaryRecord(repomd, 'Repository x')).toThrow(expect.objectContaining({ code }));
    expect(() => primaryRecord(repomd, 'Repository x')).toThrow(text);
  });
});

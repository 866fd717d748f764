// Headers that lie about counts, offsets, lengths and types: refused before anything is read or allocated by them.
import { describe, expect, test } from '@jest/globals';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import { packageFacts } from '../../src/formats/rpm/facts.ts';
import { MAX_PACKAGE_BYTES, parseRpm, type RpmPackage } from '../../src/formats/rpm/package.ts';
import { signatureBlobs } from '../../src/formats/rpm/signatures.ts';
import { SIGTAG, TAG, TYPE } from '../../src/formats/rpm/tags.ts';
import { assembleRpm, forgeHeader, forgeRpm, type Tag } from '../support/forge-rpm.ts';

const code = (bytes: Buffer, use: (pkg: RpmPackage) => unknown = packageFacts): string => {
  try {
    use(parseRpm(bytes));
    return 'taken';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};

const SIGNATURE = 96;
const sound = forgeRpm();
const main = sound.indexOf(Buffer.from([0x8e, 0xad, 0xe8, 0x01]), SIGNATURE + 4);
const entries = sound.readUInt32BE(main + 8);
const at = (entry: number, field: 'tag' | 'type' | 'offset' | 'count'): number =>
  main + 16 + entry * 16 + { tag: 0, type: 4, offset: 8, count: 12 }[field];
const trailer = main + 16 + entries * 16 + sound.readUInt32BE(at(0, 'offset'));

const patched = (...words: [offset: number, value: number][]): Buffer => {
  const copy = Buffer.from(sound);
  for (const [offset, value] of words) copy.writeUInt32BE(value >>> 0, offset);
  return copy;
};

test('the package that is patched below is sound', () => {
  expect(code(sound)).toBe('taken');
});

describe('no package', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['three bytes', Buffer.from([0xed, 0xab, 0xee])],
    ['an error page', Buffer.from('<!DOCTYPE html><html><body>404 Not Found</body></html>'.repeat(9))],
    ['a gzip file', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(200)])],
  ])('%s', (_, bytes) => {
    expect(code(bytes)).toBe('not-rpm');
  });

  test.each([0, 1, 3, 50, 95, 96, 97, 111, 112, 150])('%i bytes of one', (length) => {
    expect(code(sound.subarray(0, length))).toBe(length < 4 ? 'not-rpm' : 'rpm-malformed');
  });

  test('cut off anywhere in its headers', () => {
    const { payload } = parseRpm(sound);
    for (let length = 4; length < sound.length - payload.length; length++) {
      expect([length, code(sound.subarray(0, length))]).toEqual([length, 'rpm-malformed']);
    }
  });

  test('larger than the limit', () => {
    // Pages of zeros that are never touched.
    const huge = Buffer.alloc(MAX_PACKAGE_BYTES + 1);
    sound.copy(huge);
    expect(code(huge)).toBe('too-large');
  });
});

describe('main header', () => {
  const cases: [string, Buffer][] = [
    ['wrong magic', patched([main, 0x8eade802])],
    ['reserved bytes used', patched([main + 4, 1])],
    ['no entries', patched([main + 8, 0])],
    ['one entry more', patched([main + 8, entries + 1])],
    ['one entry less', patched([main + 8, entries - 1])],
    ['65,536 entries', patched([main + 8, 0x10000])],
    ['4 billion entries', patched([main + 8, 0xffffffff])],
    ['4 GiB of data', patched([main + 12, 0xffffffff])],
    ['2 GiB of data', patched([main + 12, 0x7fffffff])],
    ['one byte of data more', patched([main + 12, sound.readUInt32BE(main + 12) + 1])],
    ['type 0', patched([at(1, 'type'), 0])],
    ['type 10', patched([at(1, 'type'), 10])],
    ['type 2^31', patched([at(1, 'type'), 0x80000000])],
    ['count 0', patched([at(1, 'count'), 0])],
    ['count 2 for a single text', patched([at(1, 'count'), 2])],
    ['count 4 billion', patched([at(1, 'count'), 0xffffffff])],
    ['count 2^31-1 of 64-bit numbers', patched([at(1, 'type'), TYPE.int64], [at(1, 'count'), 0x7fffffff])],
    ['count 2^28 of texts', patched([at(1, 'type'), TYPE.stringArray], [at(1, 'count'), 0x10000000])],
    ['a text without an end', patched([at(1, 'type'), TYPE.stringArray], [at(1, 'count'), 4000])],
    ['offset behind the data', patched([at(1, 'offset'), sound.length])],
    ['negative offset', patched([at(1, 'offset'), -16])],
    ['offset into the data of the entry before', patched([at(2, 'offset'), 1])],
    ['offset into the trailer', patched([at(entries - 1, 'offset'), sound.readUInt32BE(at(0, 'offset')) + 4])],
    ['a tag twice', patched([at(2, 'tag'), sound.readUInt32BE(at(1, 'tag'))])],
    ['a negative tag', patched([at(2, 'tag'), -5])],
    ['a second region', patched([at(2, 'tag'), TAG.headerImmutable])],
  ];
  test.each(cases)('%s', (_, bytes) => {
    expect(code(bytes)).toBe('rpm-malformed');
  });
});

describe('immutable region', () => {
  const cases: [string, Buffer][] = [
    ['of another type', patched([at(0, 'type'), TYPE.int32])],
    ['of another size', patched([at(0, 'count'), 32])],
    ['outside the data', patched([at(0, 'offset'), sound.readUInt32BE(at(0, 'offset')) + 16])],
    ['at a negative offset', patched([at(0, 'offset'), -16])],
    ['at 2^31', patched([at(0, 'offset'), 0x80000000])],
    ['with another tag in its trailer', patched([trailer, TAG.headerSignatures])],
    ['with a positive size', patched([trailer + 8, entries * 16])],
    ['of no entries', patched([trailer + 8, 0])],
    ['of half an entry', patched([trailer + 8, -(entries * 16 - 8)])],
    ['larger than the header', patched([trailer + 8, -((entries + 1) * 16)])],
    // Entries outside it would be read, but no header signature made by rpm would cover them.
    ['that leaves an entry out', patched([trailer + 8, -((entries - 1) * 16)])],
  ];
  test.each(cases)('%s', (_, bytes) => {
    expect(code(bytes)).toBe('rpm-malformed');
  });
});

describe('signature header', () => {
  const cases: [string, Buffer][] = [
    ['no entries', patched([SIGNATURE + 8, 0])],
    ['4 billion entries', patched([SIGNATURE + 8, 0xffffffff])],
    ['2 GiB of data', patched([SIGNATURE + 12, 0x7fffffff])],
    ['wrong magic', patched([SIGNATURE, 0])],
    ['lead of format 2', Buffer.concat([sound.subarray(0, 4), Buffer.from([2]), sound.subarray(5)])],
    [
      'lead with another kind of signature',
      Buffer.concat([sound.subarray(0, 78), Buffer.from([0, 1]), sound.subarray(80)]),
    ],
  ];
  test.each(cases)('%s', (_, bytes) => {
    expect(code(bytes)).toBe('rpm-malformed');
  });

  test('padding that hides bytes', () => {
    const copy = Buffer.from(sound);
    copy.writeUInt8(1, main - 1);
    expect(copy.readUInt8(main - 1)).not.toBe(sound.readUInt8(main - 1));
    expect(code(copy)).toBe('rpm-malformed');
  });

  const withSignature = (tag: Tag): Buffer => {
    const pkg = parseRpm(sound);
    return assembleRpm(pkg.headerBytes, pkg.payload, [tag]);
  };
  test.each<[string, Tag, (pkg: RpmPackage) => unknown]>([
    ['a digest that is a number', { tag: SIGTAG.sha256Header, value: [1] }, checkDigests],
    ['a size that is a text', { tag: SIGTAG.size, value: '12' }, checkDigests],
    ['an MD5 that is a text', { tag: SIGTAG.md5, value: 'x' }, checkDigests],
    ['a signature that is a text', { tag: SIGTAG.rsaHeader, value: 'x' }, signatureBlobs],
    ['a signature that is no base64', { tag: SIGTAG.openpgp, value: ['%%%%'] }, signatureBlobs],
  ])('%s', (_, tag, use) => {
    expect(code(withSignature(tag), use)).toBe('rpm-malformed');
  });

  test.each<[string, Tag, string]>([
    ['a short SHA-256', { tag: SIGTAG.sha256Header, value: 'ab' }, 'header sha256'],
    ['an empty SHA-256', { tag: SIGTAG.sha256Header, value: '' }, 'header sha256'],
    ['a short MD5', { tag: SIGTAG.md5, value: Buffer.from('x') }, 'header+payload md5'],
    ['a wrong size', { tag: SIGTAG.size, value: [5] }, 'size bytes'],
    ['a wrong 64-bit size', { tag: SIGTAG.longSize, value: [5], type: TYPE.int64 }, 'size bytes'],
  ])('%s is a bad digest', (_, tag, name) => {
    const digests = checkDigests(parseRpm(withSignature(tag))).map((d) => `${d.name} ${d.algorithm} ${d.verdict}`);
    expect(digests).toContain(`${name} bad`);
  });
});

describe('values of the main header', () => {
  const file = { path: '/usr/a', data: Buffer.from('x') };
  const cases: [string, string, Buffer][] = [
    ['a name with a slash', 'rpm-malformed', forgeRpm({ tags: [{ tag: TAG.name, value: '../x' }] })],
    ['a name with a space', 'rpm-malformed', forgeRpm({ tags: [{ tag: TAG.name, value: 'a b' }] })],
    ['a name that is an option', 'rpm-malformed', forgeRpm({ tags: [{ tag: TAG.name, value: '--root' }] })],
    [
      'an escape sequence in the version',
      'rpm-malformed',
      forgeRpm({ tags: [{ tag: TAG.version, value: '1\u001b[2J' }] }),
    ],
    ['a dash in the version', 'rpm-malformed', forgeRpm({ tags: [{ tag: TAG.version, value: '1-1' }] })],
    ['an empty release', 'rpm-malformed', forgeRpm({ tags: [{ tag: TAG.release, value: '' }] })],
    ['an architecture with a slash', 'rpm-malformed', forgeRpm({ tags: [{ tag: TAG.arch, value: 'x/y' }] })],
    ['a name that is a number', 'rpm-malformed', forgeRpm({ tags: [{ tag: TAG.name, value: [1] }] })],
    ['an epoch that is a text', 'rpm-malformed', forgeRpm({ tags: [{ tag: TAG.epoch, value: '1' }] })],
    [
      'a 64-bit number beyond 2^53',
      'rpm-malformed',
      forgeRpm({ tags: [{ tag: TAG.longSize, value: [2 ** 60], type: TYPE.int64 }] }),
    ],
    [
      'fewer modes than files',
      'rpm-malformed',
      forgeRpm({
        files: [file, { ...file, path: '/usr/b' }],
        tags: [{ tag: TAG.fileModes, value: [1], type: TYPE.int16 }],
      }),
    ],
    [
      'more digests than files',
      'rpm-malformed',
      forgeRpm({ files: [file], tags: [{ tag: TAG.fileDigests, value: ['a', 'b'] }] }),
    ],
    [
      'a directory number that is not listed',
      'rpm-malformed',
      forgeRpm({ files: [file], tags: [{ tag: TAG.dirIndexes, value: [1] }] }),
    ],
    [
      'a directory number of 4 billion',
      'rpm-malformed',
      forgeRpm({ files: [file], tags: [{ tag: TAG.dirIndexes, value: [0xffffffff] }] }),
    ],
    [
      'a directory without its slash',
      'rpm-malformed',
      forgeRpm({ files: [file], tags: [{ tag: TAG.dirNames, value: ['/usr'] }] }),
    ],
    [
      'a base name with a slash',
      'payload-path',
      forgeRpm({ files: [file], tags: [{ tag: TAG.baseNames, value: ['../a'] }] }),
    ],
    [
      'an unknown file digest',
      'rpm-malformed',
      forgeRpm({ files: [file], tags: [{ tag: TAG.fileDigestAlgo, value: [99] }] }),
    ],
    [
      'more versions than requirements',
      'rpm-malformed',
      forgeRpm({
        tags: [
          { tag: TAG.requireName, value: ['a'] },
          { tag: TAG.requireVersion, value: ['1', '2'] },
        ],
      }),
    ],
  ];
  test.each(cases)('%s', (_, expected, bytes) => {
    expect(code(bytes)).toBe(expected);
  });

  test('an unknown payload digest', () => {
    const bytes = forgeRpm({ tags: [{ tag: TAG.payloadDigestAlgo, value: [99] }] });
    expect(code(bytes, checkDigests)).toBe('rpm-malformed');
  });

  test('a header without an immutable region is format 3', () => {
    const header = forgeHeader(
      [
        { tag: TAG.name, value: 'old' },
        { tag: TAG.version, value: '1' },
        { tag: TAG.release, value: '1' },
        { tag: TAG.arch, value: 'i386' },
      ],
      null,
    );
    const pkg = parseRpm(
      assembleRpm(header, Buffer.from('payload'), [{ tag: SIGTAG.size, value: [header.length + 7] }]),
    );
    expect([pkg.format, pkg.source]).toEqual([3, true]);
    expect(checkDigests(pkg)).toEqual([{ name: 'size', algorithm: 'bytes', verdict: 'ok' }]);
  });
});

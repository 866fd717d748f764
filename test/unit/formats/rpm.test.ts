// The corners of the package format that rpmbuild of today does not write.
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { checkDigests } from '../../../src/formats/rpm/digests.ts';
import { packageFacts } from '../../../src/formats/rpm/facts.ts';
import { headerText } from '../../../src/formats/rpm/header.ts';
import { parseRpm } from '../../../src/formats/rpm/package.ts';
import { readPayload } from '../../../src/formats/rpm/payload.ts';
import { signatureBlobs } from '../../../src/formats/rpm/signatures.ts';
import { SIGTAG, TAG, TYPE } from '../../../src/formats/rpm/tags.ts';
import { realRun } from '../../../src/host/run.ts';
import { assembleRpm, type ForgedFile, forgeCpio, forgeHeader, forgeRpm, type Tag } from '../../support/forge-rpm.ts';

const hash = (algorithm: string, ...parts: Buffer[]): string =>
  parts.reduce((sum, part) => sum.update(part), createHash(algorithm)).digest('hex');

/** A package with the same header and payload under other signature tags. */
function signedBy(bytes: Buffer, tags: (header: Buffer, payload: Buffer) => Tag[]): Buffer {
  const { headerBytes, payload } = parseRpm(bytes);
  return assembleRpm(headerBytes, payload, tags(headerBytes, payload));
}

const a: ForgedFile = { path: '/usr/lib/a', data: Buffer.from('content a') };

describe('signatures', () => {
  test('each place, and the bytes it covers', () => {
    const blob = (text: string): Buffer => Buffer.from(text);
    const bytes = signedBy(forgeRpm({ files: [a] }), () => [
      { tag: SIGTAG.dsaHeader, value: blob('dsa') },
      { tag: SIGTAG.rsaHeader, value: blob('rsa') },
      { tag: SIGTAG.openpgp, value: [blob('one').toString('base64'), `${blob('two').toString('base64')}\n`] },
      { tag: SIGTAG.pgp, value: blob('pgp') },
      { tag: SIGTAG.gpg, value: blob('gpg') },
      { tag: SIGTAG.pgp5, value: blob('pgp5') },
    ]);
    const pkg = parseRpm(bytes);
    const found = signatureBlobs(pkg).map((s) => [
      s.tag,
      s.number,
      s.covers,
      s.blob.toString(),
      Buffer.concat(s.signed).length,
    ]);
    const header = pkg.headerBytes.length;
    const both = header + pkg.payload.length;
    expect(found).toEqual([
      ['OPENPGP', 278, 'header', 'one', header],
      ['OPENPGP', 278, 'header', 'two', header],
      ['RSAHEADER', 268, 'header', 'rsa', header],
      ['DSAHEADER', 267, 'header', 'dsa', header],
      ['SIGPGP', 1002, 'header+payload', 'pgp', both],
      ['SIGGPG', 1005, 'header+payload', 'gpg', both],
      ['SIGPGP5', 1006, 'header+payload', 'pgp5', both],
    ]);
    // The signed bytes are the file's own, magic number included.
    expect(bytes.subarray(bytes.length - both, bytes.length - pkg.payload.length).equals(pkg.headerBytes)).toBe(true);
    expect(pkg.headerBytes.subarray(0, 4).toString('hex')).toBe('8eade801');
  });

  test('none', () => {
    expect(signatureBlobs(parseRpm(forgeRpm()))).toEqual([]);
  });
});

describe('digests', () => {
  const verdicts = (bytes: Buffer): string[] =>
    checkDigests(parseRpm(bytes)).map((d) => `${d.name} ${d.algorithm} ${d.verdict}`);

  test('of the header, in every algorithm', () => {
    const bytes = signedBy(forgeRpm(), (header) => [
      { tag: SIGTAG.sha1Header, value: hash('sha1', header) },
      { tag: SIGTAG.sha256Header, value: hash('sha256', header).toUpperCase() },
      { tag: SIGTAG.sha3Header, value: hash('sha3-256', header) },
    ]);
    expect(verdicts(bytes)).toEqual(['header sha1 ok', 'header sha256 ok', 'header sha3-256 ok', 'payload sha256 ok']);
  });

  test('of the payload, in every algorithm, with its size', () => {
    const { payload } = parseRpm(forgeRpm({ files: [a] }));
    const tags = (size: number): Tag[] => [
      { tag: TAG.payloadSha512, value: hash('sha512', payload) },
      { tag: TAG.payloadSha3, value: hash('sha3-256', payload) },
      { tag: TAG.payloadSize, value: [size], type: TYPE.int64 },
    ];
    expect(verdicts(forgeRpm({ files: [a], tags: tags(payload.length) }))).toEqual(
      expect.arrayContaining([
        'payload sha256 ok',
        'payload sha512 ok',
        'payload sha3-256 ok',
        'payload size bytes ok',
      ]),
    );
    expect(verdicts(forgeRpm({ files: [a], tags: tags(1) }))).toContain('payload size bytes bad');
  });

  test('one bad digest among good ones is reported', () => {
    const tags = [{ tag: TAG.payloadSha512, value: '0'.repeat(128) }];
    expect(verdicts(forgeRpm({ files: [a], tags }))).toEqual(
      expect.arrayContaining(['payload sha256 ok', 'payload sha512 bad']),
    );
  });

  test('64-bit size goes before the 32-bit one', () => {
    const bytes = signedBy(forgeRpm(), (header, payload) => [
      { tag: SIGTAG.longSize, value: [header.length + payload.length], type: TYPE.int64 },
    ]);
    expect(verdicts(bytes)).toContain('size bytes ok');
  });
});

describe('archives', () => {
  const linked: ForgedFile[] = [
    { path: '/usr/lib', mode: 0o040755 },
    { path: '/usr/lib/h1', data: Buffer.from('shared'), inode: 9 },
    { path: '/usr/lib/h2', data: Buffer.from('shared'), inode: 9 },
    { path: '/usr/lib/l', mode: 0o120777, linkTo: 'h1' },
    { path: '/usr/lib/z', data: Buffer.from('z') },
  ];

  test('the stripped form: sizes from the header, the last name of a hard link carries the content', async () => {
    const archive = forgeCpio([
      { index: 0 },
      { index: 1 },
      { index: 2, data: Buffer.from('shared') },
      { index: 3, data: Buffer.from('h1') },
      { index: 4, data: Buffer.from('z') },
    ]);
    const entries = await readPayload(parseRpm(forgeRpm({ files: linked, archive })), {}, realRun.filter);
    expect(entries.map((e) => [e.path, e.content?.toString() ?? e.linkTo])).toEqual([
      ['/usr/lib', null],
      ['/usr/lib/h1', 'shared'],
      ['/usr/lib/h2', 'shared'],
      ['/usr/lib/l', 'h1'],
      ['/usr/lib/z', 'z'],
    ]);
  });

  test('entries may come in any order; ours come in the order of the header', async () => {
    const archive = forgeCpio([
      { name: './usr/lib/z', data: Buffer.from('z') },
      { name: './usr/lib/l', mode: 0o120777, data: Buffer.from('h1') },
      { name: './usr/lib/h2', data: Buffer.from('shared') },
      { name: './usr/lib/h1' },
      { name: './usr/lib', mode: 0o040755 },
    ]);
    const entries = await readPayload(parseRpm(forgeRpm({ files: linked, archive })), {}, realRun.filter);
    expect(entries.map((e) => e.path)).toEqual(linked.map((f) => f.path));
  });

  test('a ghost may be absent or there', async () => {
    const files: ForgedFile[] = [a, { path: '/usr/lib/ghost', data: Buffer.from('g'), flags: 64 }];
    const without = forgeCpio([{ name: './usr/lib/a', data: a.data as Buffer }]);
    const paths = async (forged: Buffer) =>
      (await readPayload(parseRpm(forged), {}, realRun.filter)).map((e) => e.path);
    expect(await paths(forgeRpm({ files, archive: without }))).toEqual(['/usr/lib/a']);
    expect(await paths(forgeRpm({ files }))).toEqual(['/usr/lib/a', '/usr/lib/ghost']);
  });
});

describe('facts', () => {
  test('format 6 by its tag', () => {
    expect(parseRpm(forgeRpm({ tags: [{ tag: TAG.rpmFormat, value: [6] }] })).format).toBe(6);
    expect(parseRpm(forgeRpm()).format).toBe(4);
  });

  test('old file names, sizes of 64 bits, MD5 where no algorithm is named', () => {
    const header = forgeHeader(
      [
        { tag: TAG.name, value: 'old' },
        { tag: TAG.version, value: '1' },
        { tag: TAG.release, value: '1' },
        { tag: TAG.arch, value: 'i386' },
        { tag: TAG.sourceRpm, value: 'old-1-1.src.rpm' },
        { tag: TAG.oldFileNames, value: ['/etc/a', '/etc/b'] },
        { tag: TAG.longFileSizes, value: [5_000_000_000, 1], type: TYPE.int64 },
        { tag: TAG.fileModes, value: [0o100644, 0o100600], type: TYPE.int16 },
        { tag: TAG.fileDigests, value: ['0'.repeat(32), '1'.repeat(32)] },
      ],
      null,
    );
    const { files } = packageFacts(parseRpm(assembleRpm(header, Buffer.alloc(0))));
    expect(files.map((f) => [f.path, f.size, f.algorithm, f.owner])).toEqual([
      ['/etc/a', 5_000_000_000, 'md5', 'root'],
      ['/etc/b', 1, 'md5', 'root'],
    ]);
  });

  test('dependencies without versions, and with every comparison', () => {
    const tags: Tag[] = [
      { tag: TAG.requireName, value: ['a', 'b', 'c', 'd', 'e', 'f'] },
      { tag: TAG.requireFlags, value: [0, 2, 4, 8, 10, 12 | (1 << 24)] },
      { tag: TAG.requireVersion, value: ['', '1', '2', '3', '4', '5'] },
      { tag: TAG.obsoleteName, value: ['old'] },
    ];
    const facts = packageFacts(parseRpm(forgeRpm({ tags })));
    expect(facts.requires.map((d) => [d.name, d.flags, d.evr])).toEqual([
      ['a', null, null],
      ['b', 'LT', '1'],
      ['c', 'GT', '2'],
      ['d', 'EQ', '3'],
      ['e', 'LE', '4'],
      ['f', 'GE', '5'],
    ]);
    expect(facts.obsoletes).toEqual([{ name: 'old', flags: null, evr: null }]);
  });
});

test('texts that are not UTF-8 are read as Latin-1, so that different bytes stay different texts', () => {
  expect(headerText(Buffer.from('Gr\xfc\xdfe', 'latin1'))).toBe('Gr\u00fc\u00dfe');
  expect(headerText(Buffer.from('Gr\u00fc\u00dfe', 'utf8'))).toBe('Gr\u00fc\u00dfe');
  expect(headerText(Buffer.from([0xff]))).not.toBe(headerText(Buffer.from([0xfe])));
});

// Payloads that lie: each is refused under its own code. All packages are made here, with right digests over the wrong content.

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import type { PayloadLimits } from '../../src/formats/rpm/open.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { type PayloadEntry, readPayload } from '../../src/formats/rpm/payload.ts';
import { TAG, TYPE } from '../../src/formats/rpm/tags.ts';
import { realRun } from '../../src/host/run.ts';
import { archiveOf, type ForgedFile, type Forgery, forgeCpio, forgeRpm, sha256 } from '../support/forge-rpm.ts';

const read = (forgery: Forgery, limits: PayloadLimits = {}): Promise<PayloadEntry[]> => {
  const pkg = parseRpm(forgeRpm(forgery));
  // The forgery is consistent: only looking into the payload finds it.
  expect(checkDigests(pkg).map((d) => d.verdict)).not.toContain('bad');
  return readPayload(pkg, limits, realRun.filter);
};
const refusal = (forgery: Forgery, limits?: PayloadLimits): Promise<string> =>
  read(forgery, limits).then(
    () => 'taken',
    (error) => error.code ?? String(error),
  );

const ko: ForgedFile = { path: '/usr/lib/kpatch/k/a.ko', data: Buffer.from('module') };
const other: ForgedFile = { path: '/usr/lib/kpatch/k/b', data: Buffer.from('other') };

describe('a sound package', () => {
  test('is taken', async () => {
    const [entry] = await read({ files: [ko] });
    expect(entry).toMatchObject({ path: ko.path, size: 6, sha256: sha256(Buffer.from('module')), mode: 0o100644 });
    expect(entry?.content?.toString()).toBe('module');
  });

  test('without files is taken', async () => {
    expect(await read({})).toEqual([]);
  });

  test('may travel with its payload opened, under the digest of the open payload', async () => {
    const open = forgeCpio(archiveOf([ko]));
    const tags = [
      { tag: TAG.payloadDigest, value: [sha256(gzipSync(open))] },
      { tag: TAG.payloadDigestAlt, value: [sha256(open)] },
    ];
    const pkg = parseRpm(forgeRpm({ files: [ko], tags, compress: (bytes) => bytes }));
    expect(checkDigests(pkg)).toContainEqual({ name: 'open payload', algorithm: 'sha256', verdict: 'ok' });
    expect(checkDigests(pkg).map((d) => d.verdict)).not.toContain('bad');
    expect((await readPayload(pkg, {}, realRun.filter)).length).toBe(1);
  });
});

describe('unsafe paths', () => {
  const paths = [
    '/../etc/passwd',
    '/usr/../../etc/x',
    '/usr/./x',
    '//etc/x',
    '/usr//x',
    '/usr/a\nb',
    '/usr/\u001b[2Jx',
    '/usr/\u0007',
    '/usr/\u009b1m',
    `/usr/${'x'.repeat(256)}`,
    '/usr/',
  ];
  test.each(paths)('in the header: %j', async (path) => {
    expect(await refusal({ files: [{ path, data: Buffer.from('x') }] })).toBe('payload-path');
  });

  const names = ['../etc/passwd', './../etc/passwd', '//etc/passwd', './/etc', '././usr', './usr/a\nb', '.', './'];
  test.each(names)('in the archive: %j', async (name) => {
    expect(await refusal({ files: [ko], archive: [{ name, data: Buffer.from('module') }] })).toBe('payload-path');
  });

  test('a NUL in an archive name', async () => {
    const name = './usr/lib/kpatch/k/a.ko\0.txt';
    expect(await refusal({ files: [ko], archive: [{ name, data: Buffer.from('module') }] })).toBe('payload-path');
  });
});

describe('header and archive disagree', () => {
  const cases: [string, string, Forgery][] = [
    ['a path listed twice', 'payload-duplicate', { files: [ko, ko], archive: archiveOf([ko]) }],
    ['a path archived twice', 'payload-duplicate', { files: [ko], archive: archiveOf([ko, ko]) }],
    [
      'one path spelled in two ways',
      'payload-duplicate',
      { files: [ko], archive: [...archiveOf([ko]), { name: ko.path.slice(1), data: ko.data as Buffer }] },
    ],
    ['a file more in the archive', 'payload-extra', { files: [ko], archive: archiveOf([ko, other]) }],
    ['a file less in the archive', 'payload-missing', { files: [ko, other], archive: archiveOf([ko]) }],
    ['no file in the archive', 'payload-missing', { files: [ko], archive: [] }],
    [
      'a larger file',
      'payload-mismatch',
      { files: [ko], archive: archiveOf([{ ...ko, data: Buffer.from('module and more') }]) },
    ],
    ['a smaller file', 'payload-mismatch', { files: [ko], archive: archiveOf([{ ...ko, data: Buffer.from('mod') }]) }],
    ['an emptied file', 'payload-mismatch', { files: [ko], archive: archiveOf([{ ...ko, data: Buffer.alloc(0) }]) }],
    ['other content', 'payload-digest', { files: [ko], archive: archiveOf([{ ...ko, data: Buffer.from('MODULE') }]) }],
    ['no digest in the header', 'payload-digest', { files: [ko], tags: [{ tag: TAG.fileDigests, value: [''] }] }],
    ['another mode', 'payload-mismatch', { files: [ko], archive: archiveOf([{ ...ko, mode: 0o104755 }]) }],
    [
      'a link in place of a file',
      'payload-mismatch',
      { files: [ko], archive: archiveOf([{ path: ko.path, mode: 0o120777, linkTo: '/etc/x' }]) },
    ],
    [
      'another link target',
      'payload-mismatch',
      {
        files: [{ path: '/usr/l', mode: 0o120777, linkTo: 'a' }],
        archive: archiveOf([{ path: '/usr/l', mode: 0o120777, linkTo: 'b' }]),
      },
    ],
    [
      'content in a directory',
      'payload-mismatch',
      {
        files: [{ path: '/usr/d', mode: 0o040755 }],
        archive: archiveOf([{ path: '/usr/d', mode: 0o040755, data: Buffer.from('x') }]),
      },
    ],
    [
      'a wrong checksum (crc form)',
      'payload-digest',
      { files: [ko], archive: [{ name: `.${ko.path}`, data: ko.data as Buffer, magic: '070702', check: 1 }] },
    ],
    [
      'hard links without content',
      'payload-mismatch',
      {
        files: [
          { ...ko, inode: 7 },
          { ...ko, path: '/usr/lib/kpatch/k/c.ko', inode: 7 },
        ],
        archive: archiveOf([
          { ...ko, data: Buffer.alloc(0) },
          { path: '/usr/lib/kpatch/k/c.ko', data: Buffer.alloc(0) },
        ]),
      },
    ],
    [
      'a file number that is not listed',
      'payload-extra',
      { files: [ko], archive: [{ index: 1, data: ko.data as Buffer }] },
    ],
    [
      'a file number twice',
      'payload-duplicate',
      {
        files: [ko],
        archive: [
          { index: 0, data: ko.data as Buffer },
          { index: 0, data: ko.data as Buffer },
        ],
      },
    ],
    [
      'a wrong digest of the open payload',
      'payload-digest',
      { files: [ko], tags: [{ tag: TAG.payloadDigestAlt, value: ['0'.repeat(64)] }] },
    ],
    [
      'a wrong SHA-512 of the open payload',
      'payload-digest',
      { files: [ko], tags: [{ tag: TAG.payloadSha512Alt, value: '0'.repeat(128) }] },
    ],
  ];
  test.each(cases)('%s', async (_, code, forgery) => {
    expect(await refusal(forgery)).toBe(code);
  });

  test('a right checksum in the crc form is taken', async () => {
    const check = [...Buffer.from('module')].reduce((sum, byte) => sum + byte, 0);
    expect(
      await refusal({
        files: [ko],
        archive: [{ name: `.${ko.path}`, data: ko.data as Buffer, magic: '070702', check }],
      }),
    ).toBe('taken');
  });
});

describe('broken archives', () => {
  const whole = forgeCpio(archiveOf([ko]));
  const cases: [string, Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['without trailer', forgeCpio(archiveOf([ko]), false)],
    ['cut off in a header', whole.subarray(0, 60)],
    ['cut off in a name', whole.subarray(0, 115)],
    ['cut off in the content', whole.subarray(0, 138)],
    ['a size of 4 GiB', forgeCpio([{ name: `.${ko.path}`, size: 0xffffffff }])],
    ['a size that reaches behind the end', forgeCpio([{ name: `.${ko.path}`, size: 100_000 }])],
    ['a number that is none', Buffer.from(whole.toString('latin1').replace('00000001', '0000000g'), 'latin1')],
    ['a signed number', Buffer.from(whole.toString('latin1').replace('00000001', '-0000001'), 'latin1')],
    ['bytes behind the trailer', Buffer.concat([whole, Buffer.from('hidden')])],
    ['a trailer with content', forgeCpio([...archiveOf([ko]), { name: 'TRAILER!!!', data: Buffer.from('x') }], false)],
    ['a name of no length', Buffer.from(whole.toString('latin1').replace(/^(.{94}).{8}/, '$100000000'), 'latin1')],
    ['a name of 4 GiB', Buffer.from(whole.toString('latin1').replace(/^(.{94}).{8}/, '$1ffffffff'), 'latin1')],
    ['old binary form', Buffer.concat([Buffer.from([0xc7, 0x71]), whole])],
  ];
  test.each(cases)('%s', async (_, archive) => {
    expect(await refusal({ files: [ko], archive })).toBe('payload-malformed');
  });
});

describe('devices, fifos, sockets', () => {
  test.each([
    ['character device', 0o020666],
    ['block device', 0o060660],
    ['fifo', 0o010644],
    ['socket', 0o140755],
    ['directory', 0o040755],
  ])('a %s comes as an entry with its type', async (_, mode) => {
    const [entry] = await read({ files: [{ path: '/dev/x', mode }] });
    expect(entry).toMatchObject({ path: '/dev/x', mode, content: null, sha256: null });
  });
});

describe('bombs', () => {
  test('more bytes than the header lists files for', async () => {
    const archive = Buffer.concat([forgeCpio(archiveOf([ko])), Buffer.alloc(32 * 1024 * 1024)]);
    expect(await refusal({ files: [ko], archive })).toBe('too-large');
  });

  test('a size in the header beyond the limit does not make room for it', async () => {
    const data = Buffer.alloc(2 * 1024 * 1024);
    expect(await refusal({ files: [{ ...ko, data }] }, { maxBytes: 1024 * 1024 })).toBe('too-large');
  });

  test('an absurd ratio', async () => {
    const data = Buffer.alloc(40 * 1024 * 1024);
    expect(await refusal({ files: [{ ...ko, data }] })).toBe('decompression-bomb');
  });

  test('too many files', async () => {
    const files = Array.from({ length: 40 }, (_, n) => ({ path: `/usr/${n}`, data: Buffer.alloc(0) }));
    expect(await refusal({ files }, { maxEntries: 39 })).toBe('too-many-entries');
    expect(await refusal({ files }, { maxEntries: 40 })).toBe('taken');
  });

  test('sizes of 2^53 in the header are only numbers', async () => {
    const tags = [{ tag: TAG.longFileSizes, value: [Number.MAX_SAFE_INTEGER], type: TYPE.int64 }];
    expect(await refusal({ files: [ko], tags })).toBe('payload-mismatch');
  });
});

describe('compression', () => {
  const cases: [string, string, Forgery][] = [
    ['named but not there', 'payload-malformed', { tags: [{ tag: TAG.payloadCompressor, value: 'xz' }] }],
    ['unknown', 'compression-unsupported', { tags: [{ tag: TAG.payloadCompressor, value: 'brotli' }] }],
    ['damaged', 'corrupt-stream', { compress: (open) => flipped(gzipSync(open), 20) }],
    ['cut off', 'corrupt-stream', { compress: (open) => gzipSync(open).subarray(0, -9) }],
  ];
  test.each(cases)('%s', async (_, code, forgery) => {
    expect(await refusal({ files: [ko], ...forgery })).toBe(code);
  });
});

test('a feature of rpm that is not known', async () => {
  const tags = [{ tag: TAG.requireName, value: ['rpmlib(PayloadAlignment)'] }];
  expect(await refusal({ files: [ko], tags })).toBe('rpm-unsupported');
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at);
  return copy;
}

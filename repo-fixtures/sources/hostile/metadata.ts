// Repositories whose metadata is broken or lies. The package in them is sound.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { editMetadata, editRepomd, readMetadata, writeMetadata } from '../../builder/metadata.ts';
import { signRepomd } from '../../builder/repository.ts';
import type { HostileCase } from './case.ts';

const MISMATCH = ['metadata-mismatch'];
const REPOMD = ['repomd-malformed', 'metadata-unsupported', 'repo-unavailable'];
const PRIMARY = ['primary-malformed'];

const repository = (
  id: string,
  why: string,
  expected: readonly string[],
  change: NonNullable<HostileCase['repository']>,
  stage: HostileCase['stage'] = 'metadata',
): HostileCase => ({ id, why, stage, expected, repository: change });

const repomd = (id: string, why: string, expected: readonly string[], edit: (text: string) => string) =>
  repository(`repomd-${id}`, why, expected, (directory) => editRepomd(directory, edit));

const primary = (
  id: string,
  why: string,
  expected: readonly string[],
  edit: (text: string) => string,
  stage: HostileCase['stage'] = 'metadata',
) => repository(`primary-${id}`, why, expected, (directory) => editMetadata(directory, 'primary', edit), stage);

/** Changes the compressed primary file, repomd.xml keeping what it said. */
const primaryFile = (id: string, why: string, change: (bytes: Buffer) => Buffer) =>
  repository(`primary-${id}`, why, [...MISMATCH, 'corrupt-stream'], (directory) => {
    const file = path.join(directory, readMetadata(directory, 'primary').href);
    writeFileSync(file, change(readFileSync(file)));
  });

const flipped = (bytes: Buffer, at: number) => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

const ENTITIES = `<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">${Array.from(
  { length: 9 },
  (_, index) => `<!ENTITY ${'bcdefghij'[index]} "${`&${'abcdefghi'[index]};`.repeat(10)}">`,
).join('')}]>\n`;

const REPOMD_CASES: readonly HostileCase[] = [
  repomd(
    'html',
    'a login page in place of repomd.xml, with status 200',
    REPOMD,
    () => '<html><body>Please log in</body></html>\n',
  ),
  repomd('empty', 'repomd.xml without a byte', REPOMD, () => ''),
  repomd('cut', 'repomd.xml ends in the middle', REPOMD, (text) => text.slice(0, text.length >> 1)),
  repomd('no-primary', 'no record of a primary', REPOMD, (text) => text.replaceAll('"primary"', '"tertiary"')),
  repomd('entities', 'a document type with nested entities', REPOMD, (text) => text.replace('?>\n', `?>\n${ENTITIES}`)),
  repomd('checksum', 'another checksum for primary', MISMATCH, (text) =>
    text.replace(/(<checksum type="sha256">)(.)/, (_, head, digit) => `${head}${digit === '0' ? '1' : '0'}`),
  ),
  repomd('open-checksum', 'another checksum for the uncompressed primary', MISMATCH, (text) =>
    text.replace(/(<open-checksum type="sha256">)(.)/, (_, head, digit) => `${head}${digit === '0' ? '1' : '0'}`),
  ),
  repomd('size', 'a size that the file exceeds', [...MISMATCH, 'too-large'], (text) =>
    text.replace(/<size>\d+/, '<size>100'),
  ),
  repomd(
    'open-size',
    'a size that the uncompressed file exceeds',
    [...MISMATCH, 'too-large', 'decompression-bomb'],
    (text) => text.replace(/<open-size>\d+/, '<open-size>100'),
  ),
  repomd('md5', 'checksums by MD5 only', ['checksum-refused', ...REPOMD], (text) =>
    text.replace(/type="sha256">[0-9a-f]{64}/g, `type="md5">${'0'.repeat(32)}`),
  ),
  repomd('no-checksum', 'no checksum of primary', ['checksum-refused', ...REPOMD], (text) =>
    text.replace(/\s*<checksum type="sha256">[0-9a-f]{64}<\/checksum>/, ''),
  ),
  repomd('href-parent', 'primary lies outside the repository', ['href-refused'], (text) =>
    text.replace(/href="repodata/, 'href="../../el9/repodata'),
  ),
  repomd('href-other-host', 'primary lies on another host', ['href-refused', 'url-refused'], (text) =>
    text.replace(/href="repodata/, 'href="http://192.0.2.1/repodata'),
  ),
  repomd('href-file', 'primary is a file of this machine', ['href-refused', 'url-refused'], (text) =>
    text.replace(/href="repodata[^"]*"/, 'href="file:///etc/passwd"'),
  ),
  repository('repomd-missing', 'no repomd.xml', ['http-status', 'repo-unavailable'], (directory) =>
    rmSync(path.join(directory, 'repodata', 'repomd.xml')),
  ),
];

const PRIMARY_CASES: readonly HostileCase[] = [
  primaryFile('flip', 'one bit of the compressed primary', (bytes) => flipped(bytes, bytes.length >> 1)),
  primaryFile('cut', 'half of the compressed primary', (bytes) => bytes.subarray(0, bytes.length >> 1)),
  primaryFile('html', 'an error page in place of primary', () => Buffer.from('<html><body>404</body></html>\n')),
  primary('not-closed', 'no end of the document', PRIMARY, (text) => text.replace('</metadata>', '')),
  primary('not-well-formed', 'a tag that is not closed', PRIMARY, (text) =>
    text.replace('</version>', '').replace('</name>', ''),
  ),
  primary('entities', 'a document type with nested entities', PRIMARY, (text) =>
    text.replace('?>\n', `?>\n${ENTITIES}`).replace(/<summary>[^<]*/, '<summary>&j;'),
  ),
  primary(
    'count',
    'fewer packages than announced: read strictly, and taken',
    ['ok'],
    (text) => text.replace(/packages="1"/, 'packages="5"'),
    'fit',
  ),
  primary(
    'html-right',
    'a page whose checksum repomd.xml gives',
    PRIMARY,
    () => '<html><body>packages</body></html>\n',
  ),
  primary(
    'href-parent',
    'the package lies outside the repository',
    ['href-refused'],
    (text) => text.replace('href="Packages/', 'href="../../el9/Packages/'),
    'fetch',
  ),
  primary(
    'href-file',
    'the package is a file of this machine',
    ['href-refused', 'url-refused'],
    (text) => text.replace(/<location href="[^"]*"/, '<location href="file:///etc/passwd"'),
    'fetch',
  ),
  primary(
    'base-other-host',
    'xml:base names a file of this machine',
    ['href-refused', 'url-refused'],
    (text) => text.replace('<location href', '<location xml:base="file:///etc/" href'),
    'fetch',
  ),
  primary(
    'checksum-sha1',
    'the package has a SHA-1 only',
    ['checksum-refused', 'package-mismatch', ...PRIMARY],
    (text) =>
      text.replace(/<checksum type="sha256"( pkgid="YES")?>[0-9a-f]{64}/, `<checksum type="sha"$1>${'a'.repeat(40)}`),
    'fetch',
  ),
  primary(
    'no-checksum',
    'the package has no checksum',
    ['checksum-refused', 'package-mismatch', ...PRIMARY],
    (text) => text.replace(/\s*<checksum type="sha256"( pkgid="YES")?>[0-9a-f]{64}<\/checksum>/, ''),
    'fetch',
  ),
  primary(
    'size-lie',
    'the package is longer than announced',
    ['package-mismatch', 'metadata-mismatch', 'too-large'],
    (text) => text.replace(/<size package="\d+"/, '<size package="1000"'),
    'fetch',
  ),
  primary(
    'in-comment',
    'the only package stands in a comment: it is not offered',
    ['no-stream', ...PRIMARY],
    (text) =>
      text
        .replace('packages="1"', 'packages="0"')
        .replace('<package type', '<!-- <package type')
        .replace('</package>', '</package> -->'),
    'decide',
  ),
  primary(
    'in-cdata',
    'a whole package as text of a description: it is not offered',
    ['ok'],
    (text) => {
      const inner =
        /<package type.*<\/package>/s.exec(text)?.[0].replaceAll('ver="1" rel="4.el9_4"', 'ver="9" rel="9.el9_4"') ??
        '';
      return text.replace(/<description>[^<]*/, `<description><![CDATA[${inner}]]>`);
    },
    'fit',
  ),
  primary(
    'terminal-escape',
    'a terminal escape in the summary: never printed raw',
    ['ok', ...PRIMARY],
    (text) => text.replace(/<summary>/, '<summary>&#x9b;2J\u009b2J'),
    'fit',
  ),
  primary(
    'name-slash',
    'a slash and dots in the version',
    ['primary-malformed', 'package-renamed'],
    (text) => text.replace('ver="1" rel="4.el9_4"', 'ver="1" rel="../../../etc/4.el9_4"'),
    'decide',
  ),
  repository(
    'primary-bomb',
    '128 MB of blanks in a small file, announced truthfully',
    ['too-large', 'decompression-bomb', ...PRIMARY, 'ok'],
    (directory) => {
      const { content } = readMetadata(directory, 'primary');
      const cut = content.indexOf('<package ');
      const blanks = Buffer.alloc(128 << 20, 0x20);
      writeMetadata(
        directory,
        'primary',
        Buffer.concat([content.subarray(0, cut), blanks, content.subarray(cut)]),
        'xz',
      );
    },
    'fit',
  ),
];

const SIGNATURE_CASES: readonly HostileCase[] = [
  repository(
    'asc-other-key',
    'repomd.xml is signed by a key nobody trusts (repo_gpgcheck=1)',
    ['repo-key-untrusted'],
    (directory, workshop) => signRepomd(directory, workshop, 'other-vendor'),
  ),
  repository(
    'asc-stale',
    'repomd.xml was changed after it was signed (repo_gpgcheck=1)',
    ['repo-signature-bad'],
    (directory, workshop) => {
      signRepomd(directory, workshop, 'release');
      editRepomd(directory, (text) => text.replace('<revision>', '<revision>9'));
    },
  ),
  repository(
    'asc-garbage',
    'the signature is no signature (repo_gpgcheck=1)',
    ['repo-signature-bad', 'openpgp-malformed', 'repo-unsigned'],
    (directory) => writeFileSync(path.join(directory, 'repodata', 'repomd.xml.asc'), 'not a signature\n'),
  ),
];

export const METADATA_CASES: readonly HostileCase[] = [...REPOMD_CASES, ...PRIMARY_CASES, ...SIGNATURE_CASES];

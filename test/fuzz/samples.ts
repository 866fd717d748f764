// What mutation starts from: the fixtures of the project, and a corpus where one is named.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FIXTURES } from '../support/fixtures.ts';
import { kernelCore, livePatch, primaryXml } from '../support/repodata.ts';

/** Samples above this are left out: every mutation copies them. */
const LARGEST = 96 * 1024;
const SHORT = 12 * 1024;
const K = '5.14.0-427.13.1.el9_4.x86_64';

function filesBelow(directory: string, fits: (name: string) => boolean): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => fits(name) && statSync(path.join(directory, name)).isFile())
    .sort()
    .map((name) => path.join(directory, name));
}

const small = (bytes: Buffer): boolean => bytes.length > 0 && bytes.length <= LARGEST;
const fixture = (...parts: string[]): Buffer => readFileSync(path.join(FIXTURES, ...parts));

function fromCorpus(corpus: string | null, folder: string, pattern: RegExp): Buffer[] {
  if (corpus === null) return [];
  return filesBelow(path.join(corpus, folder), (name) => pattern.test(name))
    .map((file) => readFileSync(file))
    .filter(small);
}

export interface Samples {
  /** Signed and unsigned packages. */
  readonly packages: readonly Buffer[];
  /** Packages signed by the release key of the fixtures, with their file names. */
  readonly signed: readonly { readonly name: string; readonly bytes: Buffer }[];
  readonly keys: readonly Buffer[];
  readonly releaseKey: Buffer;
  readonly modules: readonly Buffer[];
  readonly repomds: readonly Buffer[];
  readonly primaries: readonly Buffer[];
  readonly metalinks: readonly Buffer[];
  readonly updateinfos: readonly Buffer[];
  readonly archives: readonly Buffer[];
}

/** `corpus`: a directory of real packages, keys and metadata beside the fixtures; null for the fixtures alone. */
export function samples(corpus: string | null): Samples {
  const matrix = filesBelow(path.join(FIXTURES, 'matrix'), (name) => name.endsWith('.rpm'));
  const el9 = filesBelow(path.join(FIXTURES, 'el9', 'Packages'), (name) => name.startsWith('kpatch-patch-'));
  const byGzip = matrix.filter((file) => /\/(gzip|none)-/.test(file)).map((file) => readFileSync(file));
  const opened = (pattern: RegExp): Buffer[] =>
    ['el8', 'el9', 'el10', 'metadata-bz2', 'empty']
      .flatMap((name) => filesBelow(path.join(FIXTURES, name, 'repodata'), (file) => pattern.test(file)))
      .filter((file) => file.endsWith('.gz'))
      .map((file) => gunzipSync(readFileSync(file)))
      .filter(small);
  return {
    packages: [...byGzip, ...fromCorpus(corpus, 'rpms', /\.rpm/)],
    signed: [
      ...['gzip-rsa', 'none-rsa', 'gzip-both', 'gzip-v3', 'gzip-sha512'].map((name) => ({
        name,
        bytes: fixture('matrix', `${name}.rpm`),
      })),
      ...el9.slice(0, 12).map((file) => ({ name: path.basename(file), bytes: readFileSync(file) })),
    ],
    keys: [
      ...filesBelow(path.join(FIXTURES, 'keys'), () => true).map((file) => readFileSync(file)),
      ...fromCorpus(corpus, 'keys', /\.(asc|pub|pgp|key)$/),
    ],
    releaseKey: fixture('keys', 'RPM-GPG-KEY-fixtures'),
    modules: [],
    repomds: [
      ...['el8', 'el9', 'el10', 'empty', 'odd-name'].map((name) => fixture(name, 'repodata', 'repomd.xml')),
      ...fromCorpus(corpus, 'repodata', /repomd\.xml$/),
    ],
    // Short ones: parsing is most of the work, and a list of three has every form that a list of thousands has.
    primaries: [
      Buffer.from(primaryXml([livePatch(K, '1-1'), kernelCore(K), { name: 'zsh' }])),
      Buffer.from(primaryXml([livePatch(K, '1-2', { name: 'kpatch' })])),
      ...opened(/primary\.xml\.gz$/).filter(({ length }) => length < SHORT),
      ...fromCorpus(corpus, 'repodata', /primary\.xml$/).filter(({ length }) => length < SHORT),
    ],
    metalinks: [Buffer.from(METALINK), ...fromCorpus(corpus, 'repodata', /metalink/)],
    updateinfos: [...opened(/updateinfo\.xml\.gz$/), ...fromCorpus(corpus, 'repodata', /updateinfo\.xml$/)],
    archives: fromCorpus(corpus, 'cpio', /\.(cpio|newc|crc)$/),
  };
}

const METALINK = `<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager" type="dynamic">
 <files><file name="repomd.xml">
  <mm0:timestamp>1700000000</mm0:timestamp><size>3012</size>
  <verification><hash type="md5">d41d8cd98f00b204e9800998ecf8427e</hash>
   <hash type="sha256">e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</hash></verification>
  <mm0:alternates><mm0:alternate><mm0:timestamp>1600000000</mm0:timestamp><size>2900</size><verification>
   <hash type="sha512">${'ab'.repeat(64)}</hash></verification></mm0:alternate></mm0:alternates>
  <resources maxconnections="1">
   <url protocol="https" type="https" location="DE" preference="100">https://one.invalid/el9/repodata/repomd.xml</url>
   <url protocol="http" type="http" preference="99">http://two.invalid/$basearch/repodata/repomd.xml</url>
   <url protocol="rsync" preference="98">rsync://three.invalid/repodata/repomd.xml</url>
  </resources></file></files></metalink>
`;

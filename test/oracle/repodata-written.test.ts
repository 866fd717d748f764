// The metadata we write ourselves, held against what createrepo_c writes of the same packages, and read by dnf.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from '@jest/globals';
import { tool } from '../../repo-fixtures/builder/tools.ts';
import { packageLists, packageXml } from '../../src/formats/repodata/packages.ts';
import { repodata } from '../../src/formats/repodata/repomd.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { FIXTURES } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-repodata-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const REPOS = ['el9', 'el8', 'el10'] as const;

function packagesOf(repo: string): string[] {
  return readdirSync(path.join(FIXTURES, repo, 'Packages'))
    .filter((name) => name.endsWith('.rpm'))
    .sort();
}

function written(repo: string) {
  const packages = packagesOf(repo).map((name) => {
    const bytes = readFileSync(path.join(FIXTURES, repo, 'Packages', name));
    return packageXml(parseRpm(bytes), `Packages/${name}`, createHash('sha256').update(bytes).digest('hex'));
  });
  return packageLists(packages);
}

/** One line an element; what createrepo_c takes of the file, not of the package, and its way with empty elements, set alike. */
function settled(text: string): string[] {
  return text
    .replace(/<([\w:]+)><\/\1>/g, '<$1/>')
    .replace(/<time file="\d+"/g, '<time file="0"')
    .trim()
    .split('\n');
}

/** Entries in any order: createrepo_c takes packages as its threads finish. */
function entries(text: string): string[] {
  return settled(text)
    .join('\n')
    .split(/(?<=<\/package>)\n/)
    .sort();
}

needs('createrepo_c')('the lists are those of createrepo_c', () => {
  test.each(REPOS)('%s', (repo) => {
    const directory = path.join(scratch, repo);
    cpSync(path.join(FIXTURES, repo, 'Packages'), path.join(directory, 'Packages'), { recursive: true });
    tool('createrepo_c', ['--quiet', '--no-database', '--changelog-limit', '1000', directory]);
    const ours = written(repo);
    for (const type of ['primary', 'filelists', 'other'] as const) {
      const file = readdirSync(path.join(directory, 'repodata')).find((name) => name.endsWith(`-${type}.xml.gz`)) ?? '';
      const theirs = gunzipSync(readFileSync(path.join(directory, 'repodata', file))).toString('utf8');
      expect(entries(ours[type])).toEqual(entries(theirs));
      expect(entries(ours[type]).length).toBeGreaterThanOrEqual(packagesOf(repo).length);
    }
  });
});

needs('dnf')('dnf reads them', () => {
  test('every package is on offer', () => {
    const directory = path.join(scratch, 'read');
    for (const { path: file, bytes } of repodata(written('el9'), 1_717_416_000)) {
      mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
      writeFileSync(path.join(directory, file), bytes);
    }
    const root = path.join(scratch, 'root');
    const asked = tool('dnf', [
      ...['-q', `--installroot=${root}`, '--releasever=9', '--forcearch=x86_64', '--disablerepo=*'],
      ...[
        `--repofrompath=x,file://${directory}`,
        'repoquery',
        '--available',
        '--qf',
        '%{name}-%{version}-%{release}.%{arch}',
      ],
    ]);
    const names = asked.toString('utf8').trim().split('\n').sort();
    expect(names).toEqual(
      packagesOf('el9')
        .map((name) => name.slice(0, -'.rpm'.length))
        .sort(),
    );
  });
});

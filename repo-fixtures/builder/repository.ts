// One declared repository -> a directory with packages and repodata, by rpmbuild, createrepo_c and modifyrepo_c.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { editRepomd, readMetadata, settleTimes, writeMetadata } from './metadata.ts';
import { buildPackage, type Workshop } from './package.ts';
import { fileName, type PackageSource, type RepositorySource } from './source.ts';
import { BUILD_TIME } from './time.ts';
import { tool } from './tools.ts';
import { updateinfoText } from './updateinfo.ts';

const made = new Map<string, Buffer>();

/** The bytes of a package, built when no repository before needed the same one. */
export function packageBytes(source: PackageSource, workshop: Workshop): Buffer {
  // The reason why does not change the bytes.
  const key = JSON.stringify({ ...source, why: '' });
  const known = made.get(key);
  if (known) return known;
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-package-'));
  try {
    const bytes = readFileSync(buildPackage(source, scratch, workshop));
    made.set(key, bytes);
    return bytes;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Puts a package into a directory. */
export function placePackage(
  source: PackageSource,
  directory: string,
  workshop: Workshop,
  as = fileName(source),
): string {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, as), packageBytes(source, workshop));
  return path.join(directory, as);
}

/** Writes repodata for the packages that lie in `directory`. */
export function createRepodata(directory: string): void {
  settleTimes(directory);
  const fixed = ['--revision', String(BUILD_TIME), '--set-timestamp-to-revision', '--workers', '1', '--no-database'];
  tool('createrepo_c', ['--quiet', ...fixed, directory]);
}

/** Adds updateinfo.xml; modifyrepo_c puts the present time into repomd.xml, which is put right afterwards. */
function addUpdateinfo(directory: string, text: string): void {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-update-'));
  try {
    const file = path.join(scratch, 'updateinfo.xml');
    writeFileSync(file, text);
    tool('modifyrepo_c', ['--mdtype', 'updateinfo', file, path.join(directory, 'repodata')]);
    editRepomd(directory, (repomd) =>
      repomd.replace(/<timestamp>\d+<\/timestamp>/g, `<timestamp>${BUILD_TIME}</timestamp>`),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Builds a whole repository below `directory`. */
export function buildRepository(source: RepositorySource, directory: string, workshop: Workshop): void {
  for (const entry of source.packages) placePackage(entry, path.join(directory, 'Packages'), workshop);
  mkdirSync(directory, { recursive: true });
  createRepodata(directory);
  if (source.updates) addUpdateinfo(directory, updateinfoText(source.updates));
  if (source.metadata !== 'gz') {
    const types = ['primary', 'filelists', 'other', ...(source.updates ? ['updateinfo'] : [])];
    for (const type of types) writeMetadata(directory, type, readMetadata(directory, type).content, source.metadata);
  }
  if (source.signedBy) signRepomd(directory, workshop, source.signedBy);
  settleTimes(directory);
}

/** repomd.xml.asc beside repomd.xml, for repo_gpgcheck. */
export function signRepomd(
  directory: string,
  workshop: Workshop,
  key: NonNullable<RepositorySource['signedBy']>,
): void {
  const repomd = path.join(directory, 'repodata', 'repomd.xml');
  writeFileSync(`${repomd}.asc`, workshop.keyring.detached(key, readFileSync(repomd)));
}

// Builds repo-fixtures/built, or with --check rebuilds into a temporary directory and compares with what is checked in.
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { differences } from './builder/compare.ts';
import { buildHostile } from './builder/hostile.ts';
import { Keyring } from './builder/keyring.ts';
import type { Workshop } from './builder/package.ts';
import { buildRepository, placePackage } from './builder/repository.ts';
import { buildRoot, DBPATH, databaseContent, isDatabaseFile } from './builder/root.ts';
import { sealRpm, splitRpm } from './builder/rpmfile.ts';
import { toolVersions } from './builder/tools.ts';
import { HOSTILE } from './sources/hostile/index.ts';
import { MATRIX } from './sources/matrix.ts';
import { REPOSITORIES } from './sources/repositories.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const keys = path.join(here, 'keys');
const checkedIn = path.join(here, 'built');

/** Public keys as repositories serve them. */
const SERVED_KEYS: Readonly<Record<string, string>> = {
  'RPM-GPG-KEY-fixtures': 'release',
  'RPM-GPG-KEY-fixtures-ed25519': 'ed25519',
  'RPM-GPG-KEY-other-vendor': 'other-vendor',
  'RPM-GPG-KEY-expired': 'expired',
  'RPM-GPG-KEY-revoked': 'revoked',
  'RPM-GPG-KEY-weak-dsa': 'weak-dsa',
};

function buildMatrix(directory: string, workshop: Workshop): void {
  for (const { source, file, v3 } of MATRIX) {
    const placed = placePackage(source, directory, workshop, file);
    if (!v3) continue;
    const sign = (header: Buffer) => workshop.keyring.v3('release', header);
    writeFileSync(placed, sealRpm(splitRpm(readFileSync(placed)), { sign }));
  }
}

function buildAll(target: string, workshop: Workshop): void {
  mkdirSync(path.join(target, 'keys'), { recursive: true });
  for (const [name, key] of Object.entries(SERVED_KEYS)) {
    copyFileSync(path.join(keys, `${key}.pub.asc`), path.join(target, 'keys', name));
  }
  for (const source of REPOSITORIES) {
    console.log(`${source.id}: ${source.packages.length} packages - ${source.why}`);
    buildRepository(source, path.join(target, source.id), workshop);
  }
  console.log(`matrix: ${MATRIX.length} packages`);
  buildMatrix(path.join(target, 'matrix'), workshop);
  const cells = MATRIX.map(({ source, v3: _, ...cell }) => ({ ...cell, why: source.why }));
  writeFileSync(path.join(target, 'matrix', 'index.json'), `${JSON.stringify(cells, null, 2)}\n`);
  console.log(`hostile: ${HOSTILE.length} repositories`);
  for (const entry of HOSTILE) buildHostile(entry, path.join(target, 'hostile', entry.id), workshop);
  const cases = HOSTILE.map(({ id, why, stage, expected }) => ({ id, why, stage, expected }));
  writeFileSync(path.join(target, 'hostile', 'index.json'), `${JSON.stringify(cases, null, 2)}\n`);
  console.log('root: kernels, configuration and rpm database');
  buildRoot(path.join(target, 'root'), workshop);
  writeFileSync(path.join(target, 'root.rpm-qa.txt'), databaseContent(path.join(target, 'root')));
  writeFileSync(path.join(target, 'TOOLS.json'), `${JSON.stringify(toolVersions(), null, 2)}\n`);
}

/** The tools whose versions are not those the checked-in files were built with. */
function changedTools(): string[] {
  const recorded = JSON.parse(readFileSync(path.join(checkedIn, 'TOOLS.json'), 'utf8')) as Record<string, string>;
  return Object.entries(toolVersions())
    .filter(([name, version]) => recorded[name] !== version)
    .map(([name, version]) => `${name}: built with "${recorded[name]}", here is "${version}"`);
}

function check(rebuilt: string): boolean {
  const found = differences(
    checkedIn,
    rebuilt,
    (name) => isDatabaseFile(name) || name === 'TOOLS.json' || name === '.gitattributes',
  );
  const [before, after] = [checkedIn, rebuilt].map((top) => databaseContent(path.join(top, 'root')));
  if (before !== after) found.push('the rpm database of root/ has other packages in it');
  if (found.length === 0) {
    console.log('The rebuilt fixtures are byte for byte what is checked in.');
    return true;
  }
  for (const line of found) console.error(line);
  const tools = changedTools();
  console.error(
    tools.length > 0
      ? `The tools are not those the fixtures were built with:\n  ${tools.join('\n  ')}\nSee repo-fixtures/README.md, "When the tools change".`
      : 'The tools are the same, so a source or the builder has changed: run `npm run fixtures` and check the result in.',
  );
  return false;
}

/** Where the rpm database holds the same packages as before, its old bytes stay: they differ with every build. */
function keepDatabase(target: string): void {
  const [before, after] = [checkedIn, target].map((top) => path.join(top, 'root'));
  if (!before || !after || !existsSync(path.join(before, DBPATH))) return;
  if (databaseContent(before) !== databaseContent(after)) return;
  cpSync(path.join(before, DBPATH), path.join(after, DBPATH), { recursive: true });
}

const checking = process.argv.includes('--check');
const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-fixtures-'));
const workshop: Workshop = { keyring: new Keyring(keys), keysDirectory: keys };
try {
  const target = path.join(scratch, 'built');
  buildAll(target, workshop);
  if (checking) process.exitCode = check(target) ? 0 : 1;
  else {
    keepDatabase(target);
    rmSync(checkedIn, { recursive: true, force: true });
    cpSync(target, checkedIn, { recursive: true, preserveTimestamps: true });
    writeFileSync(path.join(checkedIn, '.gitattributes'), '* -text\n');
  }
} finally {
  workshop.keyring.close();
  rmSync(scratch, { recursive: true, force: true });
}

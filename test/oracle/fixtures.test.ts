// What the distribution's own tools say about the fixtures: they are what they claim to be.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isTestKey, TEST_KEY_FINGERPRINTS } from '../../src/domain/testkeys.ts';
import { FIXTURES, hostileCases, KERNELS, matrixCells, scratchRoot } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';

const keysDirectory = path.join(path.dirname(FIXTURES), 'keys');
const REPOSITORIES = readdirSync(FIXTURES).filter((name) => existsSync(path.join(FIXTURES, name, 'repodata')));

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-oracle-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C', HOME: scratch },
    cwd: scratch,
  });

function packagesOf(repository: string): string[] {
  const directory = path.join(FIXTURES, repository, 'Packages');
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((name) => path.join(directory, name));
}

/** rpmkeys' verdict with the keys named: true when digests and signatures are all right. */
function rpmAccepts(file: string, ...keys: string[]): boolean {
  const database = path.join(scratch, `keys-${keys.join('-')}`);
  if (!existsSync(database)) {
    mkdirSync(database);
    for (const key of keys)
      run('rpmkeys', '--dbpath', database, '--import', path.join(keysDirectory, `${key}.pub.asc`));
  }
  const level = ['--define', '_pkgverify_level all'];
  const options = { env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  return spawnSync('rpmkeys', ['--dbpath', database, ...level, '-K', file], options).status === 0;
}

test('the list of refused test keys is the list of keys whose secret halves are checked in', () => {
  const text = readFileSync(path.join(keysDirectory, 'fingerprints.json'), 'utf8');
  const recorded = JSON.parse(text) as Record<string, string>;
  expect([...TEST_KEY_FINGERPRINTS].sort()).toEqual(Object.values(recorded).sort());
  const secrets = readdirSync(keysDirectory).filter((name) => name.endsWith('.secret.asc'));
  expect(secrets.map((name) => name.replace('.secret.asc', '')).sort()).toEqual(Object.keys(recorded).sort());
  for (const name of secrets)
    expect(readFileSync(path.join(keysDirectory, name), 'utf8')).toContain('TEST KEY - never trust');
  expect(isTestKey('67c180cd3e68af9aa4b7dc2c0f6ab0c2b5d41d1b')).toBe(true);
  expect(isTestKey('0'.repeat(40))).toBe(false);
});

needs('gpg')('keys', () => {
  test.each(readdirSync(keysDirectory).filter((name) => name.endsWith('.asc')))('%s shows its mark to gpg', (name) => {
    const text = run(
      'gpg',
      '--homedir',
      scratch,
      '--batch',
      '--show-keys',
      '--with-colons',
      path.join(keysDirectory, name),
    );
    expect(text).toContain('TEST KEY - never trust');
    const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(text)?.[1] ?? '';
    expect(TEST_KEY_FINGERPRINTS).toContain(fingerprint);
    const validity = /^(?:pub|sec):(.)/m.exec(text)?.[1];
    const expected = name.startsWith('expired') ? 'e' : name === 'revoked.pub.asc' ? 'r' : '-';
    expect(validity).toBe(expected);
  });
});

needs('rpmkeys')('packages', () => {
  test.each(REPOSITORIES)('rpm accepts digests and signature of everything in %s', (repository) => {
    for (const file of packagesOf(repository)) {
      expect([file, rpmAccepts(file, 'release', 'ed25519')]).toEqual([file, true]);
    }
  });

  test.each(matrixCells())('rpm on matrix/$file', ({ file, signature, key }) => {
    const full = path.join(FIXTURES, 'matrix', file);
    if (key !== null) expect(rpmAccepts(full, key)).toBe(true);
    expect(rpmAccepts(full, 'release', 'ed25519')).toBe(key === 'release' || key === 'ed25519');
    if (signature === 'unsigned') expect(key).toBeNull();
  });

  // What makes these worth refusing: a signature check alone lets them pass.
  test.each(hostileCases().filter(({ stage }) => stage === 'extract'))(
    'rpm accepts the signature of hostile/$id',
    ({ id }) => {
      for (const file of packagesOf(path.join('hostile', id))) expect(rpmAccepts(file, 'release')).toBe(true);
    },
  );

  const CHANGED = hostileCases().filter(({ id, stage }) => id.startsWith('file-') && stage === 'verify');
  test.each(CHANGED)('rpm refuses hostile/$id', ({ id }) => {
    const files = packagesOf(path.join('hostile', id));
    expect(files).toHaveLength(1);
    expect(rpmAccepts(files[0] ?? '', 'release')).toBe(false);
  });
});

needs(
  'rpm2cpio',
  'cpio',
  'modinfo',
  'readelf',
)('modules', () => {
  test.each(REPOSITORIES)('modinfo and readelf accept the modules of %s', (repository) => {
    for (const file of packagesOf(repository)) {
      const target = path.join(scratch, repository, path.basename(file));
      mkdirSync(target, { recursive: true });
      const archive = execFileSync('rpm2cpio', [file]);
      execFileSync('cpio', ['-idm', '--quiet', '--no-absolute-filenames'], {
        cwd: target,
        input: archive,
        stdio: ['pipe', 'ignore', 'inherit'],
      });
      const modules = readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ko'));
      for (const module of modules) {
        const full = path.join(target, module);
        const kernel = path.basename(path.dirname(module));
        const info = run('modinfo', full);
        expect(info).toMatch(/^livepatch: +Y$/m);
        expect(/^vermagic: +(\S+)/m.exec(info)?.[1]).toBe(kernel);
        const name = path.basename(module, '.ko').replaceAll('-', '_');
        expect(/^name: +(\S+)/m.exec(info)?.[1]).toBe(name);
        const elf = spawnSync('readelf', ['-SW', '-p', '.gnu.linkonce.this_module', full], { encoding: 'utf8' });
        expect([elf.status, elf.stderr]).toEqual([0, '']);
        expect(elf.stdout).toContain(name);
        expect(elf.stdout).toContain('.kpatch.checksum');
        expect(elf.stdout).toContain('.note.gnu.build-id');
      }
    }
  });
});

needs('rpm')('the ready-made root', () => {
  test('its database holds the four kernels, a kpatch utility and what patches require', () => {
    const root = scratchRoot();
    try {
      const listing = run('rpm', '--dbpath', root.at('var/lib/rpm'), '-qa', '--qf', '%{NEVRA}\\n').trim().split('\n');
      expect(listing.sort()).toEqual([
        'bash-5.1.8-1.el9.x86_64',
        'fixture-linux-release-9.4-1.el9.noarch',
        ...Object.values(KERNELS).map((release) => `kernel-core-${release}`),
        'kpatch-0.9.7-3.el9.noarch',
        'systemd-252-1.el9.x86_64',
      ]);
      const provided = run('rpm', '--dbpath', root.at('var/lib/rpm'), '-q', '--whatprovides', 'kernel-uname-r');
      expect(provided.trim().split('\n')).toHaveLength(4);
      for (const release of Object.values(KERNELS))
        expect(existsSync(root.at(`lib/modules/${release}/vmlinuz`))).toBe(true);
    } finally {
      root.remove();
    }
  });
});

needs('dnf')('metadata', () => {
  test.each(REPOSITORIES.filter((name) => name !== 'empty'))(
    'dnf reads as many packages in %s as lie there',
    (repository) => {
      const repo = [`--repofrompath=x,${path.join(FIXTURES, repository)}`, '--repo=x'];
      const settings = [
        `--setopt=cachedir=${scratch}/dnf`,
        '--setopt=reposdir=/dev/null',
        '--forcearch=x86_64',
        '--installroot',
        scratch,
      ];
      const text = run(
        'dnf',
        '-q',
        ...settings,
        ...repo,
        'repoquery',
        '--qf',
        'P %{name} %{evr} %{arch}',
        '--releasever=9',
        '--showduplicates',
      );
      const names = text.split('\n').filter((line) => line.startsWith('P '));
      expect(names).toHaveLength(packagesOf(repository).length);
    },
  );
});

// Pins, rotation and unattended consent through the real main(), with the rpm database of a root, real packages over
// HTTP, and release packages built with rpmbuild and signed with rpmsign.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { PINS } from '../../src/state/pins.ts';
import { type Built, buildRpm } from '../support/build-rpm.ts';
import { FIXTURES, KERNELS, repoText, scratchRoot } from '../support/fixtures.ts';
import { Gpg } from '../support/gpg.ts';
import { directoryForAll, rootForEach, serverForAll } from '../support/hooks.ts';
import { needs } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';
import { top } from '../support/top.ts';

const RELEASE = '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B';
const ED25519 = '3345DB31EB5E99A2A45533F4982AF4F0B3C46DAB';
const OTHER = 'BB54E1EEDC0B369655345C8ADE27E854E9275F5B';
const KEY_FILE = '/etc/pki/rpm-gpg/RPM-GPG-KEY-next';
const keyPath = (name: string): string => path.join(FIXTURES, 'keys', `RPM-GPG-KEY-${name}`);
const ed25519 = (): string => readFileSync(keyPath('fixtures-ed25519'), 'utf8');

/** A package that brings the next key; its source package is `fixture-release`, as that of `Provides: system-release`. */
const spec = (provides: string): string => `
Name: fixture-release
Version: 9
Release: 1
Summary: Brings the next key
License: MIT
BuildArch: noarch
${provides}
%description
%install
mkdir -p %{buildroot}/etc/pki/rpm-gpg
cp ${keyPath('fixtures-ed25519')} %{buildroot}${KEY_FILE}
%files
${KEY_FILE}
`;

needs(
  'rpm',
  'rpmkeys',
  'rpmbuild',
  'rpmsign',
  'gpg',
)('pins and unattended consent', () => {
  const server = serverForAll();
  const root = rootForEach(() => ({ url: server.url, repos: repoText('el9') }));
  const host = directoryForAll();
  let gpg: Gpg;
  let releasePackage: Built;
  let otherPackage: Built;

  beforeAll(async () => {
    gpg = new Gpg();
    gpg.run(['--import', path.join(top, 'repo-fixtures/keys/release.secret.asc')]);
    releasePackage = await signed('Provides: system-release = 9');
    otherPackage = await signed('');
  });
  afterAll(async () => {
    gpg.close();
    releasePackage.remove();
    otherPackage.remove();
  });
  beforeEach(() => {
    trust('fixtures');
  });

  async function signed(provides: string): Promise<Built> {
    const built = await buildRpm(spec(provides));
    const macros = ['__gpg /usr/bin/gpg', `_gpg_path ${gpg.home}`, `_gpg_name ${RELEASE}`];
    execFileSync('rpmsign', [...macros.flatMap((one) => ['--define', one]), '--addsign', built.file]);
    return built;
  }

  /** As an administrator or dnf would have done before. */
  const trust = (name: string): void =>
    void execFileSync('rpmkeys', ['--dbpath', root.at('var/lib/rpm'), '--import', keyPath(name)]);
  const rpmInstall = ({ file }: Built): void => {
    const args = [
      '--dbpath',
      root.at('var/lib/rpm'),
      '-i',
      '--justdb',
      '--nodeps',
      '--noscripts',
      '--nosignature',
      file,
    ];
    execFileSync('rpm', args);
    mkdirSync(root.at(path.dirname(KEY_FILE)), { recursive: true });
    writeFileSync(root.at(KEY_FILE), ed25519());
  };
  const use = (...repos: string[]): void => writeFileSync(root.at('etc/yum.repos.d/fixtures.repo'), repos.join('\n'));
  const hostile = (id: string, key: string): string =>
    repoText(`hostile/${id}`).replace(/RPM-GPG-KEY-fixtures/, `RPM-GPG-KEY-${key}`);
  const modules = (): string[] => {
    const folder = root.at(`var/lib/kpatch/${KERNELS.K1}`);
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  const pins = (): string[] => {
    if (!existsSync(root.at(PINS))) return [];
    const { pins: list } = JSON.parse(readFileSync(root.at(PINS), 'utf8')) as {
      pins: { stream: string; fingerprint: string }[];
    };
    return list.map(({ stream, fingerprint }) => `${stream} ${fingerprint}`);
  };

  interface Ran {
    readonly status: number;
    readonly err: string;
    /** Codes of the errors of the actions. */
    readonly codes: string[];
  }
  async function run(...args: string[]): Promise<Ran> {
    const around = surroundings({ hostPath: host.path, now: '2024-06-10T00:00:00Z' });
    const status = await main(['--installroot', root.path, '--kernel', KERNELS.K1, ...args, '--json'], around);
    const told = JSON.parse(around.stdout.text) as {
      actions?: { error?: { code: string } | null }[];
      error: { code: string } | null;
    };
    const codes = (told.actions ?? []).flatMap(({ error }) => error?.code ?? []);
    return {
      status,
      err: around.stderr.text,
      codes: codes.length > 0 ? codes : [told.error?.code ?? []].flat(),
    };
  }
  const keys = (...args: string[]): Promise<number> =>
    main(
      ['--installroot', root.path, 'keys', '-y', ...args],
      surroundings({ hostPath: host.path, now: '2024-06-10T00:00:00Z' }),
    );

  test('the first signer is pinned; afterwards another trusted key is refused until a person pins it too', async () => {
    const first = await run('install', '-y');
    expect([first.status, modules(), pins()]).toEqual([0, ['kpatch-5_14_0-427_13_1-1-2.ko'], [`rhel ${RELEASE}`]]);
    expect(first.err).toContain(`taken only when the key ${RELEASE}`);
    trust('other-vendor');
    use(repoText('el9'), hostile('signed-other-vendor', 'other-vendor'));
    const refused = await run('install', '-y');
    expect([refused.status, refused.codes, modules()]).toEqual([
      1,
      ['key-not-pinned'],
      ['kpatch-5_14_0-427_13_1-1-2.ko'],
    ]);
    expect(refused.err).toContain(`kpatch-pm --installroot ${root.path} keys pin rhel ${OTHER}`);
    expect(await keys('pin', 'rhel', OTHER)).toBe(0);
    const confirmed = await run('install', '-y');
    expect([confirmed.status, modules()]).toEqual([0, ['kpatch-5_14_0-427_13_1-1-4.ko']]);
    expect(pins()).toEqual([`rhel ${RELEASE}`, `rhel ${OTHER}`]);
  });

  test('without the pin the other trusted key would have been taken: the pin is what stops it', async () => {
    mkdirSync(root.at('etc/kpatch-pm'), { recursive: true });
    writeFileSync(root.at('etc/kpatch-pm/kpatch-pm.conf'), '[main]\npin_first_signer = 0\n');
    expect((await run('install', '-y')).status).toBe(0);
    trust('other-vendor');
    use(repoText('el9'), hostile('signed-other-vendor', 'other-vendor'));
    expect([(await run('install', '-y')).status, modules(), pins()]).toEqual([
      0,
      ['kpatch-5_14_0-427_13_1-1-4.ko'],
      [],
    ]);
  });

  test('installed by two keys: neither is pinned, both are named', async () => {
    trust('other-vendor');
    use(repoText('el9'), hostile('signed-other-vendor', 'other-vendor'));
    const around = surroundings({ hostPath: host.path, now: '2024-06-10T00:00:00Z' });
    expect(await main(['--installroot', root.path, 'install', '-y'], around)).toBe(0);
    expect([modules(), pins()]).toEqual([['kpatch-5_14_0-427_13_1-1-4.ko'], []]);
    expect(around.stderr.text).toMatch(new RegExp(`signed by different keys .*${OTHER}.*none is pinned`));
  });

  test('a file that a person names pins nothing, and is refused by a pin like any other', async () => {
    const file = 'kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64.rpm';
    writeFileSync(path.join(host.path, file), readFileSync(path.join(FIXTURES, 'el9/Packages', file)));
    expect(await keys('pin', 'rhel', OTHER)).toBe(0);
    expect([(await run('install', '-y', `/${file}`)).codes, modules()]).toEqual([['key-not-pinned'], []]);
    expect(await keys('unpin', 'rhel')).toBe(0);
    expect([(await run('install', '-y', `/${file}`)).status, modules().length, pins()]).toEqual([0, 1, []]);
  });

  test('a level by a key that is not pinned does not keep the lower levels of the vendor away', async () => {
    trust('other-vendor');
    expect(await keys('pin', 'rhel', RELEASE)).toBe(0);
    use(repoText('el9'), hostile('signed-other-vendor', 'other-vendor'));
    const { status, err } = await run('install', '-y');
    expect([status, modules()]).toEqual([0, ['kpatch-5_14_0-427_13_1-1-2.ko']]);
    expect(err).toMatch(/pinned to other keys.*The next level below is tried/);
  });

  test('pins in kpatch-pm.conf go before, and nothing is recorded', async () => {
    mkdirSync(root.at('etc/kpatch-pm'), { recursive: true });
    writeFileSync(root.at('etc/kpatch-pm/kpatch-pm.conf'), `[pins]\nrhel = ${OTHER}\n`);
    expect([(await run('install', '-y')).codes, modules(), pins()]).toEqual([['key-not-pinned'], [], []]);
    expect(await keys('pin', 'rhel', RELEASE)).toBe(1);
    expect(pins()).toEqual([]);
  });

  test('a damaged record of pins refuses; it is never read as none', async () => {
    mkdirSync(root.at('var/lib/kpatch-pm'), { recursive: true, mode: 0o700 });
    writeFileSync(root.at(PINS), '{');
    expect([(await run('install', '-y')).codes, modules()]).toEqual([['state-damaged'], []]);
  });

  test('unattended: a key that only the repository offers is not accepted; -y accepts it', async () => {
    use(hostile('signed-ed25519', 'fixtures-ed25519'));
    const alone = await run('install', '--unattended');
    expect([alone.status, alone.codes, modules()]).toEqual([1, ['key-untrusted'], []]);
    expect(alone.err).toContain('is not accepted while nobody is there');
    expect((await run('install', '-y')).status).toBe(0);
    expect([modules(), pins()]).toEqual([['kpatch-5_14_0-427_13_1-1-4.ko'], [`rhel ${ED25519}`]]);
  });

  test('unattended: a key that a verified installed package brings is accepted, and said', async () => {
    rpmInstall(otherPackage);
    use(hostile('signed-ed25519', 'fixtures-ed25519'));
    const { status, err } = await run('install', '--unattended');
    expect([status, modules(), pins()]).toEqual([0, ['kpatch-5_14_0-427_13_1-1-4.ko'], [`rhel ${ED25519}`]]);
    expect(err).toContain(`${KEY_FILE}, of fixture-release-9-1.noarch`);
  });

  test('unattended: not when the file is another than the package brought', async () => {
    rpmInstall(otherPackage);
    writeFileSync(root.at(KEY_FILE), `${ed25519()}\n`);
    use(hostile('signed-ed25519', 'fixtures-ed25519'));
    expect([(await run('install', '--unattended')).codes, modules()]).toEqual([['key-untrusted'], []]);
  });

  test('a removed key does not come back by itself, neither unattended nor with -y; imported by a person it does', async () => {
    rpmInstall(releasePackage);
    trust('fixtures-ed25519');
    expect(await keys('remove', ED25519)).toBe(0);
    use(hostile('signed-ed25519', 'fixtures-ed25519'));
    for (const how of ['--unattended', '-y']) {
      const { codes, err } = await run('install', how);
      expect([how, codes, modules()]).toEqual([how, ['key-untrusted'], []]);
      expect(err).toMatch(/was removed on 2024-06-10/);
    }
    expect(await keys('import', keyPath('fixtures-ed25519'))).toBe(1);
    writeFileSync(path.join(host.path, 'next.asc'), ed25519());
    expect(await keys('import', '/next.asc')).toBe(0);
    expect((await run('install', '--unattended')).status).toBe(0);
  });

  test('rotation: the release package signed by the pinned key hands the pin over to the key it brings', async () => {
    expect((await run('install', '-y')).status).toBe(0);
    rpmInstall(releasePackage);
    use(repoText('el9'), hostile('signed-ed25519', 'fixtures-ed25519'));
    const { status, err } = await run('install', '--unattended');
    expect([status, modules(), pins()]).toEqual([
      0,
      ['kpatch-5_14_0-427_13_1-1-4.ko'],
      [`rhel ${RELEASE}`, `rhel ${ED25519}`],
    ]);
    expect(err).toContain('fixture-release-9-1.noarch, signed by the pinned key');
  });

  test('a package of the pinned vendor that brings the key of somebody else hands nothing over', async () => {
    expect((await run('install', '-y')).status).toBe(0);
    rpmInstall(otherPackage);
    trust('fixtures-ed25519');
    use(repoText('el9'), hostile('signed-ed25519', 'fixtures-ed25519'));
    expect([(await run('install', '--unattended')).codes, modules()]).toEqual([
      ['key-not-pinned'],
      ['kpatch-5_14_0-427_13_1-1-2.ko'],
    ]);
    expect(pins()).toEqual([`rhel ${RELEASE}`]);
  });
});

needs('rpm')('a key that is only offered', () => {
  const server = serverForAll();
  const host = directoryForAll();

  test.each([
    ['signed-md5', 'signature-weak'],
    ['file-signature-algorithm', 'signature-unsupported'],
    ['file-signature', 'signature-bad'],
    ['signed-other-vendor', 'key-untrusted'],
  ])('%s is called %s, and nobody is asked to trust the key', async (id, code) => {
    const root = scratchRoot({ url: server.url, repos: repoText(`hostile/${id}`) });
    try {
      const around = surroundings({ hostPath: host.path, now: '2024-06-10T00:00:00Z' });
      await main(['--installroot', root.path, 'install', '-y', '--json', '--kernel', KERNELS.K1], around);
      const { actions } = JSON.parse(around.stdout.text) as { actions: { error?: { code: string } | null }[] };
      expect(actions.flatMap(({ error }) => error?.code ?? [])).toEqual([code]);
      expect(around.stderr.text).not.toContain('Importing key');
    } finally {
      root.remove();
    }
  });
});

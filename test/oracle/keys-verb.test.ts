// The verb keys, and keys of metadata, through the real main() over a root with a real rpm database.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import type { Run } from '../../src/host/run.ts';
import { FIXTURES, KERNELS, repoText } from '../support/fixtures.ts';
import { Gpg } from '../support/gpg.ts';
import { directoryForAll, rootForEach, serverForAll } from '../support/hooks.ts';
import { needs, needsThat } from '../support/programs.ts';
import { faults, undescribed } from '../support/schema.ts';
import { surroundings } from '../support/surroundings.ts';
import { top } from '../support/top.ts';

const RELEASE = '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B';
const ED25519 = '3345DB31EB5E99A2A45533F4982AF4F0B3C46DAB';
const SCHEMA = JSON.parse(readFileSync(path.join(top, 'docs/schemas/keys.json'), 'utf8'));

needs(
  'rpm',
  'rpmkeys',
  'gpg',
)('kpatch-pm keys', () => {
  const server = serverForAll();
  const root = rootForEach(() => ({ url: server.url, repos: repoText('el9') }));
  const host = directoryForAll();
  let now = '2024-06-10T00:00:00Z';

  beforeAll(() => {
    cpSync(path.join(FIXTURES, 'keys'), path.join(host.path, 'keys'), { recursive: true });
  });
  beforeEach(() => {
    now = '2024-06-10T00:00:00Z';
  });

  interface Ran {
    readonly status: number;
    readonly out: string;
    readonly err: string;
  }
  async function run(args: readonly string[], typed?: readonly string[]): Promise<Ran> {
    const terminal = typed ? { terminal: 100, typed } : {};
    const around = surroundings({ hostPath: host.path, directory: '/keys', now, env: { TERM: 'dumb' }, ...terminal });
    const status = await main(['--installroot', root.path, ...args], around);
    return { status, out: around.stdout.text, err: around.stderr.text };
  }
  interface Told {
    readonly keys: readonly {
      fingerprint: string;
      state: string;
      signs: string;
      repository: string | null;
      kept_in: string[];
      pinned_for: string[];
    }[];
    readonly pins: readonly { stream: string; fingerprint: string; source: string }[];
    readonly removed: readonly { fingerprint: string }[];
    readonly done: readonly { do: string; fingerprint: string }[];
    readonly error: { code: string } | null;
  }
  async function json(...args: string[]): Promise<Told> {
    const { out } = await run(['keys', ...args, '-y', '--json']);
    const told = JSON.parse(out) as Told;
    expect([faults(SCHEMA, told), undescribed(SCHEMA, told)]).toEqual([[], []]);
    return told;
  }
  const rpmHas = (): string[] =>
    spawnSync('rpm', ['--dbpath', root.at('var/lib/rpm'), '-qa', 'gpg-pubkey', '--qf', '%{SUMMARY}\n'])
      .stdout.toString()
      .split('\n')
      .filter(Boolean);

  test('import shows owner, fingerprint and source, and asks; no leaves everything as it was', async () => {
    const refused = await run(['keys', 'import', 'RPM-GPG-KEY-fixtures'], ['n']);
    expect([refused.status, rpmHas()]).toEqual([1, []]);
    expect(refused.err).toContain('67C1 80CD 3E68 AF9A A4B7 DC2C 0F6A B0C2 B5D4 1D1B');
    expect(refused.err).toContain('release (TEST KEY - never trust) <release@fixtures.invalid>');
    expect(refused.err).toContain('From       : /keys/RPM-GPG-KEY-fixtures');
    const accepted = await run(['keys', 'import', 'RPM-GPG-KEY-fixtures'], ['y']);
    expect([accepted.status, rpmHas()]).toEqual([
      0,
      ['release (TEST KEY - never trust) <release@fixtures.invalid> public key'],
    ]);
    expect(accepted.out).toContain(`Imported: ${RELEASE}`);
    const again = await run(['keys', 'import', 'RPM-GPG-KEY-fixtures'], []);
    expect([again.status, again.out]).toEqual([0, 'Nothing to do.\n']);
  });

  test('import takes URLs and several files; one that cannot be had changes nothing', async () => {
    const url = `${server.url}/keys/RPM-GPG-KEY-fixtures-ed25519`;
    const failed = await run(['keys', 'import', '-y', 'RPM-GPG-KEY-fixtures', `${server.url}/keys/none`]);
    expect([failed.status, rpmHas()]).toEqual([1, []]);
    const { done, keys } = await json('import', 'RPM-GPG-KEY-fixtures', url);
    expect(done.map(({ fingerprint }) => fingerprint)).toEqual([RELEASE, ED25519]);
    expect(keys.map(({ fingerprint, signs }) => [fingerprint, signs]).sort()).toEqual(
      [
        [RELEASE, 'packages'],
        [ED25519, 'packages'],
      ].sort(),
    );
  });

  test('a dry run shows what would be done and changes nothing', async () => {
    const dry = (...args: string[]) => run(['keys', '--dry-run', ...args]);
    const shown = await dry('import', 'RPM-GPG-KEY-fixtures');
    expect([shown.status, shown.out.slice(0, 58), rpmHas()]).toEqual([
      0,
      `Would be imported: ${RELEASE}`.slice(0, 58),
      [],
    ]);
    expect(shown.err).toContain('67C1 80CD');
    await json('import', 'RPM-GPG-KEY-fixtures');
    expect((await dry('remove', RELEASE)).out).toMatch(/^Would be removed: 67C1/);
    expect((await dry('pin', 'rhel', RELEASE)).out).toMatch(/^Would be pinned for rhel: 67C1/);
    expect([rpmHas().length, (await json('list')).pins]).toEqual([1, []]);
    await json('pin', 'rhel', RELEASE);
    expect((await dry('unpin', 'rhel')).out).toMatch(/^Would be unpinned for rhel: 67C1/);
    expect((await json('list')).pins).toHaveLength(1);
  });

  test('what is no key, or not there, is told as such', async () => {
    writeFileSync(path.join(host.path, 'keys', 'note'), 'not a key\n');
    expect((await json('import', 'note')).error?.code).toBe('openpgp-malformed');
    expect((await json('import', 'absent')).error?.code).toBe('file-unreadable');
    expect((await json('remove', RELEASE)).error?.code).toBe('key-missing');
    expect((await json('unpin', 'rhel')).error?.code).toBe('key-missing');
  });

  test.each([
    [['keys', 'nonsense']],
    [['keys', 'import']],
    [['keys', 'show']],
    [['keys', 'show', 'nobody']],
    [['keys', 'list', 'more']],
    [['keys', 'pin', 'fedora', RELEASE]],
    [['keys', 'pin', 'rhel']],
    [['keys', 'unpin']],
    [['keys', 'pin', 'rhel', RELEASE, '--metadata', 'el9']],
    [['status', '--metadata', 'el9']],
  ])('%j is a usage error', async (args) => {
    expect((await run(args)).status).toBe(2);
  });

  test('list and show tell state, place and pins; a fingerprint may be typed with blanks', async () => {
    for (const name of ['fixtures', 'expired', 'revoked']) await json('import', `RPM-GPG-KEY-${name}`);
    await json('pin', 'rhel', RELEASE);
    const { keys, pins } = await json('list');
    expect(keys.map(({ state }) => state).sort()).toEqual(['expired', 'good', 'revoked']);
    expect(keys.filter(({ pinned_for: streams }) => streams.includes('rhel')).map((key) => key.fingerprint)).toEqual([
      RELEASE,
    ]);
    expect(pins).toMatchObject([{ stream: 'rhel', fingerprint: RELEASE, source: 'recorded' }]);
    const list = await run(['keys']);
    expect(list.out).toMatch(
      new RegExp(`Signing packages:[\\s\\S]*${RELEASE} +never +rpm +rhel\n +release \\(TEST KEY`),
    );
    expect(list.out).toMatch(/ revoked /);
    const shown = await run(['keys', 'show', ...'67C1 80CD 3E68 AF9A A4B7 DC2C 0F6A B0C2 B5D4 1D1B'.split(' ')]);
    expect(shown.out).toMatch(
      /^Fingerprint : 67C1 80CD[\s\S]*State {7}: good\nSigns {7}: packages\n[\s\S]*Pinned for {2}: rhel\n$/,
    );
  });

  test('remove asks, says what it costs, and is remembered', async () => {
    await json('import', 'RPM-GPG-KEY-fixtures');
    await json('pin', 'rhel', RELEASE);
    const no = await run(['keys', 'remove', RELEASE], ['']);
    expect([no.status, rpmHas().length]).toEqual([1, 1]);
    const yes = await run(['keys', 'remove', RELEASE], ['y']);
    expect([yes.status, rpmHas()]).toEqual([0, []]);
    expect(yes.err).toContain('Pinned for : rhel');
    const { keys, removed } = await json('list');
    expect([keys, removed.map(({ fingerprint }) => fingerprint)]).toEqual([[], [RELEASE]]);
    expect((await run(['keys'])).out).toMatch(
      /No key is trusted\.[\s\S]*Pinned, but not trusted:\n[\s\S]*Removed on purpose/,
    );
    expect((await json('import', 'RPM-GPG-KEY-fixtures')).removed).toEqual([]);
  });

  test('a key that is not trusted may be pinned by its whole fingerprint only; unpin frees the stream', async () => {
    expect((await json('pin', 'rhel', RELEASE.slice(-16))).error?.code).toBe('key-missing');
    expect((await run(['keys', 'pin', 'rhel', RELEASE])).err).toContain('is not trusted yet');
    await json('pin', 'rhel', ED25519);
    expect((await json('unpin', 'rhel', RELEASE)).pins.map(({ fingerprint }) => fingerprint)).toEqual([ED25519]);
    expect((await json('unpin', 'rhel')).pins).toEqual([]);
  });

  test('keys of metadata are kept apart: each of its repository, none for packages, and the reverse', async () => {
    await json('import', 'RPM-GPG-KEY-fixtures-ed25519', '--metadata', 'el9');
    const { keys } = await json('import', 'RPM-GPG-KEY-fixtures');
    expect(keys.map(({ fingerprint, signs, repository }) => [fingerprint, signs, repository])).toEqual([
      [RELEASE, 'packages', null],
      [ED25519, 'metadata', 'el9'],
    ]);
    expect(rpmHas()).toHaveLength(1);
    expect((await json('remove', ED25519)).error?.code).toBe('key-missing');
    expect((await json('remove', ED25519, '--metadata', 'other')).error?.code).toBe('key-missing');
    expect((await json('remove', ED25519, '--metadata', 'el9')).keys).toHaveLength(1);
  });

  const signedRepo = (): void =>
    writeFileSync(root.at('etc/yum.repos.d/fixtures.repo'), repoText('el9', 'repo_gpgcheck=1\n'));
  const metadataKeys = (): string[] => {
    const folder = root.at('var/lib/kpatch-pm/metadata-keys/el9');
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  test('repo_gpgcheck: the key is asked for once, apart from that of the packages; a dry run accepts none', async () => {
    signedRepo();
    execFileSync('rpmkeys', [
      '--dbpath',
      root.at('var/lib/rpm'),
      '--import',
      path.join(FIXTURES, 'keys/RPM-GPG-KEY-fixtures'),
    ]);
    const dry = await run(['install', '--dry-run', '-y', '--json', '--kernel', KERNELS.K1]);
    expect([dry.status, JSON.parse(dry.out).error.code, metadataKeys()]).toEqual([1, 'repo-key-untrusted', []]);
    const no = await run(['makecache'], ['n']);
    expect([no.status, metadataKeys()]).toEqual([1, []]);
    expect(no.err).toContain('Importing key for the metadata of el9, 0x0F6AB0C2B5D41D1B');
    expect((await run(['makecache'], ['y'])).status).toBe(0);
    expect(metadataKeys()).toEqual([`${RELEASE}.asc`]);
    const quiet = await run(['install', '-y', '--kernel', KERNELS.K1]);
    expect([quiet.status, quiet.err.includes('Importing key')]).toEqual([0, false]);
  });

  test('repo_gpgcheck: unattended, an offered key is not taken; a removed key ends the use of what it signed', async () => {
    signedRepo();
    expect((await run(['makecache', '--unattended'])).status).toBe(1);
    expect((await run(['makecache', '-y'])).status).toBe(0);
    expect((await run(['status', '-C', '--json'])).out).toContain('"available": "kpatch-patch-');
    expect((await json('remove', RELEASE, '--metadata', 'el9')).done).toHaveLength(1);
    // Fresh or not, what only that key vouched for is gone, and -y does not bring the key back.
    expect((await run(['status', '-C', '--json'])).out).not.toContain('"available": "kpatch-patch-');
    const refused = await run(['makecache', '-y']);
    expect([refused.status, metadataKeys()]).toEqual([1, ['removed.json']]);
    expect(refused.err).toContain('was removed on 2024-06-10');
  });

  test('status warns before the last key ends that may bring patches: the pinned ones, whatever else is trusted', async () => {
    const gpg = new Gpg();
    try {
      gpg.time = Date.parse('2024-01-01T00:00:00Z') / 1000;
      const fingerprint = gpg.key('Vendor', 'rsa2048', 'sign', '20240701T000000');
      writeFileSync(path.join(host.path, 'keys', 'vendor'), gpg.export('Vendor'));
      await json('import', 'vendor', 'RPM-GPG-KEY-fixtures');
      await json('pin', 'rhel', fingerprint);
      const notices = async (): Promise<{ code: string; text: string }[]> =>
        JSON.parse((await run(['status', '--json'])).out).notices;
      const about = async () => (await notices()).filter(({ code }) => code.startsWith('key-')).map(({ text }) => text);
      now = '2024-05-31T00:00:00Z';
      expect(await about()).toEqual([]);
      now = '2024-06-10T00:00:00Z';
      expect(await about()).toEqual([
        expect.stringContaining(`${fingerprint} (Vendor), expires on 2024-07-01, in 21 days`),
      ]);
      expect((await run(['status'])).err).toContain('expires on 2024-07-01, in 21 days');
      expect((await run(['metrics'])).out).toContain('\nkpatch_pm_key_trouble 1\n');
      mkdirSync(root.at('etc/kpatch-pm'), { recursive: true });
      writeFileSync(root.at('etc/kpatch-pm/kpatch-pm.conf'), '[main]\nkey_expiry_warning = 7d\n');
      expect(await about()).toEqual([]);
      now = '2024-08-01T00:00:00Z';
      expect(await about()).toEqual([expect.stringContaining('expired on 2024-07-01; new patches are refused')]);
      await json('remove', fingerprint);
      expect(await about()).toEqual([
        expect.stringContaining(`is pinned to ${fingerprint}, and no such key is trusted`),
      ]);
      await json('unpin', 'rhel');
      expect(await about()).toEqual([]);
    } finally {
      gpg.close();
    }
  });

  needsThat(process.getuid?.() === 0, 'being root')('another user', () => {
    test('is told in one sentence that pins and own keys are hidden', async () => {
      await json('import', 'RPM-GPG-KEY-fixtures');
      await json('pin', 'rhel', RELEASE);
      for (const directory of [host.path, root.path]) chmodSync(directory, 0o755);
      const around = { ...surroundings({ hostPath: host.path, now }), uid: 65534 };
      process.seteuid?.(65534);
      try {
        expect(await main(['--installroot', root.path, 'keys'], around)).toBe(0);
      } finally {
        process.seteuid?.(0);
      }
      expect(around.stdout.text).toContain(RELEASE);
      expect(around.stderr.text).toBe(
        `Warning: Pins, removals and keys in ${root.path}/var/lib/kpatch-pm can be read by root only: what is shown is not all.\n`,
      );
    });
  });

  test('status asks rpm for its keys only when its database changed', async () => {
    const asked = async (): Promise<number> => {
      const around = surroundings({ hostPath: host.path, now });
      let count = 0;
      const counting: Run = {
        ...around.run,
        run: (program, args, options) => {
          if (args.includes('gpg-pubkey')) count++;
          return around.run.run(program, args, options);
        },
      };
      expect(await main(['--installroot', root.path, 'status'], { ...around, run: counting })).toBe(0);
      return count;
    };
    expect([await asked(), await asked()]).toEqual([1, 0]);
    await json('import', 'RPM-GPG-KEY-fixtures');
    expect([await asked(), await asked()]).toEqual([1, 0]);
  });
});

// Our verbs beside dnf's on the same root and the same repository: what is listed, found and planned, in which words, with
// which exit status.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { FIXTURES, KERNELS, scratchRoot } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';

const { K1 } = KERNELS;
const P = 'kpatch-patch-5_14_0-427_13_1';
/** The newest level is unusable here; dnf would not see why, so both are told to leave it out. */
const without = '*-1-3.*';

interface Answer {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

const root = scratchRoot({ url: `file://${FIXTURES}` });
afterAll(() => root.remove());

function dnf(...args: string[]): Answer {
  const { status, stdout, stderr } = spawnSync(
    'dnf',
    [
      ...[
        '--installroot',
        root.path,
        '--releasever=9',
        '--disableplugin=*',
        '--nogpgcheck',
        '-c',
        root.at('etc/dnf/dnf.conf'),
      ],
      ...[`--setopt=reposdir=${root.at('etc/yum.repos.d')}`, `--setopt=varsdir=${root.at('etc/dnf/vars')}`],
      ...['--setopt=tsflags=justdb,noscripts', `--exclude=${without}`, ...args],
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', HOME: root.path } },
  );
  return { status, out: stdout, err: stderr };
}

async function ours(...args: string[]): Promise<Answer> {
  const around = surroundings({ hostPath: '/', now: new Date().toISOString() });
  const status = await main(['--installroot', root.path, '--setopt', `excludepkgs=${without}`, ...args], around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}

/** Rows `name.arch version repository`, whatever the width of the columns; debug packages are dnf's alone. */
function rows({ out }: Answer): string[] {
  const joined = out.replace(/\n +/g, ' ');
  return joined
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells.length === 3 && cells[0]?.startsWith('kpatch-patch-') && !cells[0].includes('-debug'))
    .map((cells) => cells.join(' '));
}

/** Headings, groups and counts of a transaction table, without widths and sizes. */
function table({ out }: Answer): string[] {
  return (
    out
      .split('\n')
      .map((line) => line.trim().replace(/\s+/g, ' '))
      .filter(
        (line) =>
          /^(Installing|Upgrading|Downgrading|Reinstalling|Removing|Install|Upgrade|Downgrade|Remove)\b/.test(line) ||
          line.startsWith(`${P} x86_64`),
      )
      // Where it came from is a matter of dnf's own history; the size of an installed one is not kept.
      .map((line) => (line.startsWith(P) ? line.split(' ').slice(0, 3).join(' ') : line))
      .filter((line) => !line.startsWith('Installed size'))
  );
}

needs('rpm', 'dnf')('beside dnf', () => {
  beforeAll(async () => {
    writeFileSync(root.at('.rpmmacros'), '%_dbpath /var/lib/rpm\n');
    expect(dnf('makecache').status).toBe(0);
    expect((await ours('makecache')).status).toBe(0);
  });

  test('what is on offer', async () => {
    const [theirs, mine] = [dnf('list', '--available', 'kpatch-patch-5*'), await ours('list', '--available')];
    expect(rows(mine).length).toBeGreaterThan(4);
    expect(rows(mine)).toEqual(rows(theirs));
    expect(mine.out.split('\n')[0]).toBe('Available Packages');
  });

  test.each([[[K1]], [['kpatch-patch', K1]]])('search %j', async (terms) => {
    const [theirs, mine] = [dnf('-q', 'search', ...terms), await ours('search', ...terms)];
    const heads = ({ out }: Answer): string[] => out.split('\n').filter((line) => !line.startsWith('=') && line !== '');
    expect(heads(mine).sort()).toEqual(
      heads(theirs)
        .filter((line) => !/-debug|-doc/.test(line))
        .sort(),
    );
    expect(mine.status).toBe(theirs.status);
  });

  test('search, to the letter', async () => {
    expect((await ours('search', K1)).out).toBe(dnf('-q', 'search', K1).out);
  });

  test('repositories', async () => {
    const ids = ({ out }: Answer): (string | undefined)[] => out.split('\n').map((line) => line.split(/\s+/)[0]);
    expect(ids(await ours('repolist'))).toEqual(ids(dnf('repolist')));
    expect(ids(await ours('repolist', '--all'))).toEqual(ids(dnf('repolist', '--all')));
  });

  test.each(['install', 'upgrade', 'reinstall', 'remove', 'list', 'provides'])(
    '%s of something that does not exist ends alike',
    async (verb) => {
      const [theirs, mine] = [dnf('-y', verb, 'nosuch'), await ours('-y', verb, 'nosuch')];
      expect(mine.status).toBe(theirs.status);
      const said = (answer: Answer): string => `${answer.out}\n${answer.err}`;
      for (const words of [
        'No match for argument: nosuch',
        'Unable to find a match: nosuch',
        'No packages marked for',
        'No matching Packages to list',
      ]) {
        if (said(theirs).includes(words)) expect(said(mine)).toContain(words);
      }
    },
  );

  test.each(['upgrade', 'downgrade'])('%s of what is not installed ends alike', async (verb) => {
    expect((await ours('-y', verb, P)).status).toBe(dnf('-y', verb, P).status);
  });

  test('install by the form of the documentation: the same level', async () => {
    const spec = `kpatch-patch = ${K1}`;
    const [theirs, mine] = [dnf('--assumeno', 'install', spec), await ours('--assumeno', 'install', spec)];
    expect(table(mine)).toEqual(table(theirs));
    expect(table(mine)).toContain(`${P} x86_64 1-2.el9_4`);
    expect([mine.status, theirs.status]).toEqual([1, 1]);
    expect(mine.err).toContain('Operation aborted.');
  });

  describe('with the lowest level installed by dnf', () => {
    beforeAll(() => expect(dnf('-y', 'install', `${P}-1-1.el9_4`).status).toBe(0));

    test('what is installed, and the updates', async () => {
      const name = (answer: Answer): string[] => rows(answer).map((row) => row.split(' ').slice(0, 2).join(' '));
      expect(name(await ours('list', '--installed'))).toEqual(name(dnf('list', '--installed', 'kpatch-patch-5*')));
      expect(rows(await ours('list', '--upgrades'))).toEqual(rows(dnf('list', '--upgrades', 'kpatch-patch*')));
      const [theirs, mine] = [dnf('check-update', 'kpatch-patch*'), await ours('check-update', 'kpatch-patch*')];
      expect([mine.status, theirs.status]).toEqual([100, 100]);
      expect(rows(mine)).toEqual(rows(theirs));
      // Scripts count the lines.
      const quiet = await ours('-q', 'check-update', 'kpatch-patch*');
      expect(rows(quiet)).toEqual(rows(dnf('-q', 'check-update', 'kpatch-patch*')));
      expect([rows(quiet).length, quiet.err]).toEqual([1, '']);
    });

    test.each([
      ['--security'],
      ['--bugfix'],
      ['--enhancement'],
      ['--sec-severity=Important'],
      ['--sec-severity=Low'],
      ['--advisory=FXSA-2024:1002'],
      ['--cve=CVE-2024-90002'],
      ['--cve=CVE-2024-90002', 'kpatch-patch-5_14_0-362_18_1'],
      ['--security', P],
    ])('check-update %s %s', async (...args) => {
      const [theirs, mine] = [dnf('check-update', ...args), await ours('check-update', ...args)];
      expect({ rows: rows(mine), status: mine.status }).toEqual({ rows: rows(theirs), status: theirs.status });
    });

    test.each([
      ['upgrade', P],
      ['install', P],
      ['reinstall', P],
      ['remove', P],
      ['upgrade', `kpatch-patch = ${K1}`],
    ])('%s %s plans the same', async (verb, spec) => {
      const [theirs, mine] = [dnf('--assumeno', verb, spec), await ours('--assumeno', verb, spec)];
      expect(table(theirs)).not.toEqual([]);
      // Of a reinstallation dnf's summary counts nothing.
      expect(table(mine).filter((line) => !line.startsWith('Reinstall '))).toEqual(table(theirs));
      expect(mine.status).toBe(theirs.status);
    });

    test('with the next level installed, an older one that is named is a downgrade', async () => {
      expect(dnf('-y', 'upgrade', P).status).toBe(0);
      for (const args of [
        ['downgrade', P],
        ['install', `${P}-1-1.el9_4`],
      ]) {
        const [theirs, mine] = [dnf('--assumeno', ...args), await ours('--assumeno', ...args)];
        expect(table(mine)).toEqual(table(theirs));
        expect(mine.status).toBe(theirs.status);
      }
      expect((await ours('check-update')).status).toBe(dnf('check-update', 'kpatch-patch*').status);
    });

    test('what we remove, reinstall and downgrade is so for dnf', async () => {
      const seen = (): string[] =>
        rows(dnf('list', '--installed', 'kpatch-patch-5*')).map((row) => row.split(' ')[1] ?? '');
      expect(seen()).toEqual(['1-2.el9_4']);
      expect((await ours('-y', '--nogpgcheck', 'reinstall', P)).status).toBe(0);
      expect(seen()).toEqual(['1-2.el9_4']);
      expect((await ours('-y', '--nogpgcheck', 'downgrade', P)).status).toBe(0);
      expect(seen()).toEqual(['1-1.el9_4']);
      expect(
        dnf('check')
          .out.split('\n')
          .filter((line) => line.includes('kpatch-patch')),
      ).toEqual([]);
      expect((await ours('-y', 'remove', P)).status).toBe(0);
      expect(seen()).toEqual([]);
    });
  });
});

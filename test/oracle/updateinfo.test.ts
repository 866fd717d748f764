// Our advisories are dnf's: the same root, the same repository, the same packages, every form of `dnf updateinfo`.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { FIXTURES, repoText, type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';

let root: ScratchRoot;
const packages = (name: string) => path.join(FIXTURES, 'el9', 'Packages', name);

function rpm(...args: string[]): void {
  const { status, stderr } = spawnSync('rpm', ['--dbpath', root.at('var/lib/rpm'), ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C', HOME: root.path },
  });
  if (status !== 0) throw new Error(stderr);
}

/** Where this machine's rpm looks for the database of a root that dnf opens. */
const databasePath = (): string =>
  spawnSync('rpm', ['--eval', '%_dbpath'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: '/root' },
  }).stdout.trim();

function dnf(args: readonly string[]): string {
  const { stdout } = spawnSync(
    'dnf',
    [
      '-q',
      `--installroot=${root.path}`,
      '--noplugins',
      '--releasever=9',
      '--forcearch=x86_64',
      '--setopt=reposdir=/nowhere',
      `--repofrompath=el9,file://${FIXTURES}/el9`,
      '--repo=el9',
      '--setopt=cachedir=/var/cache/dnf',
      '--setopt=logdir=/var/log',
      'updateinfo',
      ...args,
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, LC_ALL: 'C', HOME: '/root' } },
  );
  return stdout;
}

async function ours(args: readonly string[]): Promise<string> {
  const around = surroundings({ hostPath: '/', env: { LC_ALL: 'C' } });
  await main(['--installroot', root.path, 'updateinfo', ...args], around);
  return around.stdout.text;
}

beforeAll(() => {
  root = scratchRoot({ repos: repoText('el9').replaceAll('$fixture_url', `file://${FIXTURES}`) });
});
afterAll(() => root.remove());

needs('dnf', 'rpm')('dnf updateinfo', () => {
  beforeAll(() => {
    // The first levels of two streams: advisories for both, older and newer.
    const levels = [
      'kpatch-patch-5_14_0-427_13_1-1-1.el9_4.x86_64.rpm',
      'kpatch-patch-5_14_0-362_18_1-1-2.el9_3.x86_64.rpm',
    ];
    rpm('-i', '--justdb', '--nodeps', '--nosignature', '--noscripts', '--notriggers', ...levels.map(packages));
    const place = databasePath();
    if (place !== '/var/lib/rpm') {
      mkdirSync(root.at(place.slice(1)), { recursive: true });
      cpSync(root.at('var/lib/rpm'), root.at(place.slice(1)), { recursive: true });
    }
  });

  test.each([
    [['list']],
    [['list', '--all']],
    [['list', '--installed']],
    [['list', '--available']],
    [['list', '--updates']],
    [['list', '--with-cve']],
    [['list', '--all', '--with-cve']],
    [['list', '--installed', '--with-cve']],
    [['list', 'FXSA-2024:1003']],
    [['list', 'kpatch-patch-5_14_0-362*']],
    [['list', 'nothing']],
    [['list', '--cve', 'CVE-2024-90002']],
    [['list', '--advisory', 'FXSA-2024:1010']],
    [['list', 'all']],
    [['list', 'security']],
    [['list', 'all', 'security']],
    [['list', 'all', 'bugfix']],
    [['list', 'all', 'cves']],
    [['--list', '--all']],
    [['--info', 'FXSA-2024:1002']],
    [['list', 'FXSA-2024:10*']],
    [['list', '--all', '--security']],
    [['list', '--all', '--bugfix', '--security']],
    [['list', '--all', '--enhancement']],
    [['list', '--all', '--newpackage']],
    [['list', '--all', '--sec-severity', 'Important']],
    [['summary', '--all', '--security']],
    [['summary']],
    [['summary', '--all']],
    [['summary', '--installed']],
    [[]],
    [['info']],
    [['info', '--all']],
    [['info', 'FXSA-2024:1002']],
  ])('%j', async (args) => {
    // A date without a time is 1970 to dnf 4; ours is the date that the advisory gives.
    const theirs = dnf(args).replace('Updated: 1970-01-01 00:00:00', 'Updated: 2024-03-20 00:00:00');
    expect(await ours(args)).toBe(theirs);
    // An oracle that is silent about everything would prove nothing.
    const silent = ['nothing', '--newpackage', '--enhancement', 'bugfix'];
    if (!args.some((word) => silent.includes(word))) expect(theirs).not.toBe('');
  });
});

// The same root, the same repositories: what we see and choose is what dnf sees and chooses.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { candidatesFor } from '../../src/decide/match.ts';
import type { OfferedPackage } from '../../src/domain/package.ts';
import { Root } from '../../src/host/root.ts';
import { realRun } from '../../src/host/run.ts';
import { openNet } from '../../src/net/net.ts';
import { readConfig } from '../../src/observe/config/config.ts';
import { refreshRepositories, type Snapshot } from '../../src/observe/repo/refresh.ts';
import { openCache } from '../../src/state/cache.ts';
import { removeTrees, requestOf, tree } from '../support/config-root.ts';
import { needs } from '../support/programs.ts';
import { kernelCore, livePatch, type MadePackage, makeRepo, type RepoShape } from '../support/repodata.ts';
import { kernel, world } from '../support/world.ts';

afterAll(removeTrees);

const K1 = '5.14.0-427.13.1.el9_4.x86_64';
const K2 = '5.14.0-427.16.1.el9_4.x86_64';

/** A root with one .repo file; `@NAME@` in it becomes the URL of that repository. */
function rootWith(
  repos: Record<string, { packages: MadePackage[]; shape?: RepoShape }>,
  text: string,
  files: Record<string, string> = {},
): string {
  const urls = new Map<string, string>();
  const content: Record<string, string | Buffer> = { 'etc/dnf/dnf.conf': '[main]\n', ...files };
  for (const [name, { packages, shape }] of Object.entries(repos)) {
    for (const [file, bytes] of makeRepo(packages, shape).files) content[`srv/${name}/${file}`] = bytes;
  }
  const top = tree(content);
  for (const name of Object.keys(repos)) urls.set(name, `file://${top}/srv/${name}`);
  mkdirSync(path.join(top, 'etc/yum.repos.d'));
  const filled = text.replace(/@(\w+)@/g, (_all, name: string) => urls.get(name) ?? `file://${top}/srv`);
  writeFileSync(path.join(top, 'etc/yum.repos.d/test.repo'), filled);
  return top;
}

const dnfArgs = (top: string): string[] => [
  `--installroot=${top}`,
  '--releasever=9',
  '--noplugins',
  '--setopt=cachedir=/var/cache/dnf',
  '--setopt=logdir=/var/log',
  '--setopt=install_weak_deps=0',
];

/** `name-epoch:version-release.arch repository`, sorted, of what can be seen. */
function dnfSees(top: string): string[] {
  const format = '%{name}-%{epoch}:%{version}-%{release}.%{arch} %{repoid}';
  const args = [...dnfArgs(top), '-q', 'repoquery', '--available', '--qf', format, 'kpatch*', 'kernel-core'];
  return execFileSync('dnf', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trim()
    .split('\n')
    .filter(Boolean)
    .sort();
}

/** The line dnf's own solver has for a package: NEVR and repository. */
function dnfChooses(top: string, name: string): string | null {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', COLUMNS: '300', LC_ALL: 'C' };
  const { stdout } = spawnSync('dnf', [...dnfArgs(top), '--assumeno', 'install', name], { encoding: 'utf8', env });
  const found = new RegExp(`^ ${name.replace(/[.]/g, '\\.')} +(\\S+) +(\\S+) +(\\S+) `, 'm').exec(stdout);
  return found ? `${found[2]} ${found[3]}` : null;
}

async function look(top: string): Promise<Snapshot[]> {
  const root = new Root(top);
  const config = readConfig(root, requestOf({ releasever: '9' }));
  const net = openNet({ host: new Root('/'), env: {}, version: '1' });
  const cache = openCache({ root, host: new Root('/'), uid: 0, env: {} });
  return refreshRepositories(config, cache, net, {
    refresh: true,
    cacheOnly: false,
    now: new Date(),
    pipe: realRun.filter,
  });
}

function weSee(snapshots: Snapshot[]): string[] {
  const all = snapshots.flatMap(({ packages, kernels }) => [...packages, ...kernels]);
  return all
    .filter(({ excludedBy }) => excludedBy === null)
    .map((one) => `${one.name}-${one.epoch}:${one.version}-${one.release}.${one.arch} ${one.repo}`)
    .sort();
}

function weChoose(snapshots: Snapshot[], release: string): string | null {
  const state = world({
    kernels: [kernel(release)],
    repositories: snapshots.map((one) => one.state),
    offered: snapshots.flatMap(({ packages }): readonly OfferedPackage[] => packages),
  });
  const [best] = candidatesFor(kernel(release), state).usable;
  return best ? `${best.epoch > 0 ? `${best.epoch}:` : ''}${best.version}-${best.release} ${best.repo}` : null;
}

const run = (program: string) => (open: Buffer) => execFileSync(program, ['-c'], { input: open });
const zstd: RepoShape = { compress: run('zstd'), extension: '.zst' };
const xz: RepoShape = { compress: run('xz'), extension: '.xz' };
const bzip2: RepoShape = { compress: run('bzip2'), extension: '.bz2' };
const plain: RepoShape = { compress: (open) => open, extension: '' };

const patches = (kernelRelease: string, ...levels: string[]): MadePackage[] =>
  levels.map((level) => livePatch(kernelRelease, level));
const utility: MadePackage = { name: 'kpatch', version: '0.9.7', release: '2.el9', arch: 'noarch' };
const P1 = 'kpatch-patch-5_14_0-427_13_1';

needs(
  'dnf',
  'zstd',
  'xz',
  'bzip2',
)('beside dnf', () => {
  describe('what is seen', () => {
    const two = {
      base: {
        packages: [kernelCore(K1), kernelCore(K2), ...patches(K1, '1-1', '1-2', '1-10'), utility, { name: 'bash' }],
      },
      more: {
        packages: [...patches(K2, '0-0', '1-1'), ...patches(K1, '1-2'), livePatch(K1, '1-3', { epoch: 1 })],
        shape: zstd,
      },
    };
    const both = '[base]\nname=b\nbaseurl=@base@\n[more]\nname=m\nbaseurl=@more@\n';
    const one = (options: string): string => `${both}${options}`;

    test.each<[string, string, Record<string, string>?]>([
      ['two repositories, one package in both', both],
      ['disabled', one('enabled=0\n')],
      ['excludepkgs by name', one('excludepkgs=kpatch-patch-5_14_0-427_13_1\n')],
      ['exclude, the old spelling, several, globs', one('exclude=kernel*, *-427_16_1\n')],
      ['name.arch', one('excludepkgs=kpatch-patch-5_14_0-427_13_1.x86_64\n')],
      ['name-version', one('excludepkgs=kpatch-patch-5_14_0-427_16_1-0\n')],
      ['name-version-release', one('excludepkgs=kpatch-patch-5_14_0-427_16_1-0-0.el9\n')],
      ['NEVRA', one('excludepkgs=kpatch-patch-5_14_0-427_16_1-0-0.el9.x86_64\n')],
      ['NEVRA with epoch 0', one('excludepkgs=kpatch-patch-5_14_0-427_16_1-0:0-0.el9.x86_64\n')],
      ['NEVRA without the epoch it has', one(`excludepkgs=${P1}-1-3.el9.x86_64\n`)],
      ['NEVRA with the epoch it has', one(`excludepkgs=${P1}-1:1-3.el9.x86_64\n`)],
      ['a class of characters', one('excludepkgs=kpatch-patch-*-1-[12].el9.x86_64\n')],
      ['a glob over the architecture', one('excludepkgs=kpatch*.*86*\n')],
      ['a pattern that fits nothing', one('excludepkgs=kpatch-patc\n')],
      ['everything', one('excludepkgs=*\n')],
      ['includepkgs', one('includepkgs=kpatch-patch-5_14_0-427_13_1*\n')],
      ['includepkgs and excludepkgs', one('includepkgs=kpatch*\nexcludepkgs=*-427_16_1\n')],
      ['main excludes', both, { 'etc/dnf/dnf.conf': '[main]\nexcludepkgs=kpatch-patch-*-1-1*\n' }],
      [
        'main excludes, disabled for one',
        one('disable_excludes=main\n'),
        { 'etc/dnf/dnf.conf': '[main]\nexcludepkgs=kpatch-patch-*-1-1*\n' },
      ],
    ])('%s', async (...row) => {
      const [, text, files] = row;
      const top = rootWith(two, text, files);
      const seen = dnfSees(top);
      if (text === both && !files) expect(seen).toHaveLength(10);
      expect(weSee(await look(top))).toEqual(seen);
    });

    test('every kind of compression, variables in every place', async () => {
      const make = (shape: RepoShape) => ({ packages: patches(K1, '1-1'), shape });
      const top = rootWith(
        { gz: make({}), zst: make(zstd), xz: make(xz), bz2: make(bzip2), plain: make(plain) },
        ['gz', 'zst', 'xz', 'bz2', 'plain']
          .map((name) => `[${name}-$releasever]\nname=$basearch\nbaseurl=@srv@/${name === 'gz' ? '$kind' : name}\n`)
          .join(''),
        { 'etc/dnf/vars/kind': 'gz\n' },
      );
      const seen = dnfSees(top);
      expect(seen).toHaveLength(5);
      expect(weSee(await look(top))).toEqual(seen);
    });
  });

  describe('what is chosen', () => {
    const repos = {
      a: { packages: [kernelCore(K1), ...patches(K1, '1-1', '1-2')] },
      b: { packages: patches(K1, '1-2', '1-10') },
    };
    const with_ = (a: string, b: string): string => `[a]\nname=a\nbaseurl=@a@\n${a}[b]\nname=b\nbaseurl=@b@\n${b}`;
    test.each([
      ['the highest level', with_('', '')],
      ['priority beats version', with_('priority=10\n', '')],
      ['cost decides between equals only', with_('cost=5\n', 'excludepkgs=*-1-10.*\n')],
      ['cost does not beat version', with_('cost=5\n', '')],
      ['excludes step down', with_('', 'excludepkgs=kpatch-patch-*-1-10*\n')],
      ['includes step down', with_('', 'includepkgs=kernel*\n')],
      ['priority of a repository that is excluded', with_('priority=10\nexcludepkgs=kpatch*\n', '')],
    ])('%s', async (_what, text) => {
      const top = rootWith(repos, text);
      const chosen = dnfChooses(top, P1);
      expect(chosen).not.toBeNull();
      expect(weChoose(await look(top), K1)).toBe(chosen);
    });
  });
});

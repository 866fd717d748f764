import { afterAll, describe, expect, test } from '@jest/globals';
import type { KpmError } from '../../../src/errors.ts';
import { Root } from '../../../src/host/root.ts';
import { readConfig } from '../../../src/observe/config/config.ts';
import type { ConfigRequest } from '../../../src/observe/config/types.ts';
import { codeOf } from '../../support/code-of.ts';
import { configFrom, removeTrees, repoFrom, requestOf, tree } from '../../support/config-root.ts';

afterAll(removeTrees);

const REPOS = {
  'etc/yum.repos.d/all.repo':
    '[base]\nbaseurl=http://b/\n[base-debug]\nbaseurl=http://d/\nenabled=0\n[extra]\nbaseurl=http://e/\n[off]\nbaseurl=http://o/\nenabled=0\n',
};

const ids = (more: Partial<ConfigRequest>): string[] => configFrom(REPOS, more).repos.map(({ id }) => id);
const refused = (more: Partial<ConfigRequest>): string => {
  const root = new Root(tree(REPOS));
  return codeOf(() => readConfig(root, requestOf(more)));
};

describe('which repositories are used', () => {
  test.each([
    ['as configured', {}, ['base', 'extra']],
    ['one more', { enablerepo: ['off'] }, ['base', 'extra', 'off']],
    ['more by glob', { enablerepo: ['base*'] }, ['base', 'base-debug', 'extra']],
    ['one less', { disablerepo: ['base'] }, ['extra']],
    ['less by glob, several with commas', { disablerepo: ['b*,extra'] }, []],
    ['only one, in any order of options', { disablerepo: ['*'], enablerepo: ['off'] }, ['off']],
    ['--repo', { repo: ['off'] }, ['off']],
    ['--repo by glob and comma', { repo: ['base*,off'] }, ['base', 'base-debug', 'off']],
    ['--repofrompath is enabled', { repofrompath: ['new,/srv/x'], disablerepo: ['*'] }, ['new']],
    ['--setopt enables', { setopt: ['off.enabled=1', 'extra.enabled=0'] }, ['base', 'off']],
    ['a range', { repo: ['[a-c]ase'] }, ['base']],
  ])('%s', (_what, more, expected) => {
    expect(ids(more)).toEqual(expected);
  });

  test('what names nothing is refused where it enables, and told where it disables', () => {
    expect(refused({ enablerepo: ['nope'] })).toBe('repo-unknown');
    expect(refused({ repo: ['base', 'nope*'] })).toBe('repo-unknown');
    const { notices, repos } = configFrom(REPOS, { disablerepo: ['nope'] });
    expect(notices.map(({ code }) => code)).toEqual(['repo-unknown']);
    expect(repos.length).toBe(2);
  });

  test('the error names what is configured', () => {
    const root = new Root(tree(REPOS));
    let hint: string | null = null;
    try {
      readConfig(root, requestOf({ repo: ['nope'] }));
    } catch (error) {
      hint = (error as KpmError).hint;
    }
    expect(hint).toBe('Configured are: base, base-debug, extra, off.');
  });

  test('--repofrompath takes a path or a URL, main options and --setopt', () => {
    const { repos } = configFrom(
      { 'etc/dnf/dnf.conf': '[main]\ngpgcheck=0\n' },
      { repofrompath: ['p,/srv/$basearch', 'u,https://h/$releasever/'], setopt: ['p.priority=3'] },
    );
    expect(repos).toMatchObject([
      { id: 'p', baseurl: ['file:///srv/x86_64'], priority: 3, gpgcheck: false, origin: { line: 0 } },
      { id: 'u', baseurl: ['https://h/9.4/'], priority: 99 },
    ]);
  });

  test.each(['noid', ',/path', 'id,', 'a/b,/path', '..,/path'])('--repofrompath %s is refused', (text) => {
    expect(refused({ repofrompath: [text] })).toBe('setopt-invalid');
  });
});

describe('--setopt', () => {
  test('main, one repository, several by glob; the last counts', () => {
    const config = configFrom(REPOS, {
      setopt: ['timeout=5', 'retries=1', 'base*.priority=7', 'base.priority=8', 'extra.timeout=6'],
    });
    const byId = new Map([...config.repos, ...config.disabled].map((repo) => [repo.id, repo]));
    expect(byId.get('base')).toMatchObject({ priority: 8, timeout: 5, retries: 1 });
    expect(byId.get('base-debug')).toMatchObject({ priority: 7 });
    expect(byId.get('extra')).toMatchObject({ priority: 99, timeout: 6 });
  });

  test('what the repository file says beats main, also when main is set on the command line', () => {
    const text = '[r]\nbaseurl=http://h/\nsslverify=1\n';
    expect(repoFrom(text, { setopt: ['sslverify=0'] }).ssl.verify).toBe(true);
    expect(repoFrom(text, { setopt: ['r.sslverify=0'] }).ssl.verify).toBe(false);
  });

  test('an id with dots: the last dot parts', () => {
    const repo = repoFrom('[a.b.c]\nbaseurl=http://h/\n', { setopt: ['a.b.c.cost=3'] });
    expect(repo.cost).toBe(3);
  });

  test('a value may hold an equal sign', () => {
    expect(repoFrom('[r]\nbaseurl=http://h/\n', { setopt: ['r.baseurl=http://x/?a=b'] }).baseurl).toEqual([
      'http://x/?a=b',
    ]);
  });

  test.each(['noequal', '=x', 'timeout=soon', 'base.priority=high', 'gpgcheck=maybe', 'ip_resolve=7'])(
    '%s is refused',
    (text) => {
      expect(refused({ setopt: [text] })).toBe('setopt-invalid');
    },
  );

  test('an unknown option is told; one of dnf that does not concern us is not', () => {
    const { notices } = configFrom(REPOS, {
      setopt: [
        'nonsense=1',
        'base.nonsense=1',
        'priority=1',
        'base.reposdir=/x',
        'install_weak_deps=0',
        'base.module_hotfixes=1',
      ],
    });
    expect(notices.map(({ code }) => code)).toEqual([
      'config-option',
      'config-option',
      'config-option',
      'config-option',
    ]);
  });

  test('an option that tightens and is not supported', () => {
    const { repos } = configFrom(REPOS, { setopt: ['gpgkey_dns_verification=1'] });
    expect(repos.every(({ problem }) => problem?.code === 'option-unsupported')).toBe(true);
  });

  test('a password never comes back in a message', () => {
    const { notices } = configFrom(REPOS, { setopt: ['base.passwordd=geheim', 'passwordx=geheim'] });
    expect(notices.length).toBe(2);
    expect(JSON.stringify(notices)).not.toContain('geheim');
  });

  test('cachedir of the command line is a path of the host', () => {
    expect(configFrom({}, { setopt: ['cachedir=/x'] }).main).toMatchObject({
      cachedir: '/x/kpatch-pm',
      cachedirOnHost: true,
    });
    expect(configFrom({ 'etc/dnf/dnf.conf': '[main]\ncachedir=/y/\n' }).main).toMatchObject({
      cachedir: '/y/kpatch-pm',
      cachedirOnHost: false,
    });
  });
});

test('--nogpgcheck switches off package and metadata signatures', () => {
  const text = '[r]\nbaseurl=http://h/\ngpgcheck=1\nrepo_gpgcheck=1\n';
  expect(repoFrom(text, { nogpgcheck: true })).toMatchObject({ gpgcheck: false, repoGpgcheck: false });
  const { main } = configFrom({ 'etc/dnf/dnf.conf': '[main]\nlocalpkg_gpgcheck=1\n' }, { nogpgcheck: true });
  expect(main).toMatchObject({ gpgcheck: false, localpkgGpgcheck: false });
});

describe('variables', () => {
  const values = (files: Record<string, string>, more: Partial<ConfigRequest> = {}) =>
    configFrom(files, more).variables;

  test.each([
    ['x86_64', 'x86_64'],
    ['i686', 'i386'],
    ['aarch64', 'aarch64'],
    ['armv7hl', 'armhfp'],
    ['ppc64le', 'ppc64le'],
    ['s390x', 's390x'],
    ['riscv64', 'riscv64'],
    ['loongarch64', 'loongarch64'],
  ])('$arch %s has $basearch %s', (arch, basearch) => {
    expect(values({}, { arch })).toMatchObject({ arch, basearch });
  });

  test('--forcearch', () => {
    expect(values({}, { forcearch: 's390x' })).toMatchObject({ arch: 's390x', basearch: 's390x' });
    expect(refused({ forcearch: 'vax' })).toBe('setopt-invalid');
  });

  test('files: the first line, /etc/dnf/vars beats /etc/yum/vars, odd names are passed over', () => {
    const variables = values({
      'etc/yum/vars/stream': '8-stream\n',
      'etc/yum/vars/only': 'y',
      'etc/dnf/vars/stream': '9-stream\r\nsecond line\n',
      'etc/dnf/vars/with-dash': 'x',
      'etc/dnf/vars/dir/file': 'x',
      'etc/dnf/vars/empty': '',
    });
    expect(variables).toMatchObject({ stream: '9-stream', only: 'y', empty: '' });
    expect(Object.keys(variables)).not.toContain('with-dash');
  });

  test('varsdir of dnf.conf', () => {
    expect(values({ 'etc/dnf/dnf.conf': '[main]\nvarsdir=/v\n', 'v/x': '1', 'etc/dnf/vars/y': '2' })).toMatchObject({
      x: '1',
    });
  });

  test('the environment: DNF0 to DNF9 and DNF_VAR_*; files beat it', () => {
    const variables = values(
      { 'etc/dnf/vars/b': 'file' },
      { env: { DNF0: 'zero', DNF10: 'no', DNF_VAR_a: 'A', DNF_VAR_b: 'B', HOME: '/' } },
    );
    expect(variables).toMatchObject({ DNF0: 'zero', a: 'A', b: 'file' });
    expect(Object.keys(variables)).not.toContain('DNF10');
  });

  test.each<[string, Record<string, string>, Partial<ConfigRequest>, string | undefined]>([
    ['the command line first', { 'etc/dnf/vars/releasever': '1' }, { releasever: '8.9' }, '8.9'],
    ['then the files', { 'etc/dnf/vars/releasever': '2023.1' }, {}, '2023.1'],
    ['then the release package', { 'etc/os-release': 'VERSION_ID=7\n' }, {}, '9.4'],
    ['then os-release', { 'etc/os-release': 'NAME=x\nVERSION_ID="8.10"\n' }, { releaseOf: () => null }, '8.10'],
    ['os-release without quotes', { 'usr/lib/os-release': 'VERSION_ID=40\n' }, { releaseOf: () => null }, '40'],
    [
      'through a link, as distributions have it',
      { 'etc/os-release': '-> ../usr/lib/os-release', 'usr/lib/os-release': 'VERSION_ID=41\n' },
      { releaseOf: () => null },
      '41',
    ],
    ['or it is not known', {}, { releaseOf: () => null }, undefined],
  ])('$releasever: %s', (_what, files, more, expected) => {
    expect(values(files, more).releasever).toBe(expected);
  });

  test('its parts; a file can set them', () => {
    expect(values({}, { releasever: '9.4' })).toMatchObject({ releasever_major: '9', releasever_minor: '4' });
    expect(values({}, { releasever: '40' })).toMatchObject({ releasever_major: '40', releasever_minor: '' });
    expect(values({ 'etc/dnf/vars/releasever_major': '8' }, { releasever: '9.4' })).toMatchObject({
      releasever_major: '8',
    });
  });

  test('/ asks the host', () => {
    const hostRoot = new Root(tree({ 'etc/os-release': 'VERSION_ID=12\n' }));
    const releaseOf = (root: Root): string | null => (root === hostRoot ? null : '9.4');
    expect(values({}, { hostRoot, releasever: '/', releaseOf }).releasever).toBe('12');
  });

  test.each(['9/../8', '..', '', 'a\nb', '9\u0007'])('--releasever %j is refused', (releasever) => {
    expect(refused({ releasever })).toBe('setopt-invalid');
  });

  test('a refused value of a file is named, and what uses it fails', () => {
    const config = configFrom({
      'etc/dnf/vars/releasever': '../../evil\n',
      'etc/dnf/vars/bell': 'x\u0007y\n',
      'etc/yum.repos.d/a.repo':
        '[a]\nbaseurl=http://h/$releasever/\n[b]\nbaseurl=http://h/$bell/\n[c]\nbaseurl=http://h/\n',
    });
    expect(config.repos.map(({ id, problem }) => [id, problem?.code ?? null])).toEqual([
      ['a', 'config-variable'],
      ['b', 'config-variable'],
      ['c', null],
    ]);
    expect(config.repos[0]?.problem?.text).toMatch(/releasever, which is a path \(.*vars\/releasever\)/);
    expect(config.notices.length).toBe(2);
  });
});

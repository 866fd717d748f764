import { afterAll, describe, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { readConfig } from '../../../src/observe/config/config.ts';
import { codeOf } from '../../support/code-of.ts';
import { configFrom, removeTrees, repoFrom, requestOf, tree } from '../../support/config-root.ts';

afterAll(removeTrees);

const REDHAT = `
# Managed by subscription-manager
[rhel-9-for-$basearch-baseos-rpms]
name = Red Hat Enterprise Linux 9 for $basearch - BaseOS (RPMs)
baseurl = https://cdn.redhat.com/content/dist/rhel9/$releasever/$basearch/baseos/os
enabled = 1
gpgcheck = 1
gpgkey = file:///etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-release
  file:///etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-beta
sslverify = 1
sslcacert = /etc/rhsm/ca/redhat-uep.pem
sslclientkey = /etc/pki/entitlement/123-key.pem
sslclientcert = /etc/pki/entitlement/123.pem
sslverifystatus = 1
metadata_expire = 86400
enabled_metadata = 1
`;

test('a subscription repository as it stands', () => {
  expect(repoFrom(REDHAT)).toMatchObject({
    id: 'rhel-9-for-x86_64-baseos-rpms',
    name: 'Red Hat Enterprise Linux 9 for x86_64 - BaseOS (RPMs)',
    baseurl: ['https://cdn.redhat.com/content/dist/rhel9/9.4/x86_64/baseos/os'],
    gpgkey: ['file:///etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-release', 'file:///etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-beta'],
    ssl: {
      verify: true,
      caCert: '/etc/rhsm/ca/redhat-uep.pem',
      clientCert: '/etc/pki/entitlement/123.pem',
      clientKey: '/etc/pki/entitlement/123-key.pem',
    },
    sslVerifyStatus: true,
    metadataExpire: 86400,
    enabled: true,
    gpgcheck: true,
    problem: null,
    origin: { line: 3 },
  });
});

test('what is not said', () => {
  expect(repoFrom('[r]\nbaseurl=http://h/\n')).toMatchObject({
    name: 'r',
    enabled: true,
    priority: 99,
    cost: 1000,
    gpgcheck: true,
    repoGpgcheck: false,
    skipIfUnavailable: false,
    metadataExpire: 172_800,
    timeout: 30,
    retries: 10,
    minrate: 1000,
    throttle: 0,
    ipResolve: 'any',
    userAgent: null,
    maxParallelDownloads: 3,
    keepcache: false,
    username: null,
    excludepkgs: [],
    includepkgs: [],
    gpgkey: [],
    ssl: { verify: true, caCert: null },
    proxy: { use: 'unset' },
    mirrorlist: null,
    metalink: null,
  });
});

describe('one option', () => {
  const B = '[r]\nbaseurl=http://h/\n';
  test.each([
    ['a directory is a file: URL of the host', '[r]\nbaseurl=/srv/repo\n', { baseurl: ['file:///srv/repo'] }],
    [
      'several baseurls',
      '[r]\nbaseurl=http://a/ http://b/,http://c/\n  http://d/\n',
      { baseurl: ['http://a/', 'http://b/', 'http://c/', 'http://d/'] },
    ],
    [
      'mirrorlist',
      '[r]\nmirrorlist=http://m/list?arch=$basearch\n',
      { mirrorlist: 'http://m/list?arch=x86_64', metalink: null },
    ],
    [
      'a mirrorlist that is a metalink',
      '[r]\nmirrorlist=https://m/metalink?repo=x\n',
      { mirrorlist: null, metalink: 'https://m/metalink?repo=x' },
    ],
    ['a mirrorlist in a file', '[r]\nmirrorlist=/etc/mirrors\n', { mirrorlist: 'file:///etc/mirrors' }],
    ['metalink', '[r]\nmetalink=https://m/x\n', { metalink: 'https://m/x' }],
    ['gpgkey as a path', `${B}gpgkey=/etc/k\n`, { gpgkey: ['file:///etc/k'] }],
    ['never expires', `${B}metadata_expire=never\n`, { metadataExpire: Number.POSITIVE_INFINITY }],
    ['both spellings of excludes add up', `${B}exclude=a\nexcludepkgs=b c\n`, { excludepkgs: ['a', 'b', 'c'] }],
    ['pkg_gpgcheck', `${B}pkg_gpgcheck=0\n`, { gpgcheck: false }],
    ['repo_gpgcheck', `${B}repo_gpgcheck=1\n`, { repoGpgcheck: true }],
    ['a throttle in per cent', `${B}bandwidth=10k\nthrottle=50%\n`, { throttle: 5120 }],
    [
      'a proxy',
      `${B}proxy=http://p:3128\nproxy_username=u\nproxy_password=p$w\n`,
      { proxy: { use: 'url', url: 'http://p:3128', username: 'u', password: 'p$w' } },
    ],
    ['no proxy', `${B}proxy=_none_\n`, { proxy: { use: 'none', url: null } }],
    ['an empty proxy is none', `${B}proxy=\n`, { proxy: { use: 'none', url: null } }],
    [
      'no proxy authentication',
      `${B}proxy=http://p\nproxy_username=u\nproxy_auth_method=none\n`,
      { proxy: { username: null }, problem: null },
    ],
    ['IPv4 only', `${B}ip_resolve=4\n`, { ipResolve: 4 }],
    ['a password with a dollar', `${B}username=u\npassword=x$basearch\n`, { username: 'u', password: 'x$basearch' }],
    ['the last duplicate', `${B}priority=1\npriority=2\n`, { priority: 2 }],
    ['sections of one name', `${B}[x]\nbaseurl=http://x\n[r]\npriority=5\n`, { id: 'r', priority: 5 }],
    ['timeout never', `${B}timeout=never\n`, { timeout: 0 }],
    ['a quoted name', `${B}name="My repo"\n`, { name: 'My repo' }],
  ])('%s', (_what, text, expected) => {
    expect(repoFrom(text)).toMatchObject(expected);
  });
});

describe('a repository that cannot be used says why', () => {
  const B = '[r]\nbaseurl=http://h/\n';
  test.each([
    ['no URL', '[r]\nname=x\n', 'config-value', /no baseurl, mirrorlist or metalink/],
    ['a SOCKS proxy', `${B}proxy=socks5://p\n`, 'proxy-failed', /socks5 proxy/],
    ['a digest proxy', `${B}proxy=http://p\nproxy_auth_method=digest\n`, 'proxy-failed', /digest/],
    ['NTLM', `${B}proxy=http://p\nproxy_auth_method=ntlm\n`, 'proxy-failed', /ntlm/],
    ['keys in DNS', `${B}gpgkey_dns_verification=1\n`, 'option-unsupported', /gpgkey_dns_verification=1/],
    ['a control character', '[r]\nbaseurl=http://h/\x07x\n', 'config-value', /control character/],
    [
      'variables without end',
      `[r]\nbaseurl=http://h/${'${x:-'.repeat(40)}${'}'.repeat(40)}\n`,
      'config-variable',
      /too deep/,
    ],
  ])('%s', (_what, text, code, reason) => {
    const { problem } = repoFrom(text);
    expect(problem?.code).toBe(code);
    expect(problem?.text).toMatch(reason);
  });

  test('an option of main that tightens and is not supported holds for every repository', () => {
    const config = configFrom({
      'etc/dnf/dnf.conf': '[main]\ngpgkey_dns_verification=True\n',
      'etc/yum.repos.d/a.repo': '[a]\nbaseurl=http://a/\n[b]\nbaseurl=http://b/\n',
    });
    expect(config.repos.map(({ problem }) => problem?.code)).toEqual(['option-unsupported', 'option-unsupported']);
  });

  test('switched off, it is no problem', () => {
    expect(repoFrom(`${B}gpgkey_dns_verification=0\n`).problem).toBeNull();
  });
});

describe('values that cannot be read', () => {
  const read = (lines: string, main = '[main]\n') =>
    configFrom({ 'etc/dnf/dnf.conf': main, 'etc/yum.repos.d/t.repo': `[r]\nbaseurl=http://h/\n${lines}` });

  test('security errs on the safe side, and it is said with file and line', () => {
    const config = read('gpgcheck=maybe\nrepo_gpgcheck=\nsslverify=off?\n', '[main]\nsslverify=0\ngpgcheck=0\n');
    expect(config.repos[0]).toMatchObject({ gpgcheck: true, repoGpgcheck: true, ssl: { verify: true } });
    const texts = config.notices.map(({ text }) => text);
    expect(texts).toContainEqual(expect.stringMatching(/t\.repo line 3: gpgcheck=maybe: .*safe gpgcheck=1/));
    expect(texts).toContainEqual(expect.stringMatching(/t\.repo line 5: sslverify/));
  });

  test('others are passed over: main or the default counts', () => {
    const config = read('priority=high\nmetadata_expire=1w\ntimeout=x\n', '[main]\nmetadata_expire=1h\n');
    expect(config.repos[0]).toMatchObject({ priority: 99, metadataExpire: 3600, timeout: 30 });
    expect(config.notices.map(({ code }) => code)).toEqual(['config-value', 'config-value', 'config-value']);
  });

  test('an unknown option is a detail, one that looks like security is said aloud', () => {
    const config = read('collor=blue\nrepo_gpgchek=1\ncountme=1\nmodule_hotfixes=1\n');
    expect(config.details.map(({ text }) => text)).toEqual([expect.stringMatching(/collor .*line 3/)]);
    expect(config.notices.map(({ text }) => text)).toEqual([expect.stringMatching(/repo_gpgchek .*line 4/)]);
  });

  test('a variable that is not set stays and is named; a release that is not known stops the repository', () => {
    const config = configFrom(
      { 'etc/yum.repos.d/t.repo': '[a]\nbaseurl=http://h/$foo/\n[b]\nbaseurl=http://h/$releasever/\n' },
      { releaseOf: () => null },
    );
    expect(config.repos[0]).toMatchObject({ baseurl: ['http://h/$foo/'], problem: null });
    expect(config.notices.map(({ text }) => text)).toEqual([expect.stringContaining('$foo')]);
    expect(config.repos[1]?.problem?.text).toMatch(/needs \$releasever, which is not known/);
  });
});

describe('files', () => {
  test('a broken .repo file is named by file and line, its repositories too, and the others go on', () => {
    const config = configFrom({
      'etc/yum.repos.d/a.repo': '[a]\nbaseurl=http://a/\n',
      'etc/yum.repos.d/b.repo': '[b]\nbaseurl http://b/\n[c]\nbaseurl=http://c/\n',
    });
    expect(config.repos.map(({ id, problem }) => [id, problem?.code ?? null])).toEqual([
      ['a', null],
      ['b', 'config-broken'],
      ['c', 'config-broken'],
    ]);
    expect(config.notices.map(({ text }) => text)).toEqual([
      expect.stringMatching(/b\.repo line 2: the line has no '='/),
    ]);
  });

  test('a broken dnf.conf is named, and the lines that can be read count', () => {
    const config = configFrom({
      'etc/dnf/dnf.conf': 'gpgcheck=0\n[main]\nrepo_gpgcheck : 1\nexcludepkgs=x\njunk\n',
      'etc/yum.repos.d/a.repo': '[a]\nbaseurl=http://a/\n',
    });
    expect(config.notices[0]?.text).toMatch(/dnf\.conf line 1: .*and 2 more such lines/);
    expect(config.repos[0]).toMatchObject({ repoGpgcheck: true, excludepkgs: ['x'], gpgcheck: false });
  });

  test('order: dnf.conf, then .repo files by directory and name; what is no .repo file is passed over', () => {
    const config = configFrom({
      'etc/dnf/dnf.conf': '[main]\n[inconf]\nbaseurl=http://x/\n',
      'etc/yum.repos.d/b.repo': '[b]\nbaseurl=http://x/\n',
      'etc/yum.repos.d/a-x.repo': '[a-x]\nbaseurl=http://x/\n',
      'etc/yum.repos.d/a.repo': '[main]\nenabled=0\n[a]\nbaseurl=http://x/\n',
      'etc/yum.repos.d/.hidden.repo': '[hidden]\nbaseurl=http://x/\n',
      'etc/yum.repos.d/a.repo.rpmsave': '[saved]\nbaseurl=http://x/\n',
      'etc/distro.repos.d/z.repo': '[z]\nbaseurl=http://x/\n',
    });
    expect(config.repos.map(({ id }) => id)).toEqual(['inconf', 'z', 'a', 'a-x', 'b']);
  });

  test('an id given twice: the first counts, the second is named', () => {
    const config = configFrom({
      'etc/yum.repos.d/a.repo': '[r]\nbaseurl=http://first/\n',
      'etc/yum.repos.d/b.repo': '[r]\nbaseurl=http://second/\n',
    });
    expect(config.repos.map(({ baseurl }) => baseurl[0])).toEqual(['http://first/']);
    expect(config.notices[0]?.text).toMatch(/b\.repo line 1: .*already configured in .*a\.repo line 1/);
  });

  test.each(['../../etc', 'a/b', '..', '.', 'a b', 'a\u00e9', 'a$nope'])('the id %s is refused', (id) => {
    const config = configFrom({ 'etc/yum.repos.d/a.repo': `[${id}]\nbaseurl=http://x/\n[ok]\nbaseurl=http://x/\n` });
    expect(config.repos.map((repo) => repo.id)).toEqual(['ok']);
    expect(config.notices).toEqual([{ code: 'repo-id', text: expect.stringContaining('line 1') }]);
  });

  test('reposdir of dnf.conf counts from the root, of --setopt from the host', () => {
    const host = tree({ 'repos/h.repo': '[h]\nbaseurl=http://h/\n' });
    const files = {
      'etc/dnf/dnf.conf': '[main]\nreposdir=/my/repos, /other\n',
      'my/repos/m.repo': '[m]\nbaseurl=http://m/\n',
      'other/o.repo': '[o]\nbaseurl=http://o/\n',
      'etc/yum.repos.d/x.repo': '[x]\nbaseurl=http://x/\n',
    };
    expect(configFrom(files).repos.map(({ id }) => id)).toEqual(['m', 'o']);
    const more = { hostRoot: new Root(host), setopt: ['reposdir=/repos'] };
    expect(configFrom(files, more).repos.map(({ id }) => id)).toEqual(['h']);
  });

  test('a .repo link that leaves the root is named, not followed', () => {
    const outside = tree({ 'x.repo': '[x]\nbaseurl=http://x/\n' });
    const up = `-> ../../../../../../../../..${outside}/x.repo`;
    const config = configFrom({ 'etc/yum.repos.d/x.repo': up, 'etc/yum.repos.d/y.repo': '[y]\nbaseurl=http://y/\n' });
    expect(config.repos.map(({ id }) => id)).toEqual(['y']);
    expect(config.notices.map(({ code }) => code)).toEqual(['path-escape']);
  });

  test('-c FILE is a file of the host, and must be there', () => {
    const host = new Root(tree({ 'my.conf': '[main]\npriority=1\ngpgcheck=0\n[c]\nbaseurl=http://c/\n' }));
    const config = configFrom(
      { 'etc/dnf/dnf.conf': '[main]\ngpgcheck=1\n' },
      { hostRoot: host, configFile: '/my.conf' },
    );
    expect(config.main.gpgcheck).toBe(false);
    expect(config.repos.map(({ id }) => id)).toEqual(['c']);
    const root = new Root(tree({ 'my.conf': '' }));
    const none = requestOf({ hostRoot: host, configFile: '/none.conf' });
    expect(codeOf(() => readConfig(root, none))).toBe('config-missing');
  });

  test('when its files were changed is known, unless it is not to count', () => {
    const repo = '[r]\nbaseurl=http://h/\n';
    expect(repoFrom(repo).configChanged).toBeGreaterThan(0);
    expect(repoFrom(repo, { setopt: ['check_config_file_age=0'] }).configChanged).toBeNull();
  });
});

describe('dnf5', () => {
  test('drop-ins by name, /etc masks /usr, dnf.conf last', () => {
    const { main } = configFrom({
      'usr/share/dnf5/libdnf.conf.d/20-fedora.conf': '[main]\nskip_if_unavailable=1\nretries=1\ntimeout=1\n',
      'usr/share/dnf5/libdnf.conf.d/30-masked.conf': '[main]\nretries=2\n',
      'etc/dnf/libdnf5.conf.d/30-masked.conf': '[main]\nminrate=7\n',
      'etc/dnf/libdnf5.conf.d/40-mine.conf': '[main]\ntimeout=40\nkeepcache=1\nexcludepkgs=a\n',
      'etc/dnf/dnf.conf': '[main]\nkeepcache=0\nexcludepkgs=b\n',
    });
    expect(main).toMatchObject({ retries: 1, minrate: 7, timeout: 40, keepcache: false, excludepkgs: ['a', 'b'] });
  });

  test('overrides change repositories by id and glob, in order of name', () => {
    const config = configFrom({
      'etc/yum.repos.d/a.repo': '[rhel-8-os]\nbaseurl=http://8/\n[rhel-9-os]\nbaseurl=http://9/\npriority=5\n',
      'usr/share/dnf5/repos.override.d/20-x.repo': '[rhel-[89]-*]\npriority=50\ncost=1\n',
      'etc/dnf/repos.override.d/99-config_manager.repo': '[rhel-9-os]\ncost=2\nenabled=0\n',
    });
    expect(config.repos.map(({ id, priority, cost }) => [id, priority, cost])).toEqual([['rhel-8-os', 50, 1]]);
    expect(config.disabled.map(({ id, priority, cost }) => [id, priority, cost])).toEqual([['rhel-9-os', 50, 2]]);
  });
});

describe('excludes', () => {
  const files = {
    'etc/dnf/dnf.conf': '[main]\nexcludepkgs=main1\nincludepkgs=inc1\n',
    'etc/yum.repos.d/a.repo': '[a]\nbaseurl=http://a/\nexcludepkgs=repo1\nincludepkgs=inc2\n',
  };
  test.each([
    ['main and repository add up', {}, ['main1', 'repo1'], ['inc1', 'inc2']],
    ['without main', { disableexcludes: ['main'] }, ['repo1'], ['inc2']],
    ['without the repository', { disableexcludes: ['a'] }, ['main1'], ['inc1']],
    ['without all', { disableexcludes: ['all'] }, [], []],
    ['*', { disableexcludes: ['*'] }, [], []],
    ['disable_excludes as option', { setopt: ['disable_excludes=main'] }, ['repo1'], ['inc2']],
    ['--setopt adds', { setopt: ['excludepkgs=x', 'a.exclude=y'] }, ['main1', 'x', 'repo1', 'y'], ['inc1', 'inc2']],
    ['an empty first element starts anew', { setopt: ['excludepkgs=', 'a.excludepkgs=,y'] }, ['y'], ['inc1', 'inc2']],
  ])('%s', (_what, more, excludes, includes) => {
    expect(configFrom(files, more).repos[0]).toMatchObject({ excludepkgs: excludes, includepkgs: includes });
  });
});

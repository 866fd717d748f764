// What dnf itself makes of the same files: its INI parser, its option types, and its whole configuration of a root.
import { execFileSync } from 'node:child_process';
import { afterAll, expect, test } from '@jest/globals';
import { parseIni, unquoted } from '../../src/formats/ini/document.ts';
import { Root } from '../../src/host/root.ts';
import { readConfig } from '../../src/observe/config/config.ts';
import { optionRow } from '../../src/observe/config/options.ts';
import type { ConfigRequest } from '../../src/observe/config/types.ts';
import { isUnreadable, readValue } from '../../src/observe/config/values.ts';
import { removeTrees, requestOf, tree } from '../support/config-root.ts';
import { needs } from '../support/programs.ts';

afterAll(removeTrees);

/** Runs a script with the Python that dnf uses; gives its JSON answer. */
function python(script: string, ...args: string[]): unknown {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/tmp', LC_ALL: 'C.UTF-8' };
  const out = execFileSync('/usr/bin/python3', ['-c', script, ...args], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(out.slice(out.indexOf('JSON:') + 5));
}

const INI = [
  '[a]\nk=v\n',
  '[a]\nk = v \n',
  'k=v\n',
  '[a]\nk:v\n',
  '[a]\nk\n',
  '[a]\n=v\n',
  '[a\nk=v\n',
  '[]\nk=1\n',
  '[a] x\nk=1\n',
  '[a]b]\nk=1\n',
  '[a]\nk=v # c\n',
  '[a]\nk=1\n  2\n\t3\n',
  '[a]\nk=1\n\n  2\n',
  '[a]\nk=1\n# c\n  2\n',
  '[a]\nk=1\n  # c\n  2\n',
  '[a]\n  k=1\n',
  '[a]\nk=1\nk=2\n',
  '[a]\nk=1\n[b]\nq=1\n[a]\nz=2\n',
  '[a]\r\nk=1\r\n',
  '\uFEFF[a]\nk=1\n',
  '[a]\nK=1\n',
  '[a]\nk=\n  1\n',
  '[a]\nk="v"\n',
  "[a]\nk='v'\n",
  '[a]\nk="a" "b"\n',
  '[a]\nk="a\n b"\n',
  '[a]\nk=""\n',
  '[a]\nk="\n',
  '[ a ]\nk=1\n',
  '\n; c\n[a]\n;x\nk=1',
  '[a]\nk=a=b\n',
  '[a]\nk 1=b\n',
  ' [a]\nk=1\n',
  '[a]\nk=1\n   \n  2\n',
  '[a]\nk=\u00e9\n',
  '[a]\nk=1\nREM x\n',
  '[a]\n[b]\nk=1',
  '',
  '#only\n',
  '[a]\nk=1\n \n[b]\n',
  '[a]\n#x\n k=1',
  '[a]\nk=1\n [b]\n',
  '   \n[a]\nk=1',
  ' # c\n[a]\nk=1\n',
  '[a]\nk=1\n[a',
  '[a]\nk=1\n ;x\n',
  '[a]\nk =\t1\n',
];

const INI_SCRIPT = `
import json, sys, tempfile, libdnf
answers = []
for text in json.loads(sys.argv[1]):
    with tempfile.NamedTemporaryFile('w', newline='', encoding='utf-8') as f:
        f.write(text); f.flush()
        p = libdnf.conf.ConfigParser()
        try:
            p.read(f.name)
            d = p.getData()
            answers.append([[s, k, p.getValue(s, k)] for s in d for k in p.options(s)])
        except RuntimeError:
            answers.append(None)
print('JSON:' + json.dumps(answers))
`;

const VALUES: Record<string, string[]> = {
  gpgcheck: ['1', '0', 'yes', 'no', 'true', 'TRUE', 'On', 'off', 'enabled', 'y', 't', '', '2', '-1', 'always'],
  metadata_expire: [
    '48h',
    '2d',
    '1m',
    '30s',
    'never',
    '-1',
    '-2',
    '90',
    '1.5h',
    '',
    '0',
    '2 d',
    '2D',
    '1w',
    '-1d',
    'abc',
    '1h30m',
    '.5d',
  ],
  bandwidth: ['1k', '1K', '1M', '2G', '1.5k', '10', '', '10%', '1T', '-1', '1 k', '0'],
  priority: ['1', '-1', '0', 'x', '99999'],
  excludepkgs: ['a b', 'a,b', 'a, b', 'a\nb', 'a , , b', 'a;b', 'a*[0-9] b'],
  ip_resolve: ['4', '6', 'ipv4', 'IPv6', 'whatever', '5', 'any'],
  proxy_auth_method: ['any', 'none', 'basic', 'digest', 'negotiate', 'ntlm', 'digest_ie', 'ntlm_wb', 'foo'],
};

const VALUES_SCRIPT = `
import json, sys, libdnf
answers = {}
for key, texts in json.loads(sys.argv[1]).items():
    answers[key] = []
    for text in texts:
        m = libdnf.conf.ConfigMain()
        r = libdnf.conf.ConfigRepo(m) if key == 'priority' else m
        b = r.optBinds().at(key)
        try:
            b.newString(libdnf.conf.Option.Priority_RUNTIME, text)
            answers[key].append(b.getValueString())
        except RuntimeError:
            answers[key].append(None)
print('JSON:' + json.dumps(answers))
`;

/** Our value as libdnf prints it. */
function printed(key: string, text: string): string | null {
  const row = optionRow(key);
  if (row === null) throw new Error(key);
  const value = readValue(row, text);
  if (isUnreadable(value)) return null;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value === Number.POSITIVE_INFINITY) return '-1';
  if (Array.isArray(value)) return value.join(', ');
  return row.type === 'ip' ? String(value).replace(/^([46])$/, 'ipv$1') : String(value);
}

const ROOT = {
  'etc/dnf/dnf.conf': `[main]
gpgcheck=True
skip_if_unavailable=1
excludepkgs=main1,main2
timeout=20
minrate=2k
proxy=http://proxy:3128
[inconf]
name=In dnf.conf
baseurl=http://conf/$releasever/
`,
  'etc/yum.repos.d/b.repo': `[b]
name=B for $basearch
baseurl=https://one/$releasever/$basearch/os
  https://two/$stream
mirrorlist=https://m/$arch
gpgcheck=0
repo_gpgcheck=1
gpgkey=file:///k1
  file:///k2
priority=10
cost=5
metadata_expire=6h
exclude=x1 x2
includepkgs=i1
proxy=_none_
sslverify=no
sslcacert=/ca.pem
username=u
password=p
skip_if_unavailable=False
[b-off]
name=off
enabled=0
baseurl=/srv/off
throttle=50%
[b]
retries=4
`,
  'etc/yum.repos.d/broken.repo': '[broken]\nname x\n',
  'etc/yum.repos.d/a.repo':
    '[a]\nname=A\nmetalink=https://meta/\nip_resolve=6\nbandwidth=1M\nmetadata_expire=never\n[bad/id]\nbaseurl=http://x/\n',
  'etc/yum.repos.d/z.repo':
    '[b]\nname=twice\nbaseurl=http://twice/\n[z-debug]\nname=z\nbaseurl=http://z/$nope\nusername="q"\n',
  'etc/dnf/vars/stream': '9-stream\nmore\n',
  'etc/yum/vars/stream': '8-stream\n',
  'etc/distro.repos.d/d.repo': '[d]\nname=d\nbaseurl=http://d/\nenabled=off\ntimeout=3\n',
};

const ROOT_SCRIPT = `
import json, sys, dnf, dnf.cli.cli
base = dnf.cli.cli.BaseCli()
cli = dnf.cli.cli.Cli(base)
cli.configure(['--noplugins', '--installroot', sys.argv[1], '--releasever', '9.4', '--forcearch', 'x86_64'] + sys.argv[2:] + ['repolist'])
def value(r, k):
    v = getattr(r, k)
    return v if v is None or isinstance(v, (str, int, float, bool)) else list(v)
keys = ['name', 'enabled', 'baseurl', 'mirrorlist', 'metalink', 'priority', 'cost', 'gpgcheck', 'repo_gpgcheck', 'gpgkey', 'timeout', 'retries',
  'minrate', 'metadata_expire', 'skip_if_unavailable', 'sslverify', 'sslcacert', 'username', 'password', 'proxy', 'excludepkgs', 'includepkgs',
  'ip_resolve']
answers = {r.id: {k: value(r, k) for k in keys} for r in base.repos.values()}
print('JSON:' + json.dumps({'repos': answers, 'excludepkgs': list(base.conf.excludepkgs)}))
`;

interface DnfRepo {
  readonly [key: string]: string | number | boolean | null | string[];
}

/** Our configuration in dnf's words. Lists of main are told apart: dnf keeps them apart. */
function ours(top: string, more: Partial<ConfigRequest>): Record<string, DnfRepo> {
  const config = readConfig(new Root(top), requestOf({ releasever: '9.4', ...more }));
  const all = [...config.repos, ...config.disabled].filter(({ problem }) => problem?.code !== 'config-broken');
  const without = (list: readonly string[]): string[] => list.filter((item) => !config.main.excludepkgs.includes(item));
  return Object.fromEntries(
    all.map((repo) => [
      repo.id,
      {
        name: repo.name,
        enabled: repo.enabled,
        baseurl: [...repo.baseurl],
        mirrorlist: repo.mirrorlist,
        metalink: repo.metalink,
        priority: repo.priority,
        cost: repo.cost,
        gpgcheck: repo.gpgcheck,
        repo_gpgcheck: repo.repoGpgcheck,
        gpgkey: [...repo.gpgkey],
        timeout: repo.timeout,
        retries: repo.retries,
        minrate: repo.minrate,
        metadata_expire: repo.metadataExpire === Number.POSITIVE_INFINITY ? -1 : repo.metadataExpire,
        skip_if_unavailable: repo.skipIfUnavailable,
        sslverify: repo.ssl.verify,
        sslcacert: repo.ssl.caCert ?? '',
        username: repo.username ?? '',
        password: repo.password ?? '',
        proxy: repo.proxy.use === 'none' ? '' : (repo.proxy.url ?? ''),
        excludepkgs: without(repo.excludepkgs),
        includepkgs: [...repo.includepkgs],
        ip_resolve: repo.ipResolve === 'any' ? 'whatever' : `ipv${repo.ipResolve}`,
      },
    ]),
  );
}

needs('dnf', 'python3')('dnf says the same', () => {
  test('of INI texts', () => {
    const answers = python(INI_SCRIPT, JSON.stringify(INI)) as ([string, string, string][] | null)[];
    expect(answers.length).toBe(INI.length);
    for (const [n, text] of INI.entries()) {
      const { sections, faults } = parseIni(text);
      const last = new Map(
        sections.flatMap(({ name, entries }) =>
          entries.map(({ key, value }) => [`${name}\0${key}`, unquoted(value)] as const),
        ),
      );
      const found = faults.length > 0 ? null : [...last].map(([place, value]) => [...place.split('\0'), value]).sort();
      // A line break before the first continuation line means nothing to any option; we leave it out.
      const theirs = answers[n]?.map(([place, key, value]) => [place, key, value.trim()]).sort() ?? null;
      expect([text, found]).toEqual([text, theirs]);
    }
  });

  test('of option values', () => {
    const answers = python(VALUES_SCRIPT, JSON.stringify(VALUES)) as Record<string, (string | null)[]>;
    for (const [key, texts] of Object.entries(VALUES)) {
      for (const [n, text] of texts.entries())
        expect([key, text, printed(key, text)]).toEqual([key, text, answers[key]?.[n] ?? null]);
    }
  });

  test.each<[string, string[], Partial<ConfigRequest>]>([
    ['as it stands', [], {}],
    [
      'with --setopt',
      ['--setopt=timeout=9', '--setopt=b*.priority=3', '--setopt=a.gpgcheck=0', '--setopt=z-debug.cost=7'],
      { setopt: ['timeout=9', 'b*.priority=3', 'a.gpgcheck=0', 'z-debug.cost=7'] },
    ],
    [
      'with repositories switched',
      ['--disablerepo=*', '--enablerepo=b*', '--enablerepo=d'],
      { disablerepo: ['*'], enablerepo: ['b*', 'd'] },
    ],
    ['with --repo', ['--repo=d,b-off'], { repo: ['d,b-off'] }],
    ['with --nogpgcheck', ['--nogpgcheck'], { nogpgcheck: true }],
    [
      'with --repofrompath',
      ['--repofrompath=new,/srv/new', '--setopt=new.priority=1'],
      { repofrompath: ['new,/srv/new'], setopt: ['new.priority=1'] },
    ],
    [
      'with excludes added',
      ['--setopt=excludepkgs=more', '--setopt=b.excludepkgs=x3'],
      { setopt: ['excludepkgs=more', 'b.excludepkgs=x3'] },
    ],
  ])('of a root %s', (_what, args, more) => {
    const top = tree(ROOT);
    const dnf = python(ROOT_SCRIPT, top, ...args) as { repos: Record<string, DnfRepo>; excludepkgs: string[] };
    const mine = ours(top, more);
    expect(Object.keys(mine).sort()).toEqual(Object.keys(dnf.repos).sort());
    for (const [id, repo] of Object.entries(dnf.repos)) expect([id, mine[id]]).toEqual([id, inOurWords(repo)]);
    const { excludepkgs } = readConfig(new Root(top), requestOf(more)).main;
    expect(new Set(excludepkgs)).toEqual(new Set(dnf.excludepkgs));
  });
});

/** Where dnf has several words for nothing, and `_none_`. */
function inOurWords(repo: DnfRepo): DnfRepo {
  const empty = (value: DnfRepo[string]): DnfRepo[string] => (value === '' ? null : (value ?? null));
  return {
    ...repo,
    mirrorlist: empty(repo.mirrorlist ?? null),
    metalink: empty(repo.metalink ?? null),
    proxy: repo.proxy === '_none_' ? '' : (repo.proxy ?? ''),
  };
}

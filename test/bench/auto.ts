// `kpatch-pm auto` for forty kernels over loopback, beside `dnf install` of the same packages:
//   node packaging/run-ts.mjs test/bench/auto.ts [--rounds 5] [--kernels 40] [--size 1] [--node FILE]
//     [--beside 50000-zst]
// Both take signed packages from the same server into copies of the same root, whose rpm database has the kernels, the
// kpatch utility and the key. Nothing is loaded. Every round begins without caches. The packages lie in a repository of their
// own; `--beside` has both read a vendor's large one too (as `npm run bench` makes it), as they would on a real machine.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { livePatch } from '../support/elf.ts';
import { Gpg } from '../support/gpg.ts';
import { top } from '../support/top.ts';
import { machineText } from './machine.ts';
import { type Command, ENV, interleaved, median, ratio } from './measure.ts';
import { random } from './random.ts';
import { benchRepository, sizeOf } from './repository.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    kernels: { type: 'string', default: '40' },
    /** MB of a module that do not compress. */
    size: { type: 'string', default: '1' },
    node: { type: 'string', default: process.execPath },
    beside: { type: 'string' },
  },
});

const KERNELS = Array.from({ length: Number(values.kernels) }, (_, n) => ({
  short: `5_14_0-${n + 1}`,
  release: `5.14.0-${n + 1}.el9.x86_64`,
}));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-bench-auto-'));
const at = (...names: string[]): string => path.join(scratch, ...names);

function must(program: string, args: readonly string[]): void {
  const done = spawnSync(program, args, { encoding: 'utf8', env: { ...ENV, GNUPGHOME: gpg.home } });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr}${done.stdout}`);
}

const about = (name: string): string => `Name: ${name}\nVersion: 1\nRelease: 1.el9\nSummary: ${name}\nLicense: GPL\n`;
const quiet = '%global __os_install_post %{nil}\n%global debug_package %{nil}\n';

/** One spec for all live patches: a package for each kernel. */
function patchesSpec(): string {
  const packages = KERNELS.map(
    ({ short, release }) => `%package -n kpatch-patch-${short}
Summary: Live kernel patching module
Provides: kpatch-patch = ${release}
Requires: kernel-uname-r = ${release}
Requires: kpatch >= 0.6.1
%description -n kpatch-patch-${short}
%files -n kpatch-patch-${short}
/usr/lib/kpatch/${release}
`,
  );
  const installs = KERNELS.map(
    ({ short, release }) =>
      `install -D -m 0644 ${at('modules', short)} %{buildroot}/usr/lib/kpatch/${release}/kpatch-${short}-1-1.ko`,
  );
  return `${quiet}${about('patches')}%description\n${packages.join('')}%install\n${installs.join('\n')}\n`;
}

/** What is there before: kernels by their provides and directories, and the utility. */
const hostSpec = (): string => `${quiet}${about('host')}Provides: kpatch = 0.9.9
${KERNELS.map(({ release }) => `Provides: kernel-uname-r = ${release}`).join('\n')}
%description
%install
mkdir -p %{buildroot}/var/lib/kpatch
for k in ${KERNELS.map(({ release }) => release).join(' ')}; do mkdir -p %{buildroot}/lib/modules/$k; touch %{buildroot}/lib/modules/$k/modules.builtin; done
%files
/lib/modules
/var/lib/kpatch
`;

function rpmbuild(name: string, spec: string): string {
  writeFileSync(at(`${name}.spec`), spec);
  const defines = {
    _topdir: at('build', name),
    _target_cpu: 'x86_64',
    _build_id_links: 'none',
    _binary_payload: 'w19.zstdio',
  };
  const words = Object.entries(defines).flatMap(([key, value]) => ['--define', `${key} ${value}`]);
  must('rpmbuild', ['-bb', '--quiet', '--target', 'x86_64', ...words, at(`${name}.spec`)]);
  return at('build', name, 'RPMS', 'x86_64');
}

function makeAll(url: string, beside: string | null): void {
  const source = random(4);
  mkdirSync(at('modules'));
  for (const { short, release } of KERNELS) {
    const more = {
      '.debug_str': Buffer.from(Array.from({ length: Number(values.size) * 1e6 }, () => source.below(256))),
    };
    writeFileSync(at('modules', short), livePatch({ name: `kpatch_${short.replaceAll('-', '_')}_1_1`, release, more }));
  }
  const key = gpg.key('bench <bench@example.invalid>', 'rsa3072');
  writeFileSync(at('key.asc'), gpg.export(key));
  cpSync(rpmbuild('patches', patchesSpec()), at('www'), { recursive: true });
  const files = readdirSync(at('www')).map((name) => at('www', name));
  const macros = { __gpg: '/usr/bin/gpg', _gpg_path: gpg.home, _gpg_name: key, _gpg_digest_algo: 'sha256' };
  must('rpmsign', [
    ...Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
    '--addsign',
    ...files,
  ]);
  must('createrepo_c', ['-q', at('www')]);
  const root = at('root');
  for (const name of ['etc/yum.repos.d', 'etc/kpatch-pm', 'var/lib/rpm'])
    mkdirSync(path.join(root, name), { recursive: true });
  writeFileSync(path.join(root, 'etc/os-release'), 'ID=rhel\nVERSION_ID="9.4"\n');
  writeFileSync(path.join(root, 'etc/yum.repos.d/a.repo'), `[a]\nname=a\nbaseurl=${url}\ngpgcheck=1\n`);
  if (beside) writeFileSync(path.join(root, 'etc/yum.repos.d/big.repo'), `[big]\nname=big\nbaseurl=${beside}\n`);
  const [host] = readdirSync(rpmbuild('host', hostSpec()));
  // Debian's rpm, and with it dnf, keeps the database elsewhere.
  mkdirSync(path.join(root, 'root'));
  symlinkSync('../var/lib/rpm', path.join(root, 'root', '.rpmdb'));
  const rpm = (...args: string[]) => must('rpm', ['--root', root, '--dbpath', '/var/lib/rpm', ...args]);
  rpm('--import', at('key.asc'));
  rpm('-i', '--nodeps', '--nosignature', at('build', 'host', 'RPMS', 'x86_64', host as string));
}

function server(): Promise<http.Server> {
  const made = http.createServer((request, response) => {
    const file = at('www', path.posix.normalize(request.url ?? '/'));
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': statSync(file).size });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => made.listen(0, '127.0.0.1', () => resolve(made)));
}

const versionOf = (node: string): string => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();

/** Forgets what an earlier round did. */
function fresh(name: string): void {
  rmSync(at(name), { recursive: true, force: true });
  must('cp', ['-a', at('root'), at(name)]);
  rmSync(at('dnf-cache'), { recursive: true, force: true });
}

const gpg = new Gpg();
const www = await server();
try {
  const url = `http://127.0.0.1:${(www.address() as AddressInfo).port}`;
  const big = values.beside
    ? await benchRepository(path.join(os.tmpdir(), 'kpatch-pm-bench'), sizeOf(values.beside))
    : null;
  const beside = big && `file://${big.directory}`;
  makeAll(url, beside);
  must(values.node, [path.join(top, 'packaging', 'build.mjs'), at('dist')]);
  must(values.node, [at('dist', 'compile.cjs')]);
  const dnf = ['dnf', '-y', '-q', `--installroot=${at('dnf-root')}`, '--releasever=9', '--disableplugin=*'];
  dnf.push('--setopt=reposdir=/dev/null', `--setopt=cachedir=${at('dnf-cache')}`, '--setopt=install_weak_deps=0');
  dnf.push(`--repofrompath=a,${url}`, '--repo=a', '--setopt=a.gpgcheck=1', `--setopt=a.gpgkey=file://${at('key.asc')}`);
  if (beside) dnf.push(`--repofrompath=big,${beside}`, '--repo=big');
  const commands = new Map<string, Command>([
    [
      'kpatch-pm auto',
      {
        argv: [values.node, at('dist', 'kpatch-pm.cjs'), '--installroot', at('our-root'), '-y', 'auto'],
        before: () => fresh('our-root'),
      },
    ],
    [
      'dnf install',
      {
        argv: [...dnf, 'install', ...KERNELS.map(({ short }) => `kpatch-patch-${short}`)],
        before: () => fresh('dnf-root'),
      },
    ],
  ]);
  const results = await interleaved(commands, Number(values.rounds), (text) => console.error(text));
  for (const [name, file] of [
    ['our-root', 'var/lib/kpatch/K/kpatch-S-1-1.ko'],
    ['dnf-root', 'usr/lib/kpatch/K/kpatch-S-1-1.ko'],
  ] as const) {
    const missing = KERNELS.filter(
      ({ short, release }) => !existsSync(at(name, file.replace('K', release).replace('S', short))),
    );
    if (missing.length > 0)
      throw new Error(`${name}: nothing installed for ${missing.map(({ release }) => release).join(', ')}`);
  }
  console.log(
    `${machineText()}, node ${versionOf(values.node)}; ${KERNELS.length} kernels, ${values.rounds} rounds, beside ${values.beside ?? 'nothing'}.\n`,
  );
  console.log(
    '| command | median ms | least - most | CPU ms | largest MB | sum MB |\n| --- | --- | --- | --- | --- | --- |',
  );
  for (const { label, times, cpu, memory } of results.values()) {
    const spread = `${Math.min(...times).toFixed(0)} - ${Math.max(...times).toFixed(0)}`;
    console.log(
      `| ${label} | ${median(times).toFixed(0)} | ${spread} | ${cpu.toFixed(0)} | ${memory.largest.toFixed(0)} | ${memory.sum.toFixed(0)} |`,
    );
  }
  const [ours, theirs] = [...results.values()];
  if (ours && theirs)
    console.log(
      `\nours / dnf: ${ratio(ours, theirs).toFixed(2)} (processor time ${(ours.cpu / theirs.cpu).toFixed(2)}); at most 0.20 is wanted.`,
    );
} finally {
  www.close();
  gpg.close();
  rmSync(scratch, { recursive: true, force: true });
}

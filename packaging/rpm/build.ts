// `npm run rpm [-- [--self-contained] [--node FILE] [--release N] [DIR]]`: the RPMs of this checkout, by real rpmbuild from
// the tarball `npm pack` makes: kpatch-pm and kpatch-pm-kpatch, or the self-contained variant. Prints the first one's path.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { KPM_OPTIONS } from '../../src/observe/config/kpm.ts';
import { top } from '../../test/support/top.ts';
import { type Bundled, bundledPackages, licenceTexts, sbom } from './bundled.ts';
import { BUNDLE, compiler, kpatchCommand, launcher, OWN_NODE, SYSTEM_NODES } from './launcher.ts';
import { type OwnNode, ownNode } from './own-node.ts';

const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string };

/** Our own options, all at their defaults and commented out. */
function configuration(): string {
  const rows = KPM_OPTIONS.map(({ key, default: value, meaning }) => `# ${meaning}\n#${key} = ${value}\n`);
  return `# Options of kpatch-pm: kpatch-pm.conf(5). Files in /etc/kpatch-pm/conf.d/*.conf are read after this one.\n[main]\n\n${rows.join('\n')}`;
}

const MISSING_NODE =
  'kpatch-pm needs Node.js 20.19 or later in /usr/bin: dnf install nodejs (docs/install.md names the streams).';
const MISSING_OWN = `${OWN_NODE} is missing: rpm -V kpatch-pm-selfcontained`;

/** Everything but the tarball that the spec file calls a source. */
function writeSources(sources: string, packages: readonly Bundled[], own: OwnNode | null): void {
  const put = (name: string, text: string) => writeFileSync(path.join(sources, name), text);
  put('kpatch-pm.cdx.json', sbom(version, packages, own));
  put('LICENSES.bundled', licenceTexts(top, packages));
  put('kpatch-pm.conf', configuration());
  put('kpatch-pm.sh', own ? launcher([OWN_NODE], MISSING_OWN) : launcher(SYSTEM_NODES, MISSING_NODE));
  put('compile.sh', own ? compiler([OWN_NODE], MISSING_OWN) : compiler(SYSTEM_NODES, MISSING_NODE));
  put('kpatch.sh', kpatchCommand());
  for (const shell of ['bash', 'zsh', 'fish']) {
    const program = path.join(top, 'dist', path.basename(BUNDLE));
    put(`kpatch-pm.${shell}`, execFileSync(process.execPath, [program, 'completion', shell], { encoding: 'utf8' }));
  }
  if (!own) return;
  copyFileSync(own.file, path.join(sources, 'node'));
  copyFileSync(own.licence, path.join(sources, 'LICENSE.nodejs'));
}

/** The spec file with what is known only here, so that the source RPM can be built again anywhere. */
function writeSpec(file: string, packages: readonly Bundled[], own: OwnNode | null, release: string): void {
  const provides = [
    ...packages.map((one) => `bundled(npm(${one.name})) = ${one.version}`),
    ...(own ? [`bundled(nodejs) = ${own.version}`, `bundled(openssl) = ${own.openssl}`] : []),
  ];
  const globals = {
    kpm_version: version,
    kpm_release: release,
    kpm_bundled: provides.join(', '),
    ...(own ? { kpm_selfcontained: '1' } : {}),
  };
  const head = Object.entries(globals).map(([name, value]) => `%global ${name} ${value}\n`);
  writeFileSync(file, head.join('') + readFileSync(path.join(top, 'packaging/rpm/kpatch-pm.spec'), 'utf8'));
}

/** Builds below `destination` and gives the path of the binary package. */
function buildRpm(destination: string, own: OwnNode | null, release: string): string {
  const work = mkdtempSync(path.join(os.tmpdir(), 'kpatch-pm-rpm-'));
  try {
    const sources = path.join(work, 'SOURCES');
    mkdirSync(sources);
    execFileSync(process.execPath, ['packaging/build.mjs'], { cwd: top });
    execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', sources], { cwd: top });
    const packages = bundledPackages(top);
    writeSources(sources, packages, own);
    const spec = path.join(work, 'kpatch-pm.spec');
    writeSpec(spec, packages, own, release);
    const epoch =
      process.env.SOURCE_DATE_EPOCH ??
      execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: top, encoding: 'utf8' }).trim();
    // rpmbuild takes the times of sources as they are.
    for (const source of [spec, ...readdirSync(sources).map((name) => path.join(sources, name))]) {
      utimesSync(source, Number(epoch), Number(epoch));
    }
    const macros: Record<string, string> = {
      _topdir: work,
      // The same checkout gives the same bytes, on every distribution that builds it; and rpm of el8 can read them.
      _buildhost: 'localhost',
      use_source_date_epoch_as_buildtime: '1',
      clamp_mtime_to_source_date_epoch: '1',
      _binary_payload: own ? 'w3.gzdio' : 'w9.gzdio',
      _source_payload: own ? 'w3.gzdio' : 'w9.gzdio',
    };
    const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
    const target = own ? ['--target', own.arch] : [];
    // One after the other: made together, the binary packages hold an id of the source package, and that holds the name of
    // this directory, which is another one each time.
    for (const what of own ? ['-bb'] : ['-bb', '-bs']) {
      execFileSync('rpmbuild', [what, '--quiet', ...target, ...defines, spec], {
        env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    }
    mkdirSync(destination, { recursive: true });
    if (!own) cpSync(path.join(work, 'SRPMS'), destination, { recursive: true });
    const arch = own ? own.arch : 'noarch';
    cpSync(path.join(work, 'RPMS', arch), destination, { recursive: true });
    const name = own ? 'kpatch-pm-selfcontained' : 'kpatch-pm';
    const built = readdirSync(path.join(work, 'RPMS', arch)).find((file) => file.startsWith(`${name}-${version}-`));
    return path.join(destination, built as string);
  } finally {
    rmSync(work, { recursive: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'self-contained': { type: 'boolean', default: false },
    node: { type: 'string', default: process.execPath },
    release: { type: 'string', default: '1' },
  },
});
const own = values['self-contained'] ? ownNode(values.node) : null;
console.log(buildRpm(path.resolve(positionals[0] ?? path.join(top, 'dist-rpm')), own, values.release));

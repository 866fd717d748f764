// `npm run rpm [-- DIR]`: the RPM of this checkout, by real rpmbuild from the tarball `npm pack` makes. Prints its path.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { KPM_OPTIONS } from '../../src/observe/config/kpm.ts';
import { top } from '../../test/support/top.ts';
import { bundledPackages, sbom } from './bundled.ts';

const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string };

/** Our own options, all at their defaults and commented out. */
function configuration(): string {
  const rows = KPM_OPTIONS.map(({ key, default: value, meaning }) => `# ${meaning}\n#${key} = ${value}\n`);
  return `# Options of kpatch-pm: kpatch-pm.conf(5). Files in /etc/kpatch-pm/conf.d/*.conf are read after this one.\n[main]\n\n${rows.join('\n')}`;
}

/** Builds below `destination` and gives the path of the binary package. */
function buildRpm(destination: string): string {
  const work = mkdtempSync(path.join(os.tmpdir(), 'kpatch-pm-rpm-'));
  try {
    const sources = path.join(work, 'SOURCES');
    mkdirSync(sources);
    const node = (args: string[]) => execFileSync(process.execPath, args, { cwd: top, encoding: 'utf8' });
    node(['packaging/build.mjs']);
    execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', sources], { cwd: top });
    const packages = bundledPackages(top);
    writeFileSync(path.join(sources, 'kpatch-pm.cdx.json'), sbom(version, packages));
    writeFileSync(path.join(sources, 'kpatch-pm.conf'), configuration());
    for (const shell of ['bash', 'zsh', 'fish']) {
      writeFileSync(path.join(sources, `kpatch-pm.${shell}`), node(['dist/kpatch-pm.mjs', 'completion', shell]));
    }
    const provides = packages.map((one) => `bundled(npm(${one.name})) = ${one.version}`).join(', ');
    const epoch = execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: top, encoding: 'utf8' }).trim();
    const macros: Record<string, string> = {
      _topdir: work,
      kpm_version: version,
      kpm_bundled: provides,
      // The same checkout gives the same bytes.
      _buildhost: 'localhost',
      use_source_date_epoch_as_buildtime: '1',
      clamp_mtime_to_source_date_epoch: '1',
      // Modules and scripts of node are no libraries to strip, and their first lines are ours.
      __os_install_post: '%{nil}',
      __requires_exclude: '^/usr/bin/env$',
    };
    const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
    execFileSync('rpmbuild', ['-bb', '--quiet', ...defines, path.join(top, 'packaging/rpm/kpatch-pm.spec')], {
      env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const built = path.join(work, 'RPMS', 'noarch');
    mkdirSync(destination, { recursive: true });
    cpSync(built, destination, { recursive: true });
    return path.join(destination, `kpatch-pm-${version}-1.noarch.rpm`);
  } finally {
    rmSync(work, { recursive: true });
  }
}

console.log(buildRpm(path.resolve(process.argv[2] ?? path.join(top, 'dist-rpm'))));

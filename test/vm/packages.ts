// Real packages for the guests' kernels: rpmbuild, a fresh signing key, createrepo_c.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { command } from './command.ts';
import { shortName } from './modules.ts';

/** A signing key made for one run: the published test keys are refused by the built program. */
export class SigningKey {
  /** Short on purpose: gpg-agent's socket lives here. */
  readonly home = mkdtempSync(path.join(os.tmpdir(), 'kpm-vm-'));
  readonly publicKey: string;

  constructor() {
    command('chmod', ['700', this.home]);
    const user = 'kpatch-pm VM test <vm@tests.invalid>';
    this.#gpg(['--passphrase', '', '--quick-generate-key', user, 'rsa2048', 'sign', 'never']);
    this.publicKey = this.#gpg(['--armor', '--export']);
  }

  sign(rpm: string): void {
    const defines = ['--define', `_gpg_path ${this.home}`, '--define', '_gpg_name vm@tests.invalid'];
    command('rpmsign', ['--addsign', '--define', '__gpg /usr/bin/gpg', ...defines, rpm]);
  }

  close(): void {
    command('gpgconf', ['--homedir', this.home, '--kill', 'gpg-agent']);
    rmSync(this.home, { recursive: true, force: true });
  }

  #gpg(args: readonly string[]): string {
    return command('gpg', ['--homedir', this.home, '--batch', '--no-tty', '--quiet', ...args]).toString('utf8');
  }
}

export interface PatchSource {
  /** `uname -r` of the kernel. */
  readonly kernel: string;
  /** `1-2`: version and release. */
  readonly level: string;
  /** The module; null for an empty package. */
  readonly module: string | null;
  /** File name inside the package; the vendor's form unless said. */
  readonly name?: string;
}

/** Builds and signs one live-patch package as the vendor's are made, scriptlets included (none may ever run). */
export function buildPatch(source: PatchSource, directory: string, key: SigningKey): string {
  const work = mkdtempSync(path.join(os.tmpdir(), 'kpm-vm-rpm-'));
  try {
    const [version, release] = source.level.split('-');
    const short = shortName(source.kernel);
    const target = `/usr/lib/kpatch/${source.kernel}`;
    const file = source.name ?? `kpatch-${short}-${source.level}.ko`;
    if (source.module) copyFileSync(source.module, path.join(work, file));
    const spec = path.join(work, 'patch.spec');
    const install = source.module
      ? [`mkdir -p %{buildroot}${target}`, `install -m 755 %{_sourcedir}/${file} %{buildroot}${target}/${file}`]
      : [];
    const script = source.module ? ['%post', 'touch /scriptlet-has-run', '%postun', 'touch /scriptlet-has-run'] : [];
    const lines = [
      '%global debug_package %{nil}',
      '%global __os_install_post %{nil}',
      `Name: kpatch-patch-${short}`,
      `Version: ${version}`,
      `Release: ${release}`,
      `Summary: Live kernel patching module for kernel-${source.kernel}`,
      'License: GPLv2',
      'AutoReqProv: no',
      `Provides: kpatch-patch = ${source.kernel}`,
      `Requires: kernel-uname-r = ${source.kernel}`,
      'Requires: kpatch >= 0.6.1-1',
      '%description',
      'A live patch for tests in a virtual machine.',
      ...['%prep', '%build', '%install', ...install],
      ...script,
      '%files',
      ...(source.module ? [`${target}/${file}`] : []),
    ];
    writeFileSync(spec, `${lines.join('\n')}\n`);
    const macros = {
      _topdir: work,
      _sourcedir: work,
      _rpmdir: path.join(work, 'out'),
      _build_name_fmt: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
      // A Debian release has two dashes, which rpm dislikes in a dependency; warn, do not stop.
      _wrong_version_format_terminate_build: '0',
    };
    const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
    command('rpmbuild', ['-bb', '--quiet', '--nodeps', '--target', 'x86_64-redhat-linux', ...defines, spec]);
    const made = readdirSync(path.join(work, 'out'))[0] as string;
    key.sign(path.join(work, 'out', made));
    mkdirSync(directory, { recursive: true });
    copyFileSync(path.join(work, 'out', made), path.join(directory, made));
    return path.join(directory, made);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** (Re)makes the metadata of a repository. */
export function indexRepository(directory: string): void {
  command('createrepo_c', ['--quiet', directory]);
  readFileSync(path.join(directory, 'repodata/repomd.xml'));
}

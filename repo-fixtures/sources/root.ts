// What the ready-made root holds (`built/root`).
import type { PackageSource } from '../builder/source.ts';
import { K1, K2, K3, K4, type Kernel, kernelPackage } from './kernels.ts';
import { utility } from './utility.ts';

export const ROOT_KERNELS: readonly Kernel[] = [K1, K2, K3, K4];

const release: PackageSource = {
  why: 'tells the release version: it provides system-release',
  name: 'fixture-linux-release',
  version: '9.4',
  release: '1.el9',
  arch: 'noarch',
  summary: 'Release files of the fixture distribution',
  provides: ['system-release = 9.4-1.el9', 'system-release(releasever) = 9.4', 'redhat-release = 9.4-1.el9'],
  payload: 'gzip',
  signing: { key: 'release' },
};

/** What live patches require besides kernel and kpatch: without it rpm's test transaction refuses to register them. */
const base = (name: string, version: string, provides: readonly string[]): PackageSource => ({
  why: 'a requirement of every live patch that has scriptlets',
  name,
  version,
  release: '1.el9',
  arch: 'x86_64',
  summary: `Fixture of ${name}`,
  provides,
  payload: 'gzip',
  signing: { key: 'release' },
});

export const ROOT_PACKAGES: readonly PackageSource[] = [
  ...ROOT_KERNELS.map((k) => kernelPackage(k, 'gzip', 'installed in the ready-made root')),
  utility('0.9.7', '3.el9', 'zstd'),
  release,
  base('bash', '5.1.8', ['/bin/sh', '/usr/bin/sh']),
  base('systemd', '252', []),
];

/** Path below the root -> text. */
export const ROOT_FILES: Readonly<Record<string, string>> = {
  'etc/os-release': `NAME="Fixture Linux"
ID="fixture"
ID_LIKE="rhel fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Fixture Linux 9.4"
`,
  'etc/dnf/dnf.conf': `[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
`,
  // Port 9 (discard) answers nowhere: a run that forgot to set the variable fails instead of going out.
  'etc/dnf/vars/fixture_url': 'http://127.0.0.1:9\n',
  'etc/yum.repos.d/fixtures.repo': `# The repository of the test fixtures. fixture_url is a variable: see /etc/dnf/vars.
[fixtures-el9]
name=Fixtures for Enterprise Linux $releasever - $basearch
baseurl=$fixture_url/el9/
enabled=1
gpgcheck=1
gpgkey=$fixture_url/keys/RPM-GPG-KEY-fixtures
metadata_expire=86400

[fixtures-el9-debug]
name=Never enabled
baseurl=$fixture_url/no-such-repository/
enabled=0
`,
  'etc/dnf/plugins/kpatch.conf': `# Settings of the kpatch plugin (test fixture): this comment has to survive every change.
[main]
autoupdate=False
; a second comment, between the keys
autofilter=False
`,
};

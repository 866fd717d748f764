// Packages that rpmbuild itself makes and that must not be installed as live patches (or only their module, never a script).
import type { FileSource, PackageSource } from '../../builder/source.ts';
import { K1, K2, uname } from '../kernels.ts';
import { modulePath, moduleSource } from '../livepatch.ts';
import { GOOD, type HostileCase } from './case.ts';

const ko = modulePath(K1, '1-4');
const good = moduleSource(K1, '1-4');
const directories = (GOOD.files ?? []).filter((file) => file.kind === 'directory');
const withFiles = (...files: FileSource[]): PackageSource => ({ ...GOOD, files: [...directories, ...files] });
const withModule = (more: Partial<typeof good>): PackageSource =>
  withFiles({ path: ko, mode: 0o755, content: { ...good, ...more } });
const module: FileSource = { path: ko, mode: 0o755, content: good };
const extract = (
  id: string,
  why: string,
  source: PackageSource,
  ...expected: HostileCase['expected']
): HostileCase => ({ id, why, stage: 'extract', expected, source });

export const PACKAGE_CASES: readonly HostileCase[] = [
  extract(
    'module-is-symlink',
    'the module is a link to /etc/shadow',
    withFiles({ path: ko, kind: 'symlink', content: '/etc/shadow' }),
    'package-file-refused',
  ),
  extract(
    'module-setuid',
    'the module has the set-user-id bit',
    withFiles({ ...module, mode: 0o4755 }),
    'package-file-refused',
  ),
  extract(
    'module-fifo',
    'a pipe where the module should be',
    withFiles({ path: ko, kind: 'fifo' }),
    'package-file-refused',
  ),
  extract(
    'module-hardlink',
    'a second name for the module',
    withFiles(module, { path: ko.replace('.ko', '-again.ko'), kind: 'hardlink', mode: 0o755, content: ko }),
    'module-name',
  ),
  extract(
    'module-elsewhere',
    'the module lies below /usr/lib/modules',
    withFiles({ ...module, path: `/usr/lib/modules/${uname(K1)}/extra/evil.ko` }),
    'module-misplaced',
  ),
  extract(
    'directory-of-other-kernel',
    'the module lies in the directory of K2',
    withFiles({ ...module, path: ko.replace(uname(K1), uname(K2)) }),
    'module-misplaced',
  ),
  extract(
    'extra-file',
    'a cron job beside the module',
    withFiles(module, { path: '/etc/cron.d/evil', content: '* * * * * root id\n' }),
    'package-file-refused',
  ),
  extract(
    'extra-hidden',
    'a file that is no module in the directory of the module',
    withFiles(module, { path: `${ko}.conf`, content: 'x\n' }),
    'package-file-refused',
  ),
  extract(
    'second-module',
    'a second module, for another kernel, under a name of this one',
    withFiles(module, { path: ko.replace('1-4.ko', '1-5.ko'), mode: 0o755, content: moduleSource(K2, '1-5') }),
    'module-wrong-kernel',
  ),
  extract('vermagic-other', 'vermagic names K2', withModule({ release: uname(K2) }), 'module-wrong-kernel'),
  extract(
    'vermagic-prefix',
    'vermagic names a kernel of which K1 is only the beginning',
    withModule({ release: `${uname(K1)}+debug` }),
    'module-wrong-kernel',
  ),
  extract(
    'not-livepatch',
    'an ordinary module: no livepatch=Y',
    withModule({ livepatch: false }),
    'module-not-livepatch',
  ),
  extract(
    'module-truncated',
    'the file ends in the middle of the ELF object',
    withModule({ truncate: 400 }),
    'not-a-module',
  ),
  extract('module-empty', 'the module has no bytes', withFiles({ path: ko, mode: 0o755, content: '' }), 'not-a-module'),
  extract(
    'module-text',
    'the module is a shell script',
    withFiles({ path: ko, mode: 0o755, content: '#!/bin/sh\nid\n' }),
    'not-a-module',
  ),
  extract(
    'machine-ppc64le',
    'an object for PowerPC in an x86_64 package',
    withModule({ machine: 21 }),
    'module-wrong-arch',
  ),
  extract(
    'machine-aarch64',
    'an object for AArch64 in an x86_64 package',
    withModule({ machine: 183 }),
    'module-wrong-arch',
  ),
  extract(
    'build-id-elsewhere',
    'what looks like a build-id link points to /etc/shadow',
    withFiles(module, { path: '/usr/lib/.build-id/ab/cdef0123456789', kind: 'symlink', content: '/etc/shadow' }),
    'package-file-refused',
  ),
  {
    id: 'bomb',
    why: '256 MB of zeros in a few kilobytes',
    stage: 'extract',
    expected: ['decompression-bomb', 'too-large'],
    source: { ...withFiles({ path: ko, mode: 0o755, content: { zeros: 256 << 20 } }), payload: 'zstd' },
  },
  {
    id: 'scriptlets',
    why: 'sound but for scriptlets that leave a trace when they run: none ever may',
    stage: 'fit',
    expected: ['ok'],
    source: {
      ...GOOD,
      scripts: Object.fromEntries(
        ['pretrans', 'pre', 'post', 'posttrans', 'preun', 'postun', 'verifyscript'].map((name) => [
          name,
          `touch /kpatch-pm-fixture-${name}-ran "$RPM_INSTALL_ROOT/kpatch-pm-fixture-${name}-ran"`,
        ]),
      ),
    },
  },
  {
    id: 'requires-other-kernel',
    why: 'named for K1, provides K1, requires K2',
    stage: 'decide',
    expected: ['kernel-mismatch'],
    source: { ...GOOD, requires: [`kernel-uname-r = ${uname(K2)}`, 'kpatch >= 0.6.1-1'] },
  },
  {
    id: 'requires-two-kernels',
    why: 'requires K1 and K2 at once',
    stage: 'decide',
    expected: ['kernel-mismatch'],
    source: { ...GOOD, requires: [...(GOOD.requires ?? []), `kernel-uname-r = ${uname(K2)}`] },
  },
  {
    id: 'requires-kernel-range',
    why: 'requires any kernel from K1 on: a live patch fits exactly one',
    stage: 'decide',
    expected: ['kernel-mismatch', 'no-stream'],
    source: { ...GOOD, requires: [`kernel-uname-r >= ${uname(K1)}`, 'kpatch >= 0.6.1-1'] },
  },
  {
    id: 'requires-unknown',
    why: 'requires something nobody knows',
    stage: 'decide',
    expected: ['requires-unmet'],
    source: { ...GOOD, requires: [...(GOOD.requires ?? []), 'no-such-capability >= 1'] },
  },
  {
    id: 'noarch',
    why: 'a live patch without architecture',
    stage: 'decide',
    expected: ['wrong-arch'],
    source: { ...GOOD, arch: 'noarch' },
  },
];

const signedBy = (id: string, why: string, signing: PackageSource['signing'], ...expected: string[]): HostileCase => ({
  id: `signed-${id}`,
  why,
  stage: 'verify',
  expected,
  source: { ...GOOD, signing },
});

export const SIGNER_CASES: readonly HostileCase[] = [
  signedBy('not', 'no signature at all', null, 'package-unsigned'),
  signedBy('other-vendor', 'a good signature by a key nobody trusts', { key: 'other-vendor' }, 'key-untrusted'),
  signedBy(
    'ed25519',
    'a good signature by a key that this repository does not name',
    { key: 'ed25519' },
    'key-untrusted',
  ),
  signedBy('md5', 'the trusted key, but over MD5', { key: 'release', digest: 'md5' }, 'signature-weak'),
];

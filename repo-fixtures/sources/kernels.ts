// Kernels, and the packages that bring them: what decides is `Provides: kernel-uname-r = <uname -r>`.
import type { FileSource, PackageSource, Payload } from '../builder/source.ts';

export interface Kernel {
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  /** `kernel-core`, `kernel-rt-core` ... */
  readonly package: string;
  /** Behind the architecture in uname -r: `+rt`, `+debug`. */
  readonly flavour: string;
}

export function kernel(versionRelease: string, arch = 'x86_64', name = 'kernel-core', flavour = ''): Kernel {
  const [version = '', release = ''] = versionRelease.split('-');
  return { version, release, arch, package: name, flavour };
}

/** `uname -r`. */
export const uname = (k: Kernel): string => `${k.version}-${k.release}.${k.arch}${k.flavour}`;

// The four kernels of the ready-made root.
/** Three levels on offer, the newest needs a kpatch utility that does not exist. */
export const K1 = kernel('5.14.0-427.13.1.el9_4');
/** Only the empty package that subscribes. */
export const K2 = kernel('5.14.0-427.16.1.el9_4');
/** No stream at all. */
export const K3 = kernel('5.14.0-427.18.1.el9_4');
/** Another distribution's kernel: no `.el` in its release. */
export const K4 = kernel('6.5.6-300.fc39');

// Others of el9.
export const EMPTY_0_1 = kernel('5.14.0-362.8.1.el9_3');
export const MODULE_0_1 = kernel('5.14.0-362.13.1.el9_3');
export const PAST_NINE = kernel('5.14.0-362.18.1.el9_3');
export const WITHDRAWN = kernel('5.14.0-362.24.1.el9_3');
/** A local rebuild of K1: the same short name, another kernel. */
export const REBUILD = kernel('5.14.0-427.13.1.el9_4.custom1');
export const REALTIME = kernel('5.14.0-427.13.1.el9_4', 'x86_64', 'kernel-rt-core', '+rt');
export const POWER = kernel('5.14.0-427.13.1.el9_4', 'ppc64le');

// el8.
export const EL8_FIRST = kernel('4.18.0-147.el8');
export const EL8_EMPTY = kernel('4.18.0-193.28.1.el8_2');
export const EL8_MIXED = kernel('4.18.0-305.7.1.el8_4');
export const EL8_10 = kernel('4.18.0-553.el8_10');

// el10.
export const EL10 = kernel('6.12.0-55.9.1.el10_0');
export const EL10_ORDER = kernel('6.12.0-55.12.1.el10_0');

/** The files by which a kernel on disk is recognised. */
export function kernelFiles(k: Kernel): FileSource[] {
  const directory = `/lib/modules/${uname(k)}`;
  return [
    { path: directory, kind: 'directory' },
    { path: `${directory}/vmlinuz`, mode: 0o755, content: `test fixture, not a kernel: ${uname(k)}\n` },
    { path: `${directory}/modules.builtin`, content: 'kernel/fs/ext4/ext4.ko\n' },
  ];
}

export function kernelPackage(k: Kernel, payload: Payload, why: string): PackageSource {
  return {
    why,
    name: k.package,
    version: k.version,
    release: k.release,
    arch: k.arch,
    summary: 'Fixture for a Linux kernel package',
    provides: [
      `kernel-uname-r = ${uname(k)}`,
      `kernel-core-uname-r = ${uname(k)}`,
      `installonlypkg(kernel)`,
      ...(k.package === 'kernel-core' ? [`kernel = ${k.version}-${k.release}`] : []),
    ],
    files: kernelFiles(k),
    payload,
    signing: { key: 'release' },
  };
}

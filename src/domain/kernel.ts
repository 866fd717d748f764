// A kernel is identified by its full `uname -r`; nothing shorter is unique.

declare const brand: unique symbol;
/** A full `uname -r`: safe as one path component, printable, at most 64 characters (the kernel's own limit, utsname(2)). */
export type KernelRelease = string & { readonly [brand]: 'KernelRelease' };

const RELEASE = /^[A-Za-z0-9][A-Za-z0-9._+~^-]{0,63}$/;

/** Takes a text as a kernel release; null when it cannot be one (path characters, control characters, too long). */
export function kernelRelease(text: string): KernelRelease | null {
  return RELEASE.test(text) && !text.includes('..') ? (text as KernelRelease) : null;
}

const ARCHES = ['x86_64', 'ppc64le', 'aarch64', 's390x', 'i686', 'i386', 'riscv64', 'armv7hl', 'ppc64'] as const;

/** The rpm architecture a release ends in (`5.14.0-1.el9.x86_64` or `...x86_64+debug`); null when it names none. */
export function kernelArch(release: string): string | null {
  const base = release.split('+')[0] ?? '';
  const last = base.slice(base.lastIndexOf('.') + 1);
  return (ARCHES as readonly string[]).includes(last) ? last : null;
}

export interface InstalledKernel {
  readonly release: KernelRelease;
  /** rpm architecture, from the package or the release; the host's where neither says. */
  readonly arch: string;
  readonly running: boolean;
  /** Whether the boot loader starts this one next; null when that cannot be told. */
  readonly defaultBoot: boolean | null;
  /** Where it was found: rpm database, /lib/modules, uname. */
  readonly foundIn: readonly ('rpm' | 'modules' | 'running')[];
  /** The package that provides it, as the rpm database names it; null when unknown. */
  readonly packageName: string | null;
}

// Names of processors: what `uname -m` says, what rpm calls it, and dnf's $basearch. Source: rpm's rpmrc.in (buildarchtranslate,
// arch_canon), dnf.conf(5) VARIABLES.

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  aarch64: ['aarch64'],
  alpha: [
    'alpha',
    'alphaev4',
    'alphaev45',
    'alphaev5',
    'alphaev56',
    'alphaev6',
    'alphaev67',
    'alphaev68',
    'alphaev7',
    'alphapca56',
  ],
  arm: ['armv5tejl', 'armv5tel', 'armv5tl', 'armv6l', 'armv7l', 'armv8l'],
  armhfp: ['armv6hl', 'armv7hl', 'armv7hnl', 'armv8hl'],
  i386: ['i386', 'athlon', 'geode', 'i486', 'i586', 'i686'],
  ia64: ['ia64'],
  loongarch64: ['loongarch64'],
  mips: ['mips'],
  mipsel: ['mipsel'],
  mips64: ['mips64'],
  mips64el: ['mips64el'],
  noarch: ['noarch'],
  ppc: ['ppc'],
  ppc64: ['ppc64', 'ppc64iseries', 'ppc64p7', 'ppc64pseries'],
  ppc64le: ['ppc64le'],
  riscv32: ['riscv32'],
  riscv64: ['riscv64'],
  riscv128: ['riscv128'],
  s390: ['s390'],
  s390x: ['s390x'],
  sh3: ['sh3'],
  sh4: ['sh4', 'sh4a'],
  sparc: ['sparc', 'sparc64', 'sparc64v', 'sparcv8', 'sparcv9', 'sparcv9v'],
  x86_64: ['x86_64', 'amd64', 'ia32e'],
};

const BASE: ReadonlyMap<string, string> = new Map(
  Object.entries(FAMILIES).flatMap(([base, members]) => members.map((member) => [member, base] as const)),
);

/** dnf's $basearch of an rpm architecture; null when it is not known. */
export function baseArch(arch: string): string | null {
  return BASE.get(arch) ?? null;
}

/** rpm's name of what node (`process.arch`) or `uname -m` calls the processor. */
export function rpmArch(machine: string): string {
  const names: Record<string, string> = {
    x64: 'x86_64',
    arm64: 'aarch64',
    ia32: 'i686',
    loong64: 'loongarch64',
    arm: 'armv7hl',
    armv7l: 'armv7hl',
  };
  return names[machine] ?? machine;
}

// Entries of a made-up primary.xml with the shape of a vendor's: few names and many builds of each, a long tail of large
// entries, kernels with thousands of symbols, live patches named as the vendor names them.
import { createHash } from 'node:crypto';
import type { BenchKernel, BenchPatch } from './kernels.ts';
import type { Random } from './random.ts';

export const WORDS =
  'acl bus cap dbus elf fuse gpm hwdata icu jbig kmod lua mpfr nss opus pam quota readline sqlite tcl usb vim wget xslt yaml zip'.split(
    ' ',
  );
const ABOUT =
  'Shared libraries, programs and data that other packages of this distribution are built on. They are configured in /etc and documented in their manual pages. ';

interface Entry {
  readonly name: string;
  readonly arch: string;
  readonly version: string;
  readonly release: string;
  readonly summary: string;
  readonly provides: readonly string[];
  readonly requires: readonly string[];
  readonly conflicts?: readonly string[];
  readonly files?: readonly string[];
}

const dependency = (name: string, flags?: string, version?: string, release?: string): string =>
  flags === undefined
    ? `      <rpm:entry name="${name}"/>\n`
    : `      <rpm:entry name="${name}" flags="${flags}" epoch="0" ver="${version}"${release === undefined ? '' : ` rel="${release}"`}/>\n`;

const list = (kind: string, entries: readonly string[] = []): string =>
  entries.length === 0 ? '' : `    <rpm:${kind}>\n${entries.join('')}    </rpm:${kind}>\n`;

/** One entry as createrepo_c writes it. */
function entryText(entry: Entry): string {
  const nevra = `${entry.name}-${entry.version}-${entry.release}.${entry.arch}`;
  const sum = createHash('sha256').update(nevra).digest('hex');
  const size = 20_000 + (Number.parseInt(sum.slice(0, 6), 16) % 900_000);
  return (
    `<package type="rpm">\n  <name>${entry.name}</name>\n  <arch>${entry.arch}</arch>\n` +
    `  <version epoch="0" ver="${entry.version}" rel="${entry.release}"/>\n` +
    `  <checksum type="sha256" pkgid="YES">${sum}</checksum>\n  <summary>${entry.summary}</summary>\n` +
    `  <description>${ABOUT}</description>\n  <packager>Example Vendor &lt;https://bugs.example.com/&gt;</packager>\n  <url>https://example.com/${entry.name}</url>\n` +
    `  <time file="1700000000" build="1699990000"/>\n` +
    `  <size package="${size}" installed="${size * 4}" archive="${size * 4 + 512}"/>\n` +
    `  <location href="Packages/${nevra}.rpm"/>\n  <format>\n    <rpm:license>GPLv2</rpm:license>\n` +
    `    <rpm:vendor>Example</rpm:vendor>\n    <rpm:group>Unspecified</rpm:group>\n    <rpm:buildhost>build.example.com</rpm:buildhost>\n` +
    `    <rpm:sourcerpm>${entry.name}-${entry.version}-${entry.release}.src.rpm</rpm:sourcerpm>\n` +
    `    <rpm:header-range start="4504" end="${9000 + (size % 5000)}"/>\n` +
    list('provides', entry.provides) +
    list('requires', entry.requires) +
    list('conflicts', entry.conflicts) +
    (entry.files ?? []).map((file) => `    <file>${file}</file>\n`).join('') +
    '  </format>\n</package>\n'
  );
}

/** kernel, kernel-core and kernel-modules: the last two with thousands of symbols. */
export function kernelEntries(kernel: BenchKernel, random: Random): string[] {
  const { version, release, uname } = kernel;
  const symbol = (n: number): string =>
    dependency(
      `kernel(${random.pick(WORDS)}_${random.pick(WORDS)}_${n})`,
      'EQ',
      `0x${random.below(2 ** 32).toString(16)}`,
    );
  const module = (n: number): string => dependency(`kmod(${random.pick(WORDS)}-${random.pick(WORDS)}${n}.ko)`);
  const many = (count: number, make: (n: number) => string): string[] =>
    Array.from({ length: count }, (_, n) => make(n));
  const one = (name: string, provides: readonly string[], requires: readonly string[]): string =>
    entryText({ name, arch: 'x86_64', version, release, summary: 'The Linux kernel', provides, requires });
  const self = (name: string): string => dependency(name, 'EQ', version, release);
  const unameR = (name: string): string => dependency(name, 'EQ', uname);
  return [
    one('kernel', [self('kernel')], [unameR('kernel-core-uname-r'), unameR('kernel-modules-uname-r')]),
    one(
      'kernel-core',
      [
        self('kernel-core'),
        unameR('kernel-core-uname-r'),
        unameR('kernel-uname-r'),
        ...many(150, module),
        ...many(750, symbol),
      ],
      [dependency('/bin/sh'), dependency('dracut', 'GE', '027')],
    ),
    one(
      'kernel-modules',
      [self('kernel-modules'), unameR('kernel-modules-uname-r'), ...many(1500, module)],
      [unameR('kernel-uname-r')],
    ),
  ];
}

/** A live patch of the vendor's form. */
export function patchEntry({ kernel, version, release }: BenchPatch): string {
  const name = `kpatch-patch-${kernel.short}`;
  return entryText({
    name,
    arch: 'x86_64',
    version,
    release,
    summary: `Live kernel patching module for kernel-${kernel.uname}`,
    provides: [dependency(name, 'EQ', version, release), dependency('kpatch-patch', 'EQ', kernel.uname)],
    requires: [
      dependency('/bin/sh'),
      dependency('kernel-uname-r', 'EQ', kernel.uname),
      dependency('kpatch', 'GE', '0.6.1', '1'),
    ],
    conflicts: [dependency(name, 'LT', version, release)],
  });
}

/** Any other package, the n-th; four builds of each name stand one behind the other. */
export function ordinaryEntry(n: number, random: Random): string {
  const group = n >> 2;
  const name = `${WORDS[group % WORDS.length]}-${WORDS[(group * 7) % WORDS.length]}${group}`;
  const version = `${group % 12}.${group % 40}.${(n & 3) + 1}`;
  const release = `${1 + (n % 9)}.el9_${n % 6}`;
  // Most entries have about 4 kB, a few twenty times that.
  const wanted = Math.max(
    1200,
    Math.round(2900 * Math.exp(0.7 * (random.unit() + random.unit() + random.unit() - 1.5) * 2)),
  );
  const requires = [dependency('/bin/sh'), dependency('rtld(GNU_HASH)'), dependency('libc.so.6(GLIBC_2.34)(64bit)')];
  const provides = [dependency(name, 'EQ', version, release), dependency(`${name}(x86-64)`, 'EQ', version, release)];
  const files: string[] = [];
  for (let size = 0; size < wanted; ) {
    const kind = random.below(10);
    const word = random.pick(WORDS);
    if (kind < 6) requires.push(dependency(`lib${word}${random.below(400)}.so.${kind}()(64bit)`));
    else if (kind < 8) provides.push(dependency(`${word}(${name}/${random.pick(WORDS)})`, 'EQ', version));
    else files.push(`/usr/bin/${word}-${random.pick(WORDS)}-${random.below(5000)}`);
    size += 62;
  }
  const summary = `${name}: libraries &amp; tools`;
  return entryText({
    name,
    arch: n % 5 === 0 ? 'noarch' : 'x86_64',
    version,
    release,
    summary,
    provides,
    requires,
    files,
  });
}

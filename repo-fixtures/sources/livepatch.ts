// Live-patch packages in the vendor's shape: names, dependencies, layout and scriptlet order as documented for RHEL.
import type { ModuleSource } from '../builder/module.ts';
import type { ChangelogEntry, FileSource, PackageSource, Payload } from '../builder/source.ts';
import { type Kernel, uname } from './kernels.ts';

/** One fix: what a changelog line of a live patch says. */
export interface Fix {
  readonly level: string;
  readonly date: string;
  readonly text: string;
  readonly bug: string;
  readonly cve: string;
}

/** Made-up fixes; the CVE numbers are above every number that is assigned. */
export function fixes(count: number, year = 2024, first = 90001): Fix[] {
  return Array.from({ length: count }, (_, index) => ({
    level: `1-${index + 1}`,
    date: new Date(Date.UTC(year, 0, 10) + index * 7 * 86_400_000).toISOString().slice(0, 10),
    text: `example: fix number ${index + 1}`,
    bug: index % 3 === 2 ? `RHEL-${first + index}` : `${2_900_000 + index}`,
    cve: `CVE-${year}-${first + index}`,
  }));
}

/** `5_14_0-427_13_1`: version-release without the dist part, dots as underscores. */
export function shortName(k: Kernel): string {
  const release = k.release.replace(/\.el\d+(_\d+)?.*$/, '');
  return `${k.version}-${release}`.replaceAll('.', '_');
}

const distOf = (k: Kernel) => /\.el\d+(?:_\d+)?/.exec(k.release)?.[0] ?? '';

export interface LevelOptions {
  readonly why: string;
  readonly payload: Payload;
  readonly fixes?: readonly Fix[];
  readonly requires?: readonly string[];
  readonly obsoletes?: readonly string[];
  readonly epoch?: number;
  /** `.el9_4`; the kernel's unless said. */
  readonly dist?: string;
  /** The form before 2020: `Requires: kernel = V-R`, summary without architecture. */
  readonly oldRequires?: boolean;
  readonly module?: Partial<ModuleSource>;
}

const evr = (level: string, dist: string) => `${level}${dist}`;

/** Path of the module inside the package. */
export function modulePath(k: Kernel, level: string): string {
  return `/usr/lib/kpatch/${uname(k)}/kpatch-${shortName(k)}-${level.replaceAll('.', '_')}.ko`;
}

export function moduleSource(k: Kernel, level: string, more: Partial<ModuleSource> = {}): ModuleSource {
  const file = `kpatch-${shortName(k)}-${level}`;
  return {
    name: file.replaceAll(/[-.]/g, '_'),
    release: uname(k),
    description: `Fixture of a live patch for ${uname(k)}`,
    functions: ['vmlinux:example_ioctl', 'nf_tables:nft_example_walk'],
    ...(k.arch === 'ppc64le' ? { machine: 21 } : {}),
    ...more,
  };
}

function basics(k: Kernel, level: string, options: LevelOptions): PackageSource {
  const dist = options.dist ?? distOf(k);
  const [version = '', release = ''] = level.split('-');
  const name = `kpatch-patch-${shortName(k)}`;
  const self = options.epoch === undefined ? '' : `${options.epoch}:`;
  return {
    why: options.why,
    name,
    ...(options.epoch === undefined ? {} : { epoch: options.epoch }),
    version,
    release: `${release}${dist}`,
    arch: k.arch,
    summary: `Live kernel patching module for kernel-${options.oldRequires ? `${k.version}-${k.release}` : uname(k)}`,
    provides: [`kpatch-patch = ${uname(k)}`, `kpatch-patch = ${k.version}-${k.release}`],
    requires: [
      options.oldRequires ? `kernel = ${k.version}-${k.release}` : `kernel-uname-r = ${uname(k)}`,
      'kpatch >= 0.6.1-1',
      ...(options.requires ?? []),
    ],
    conflicts: [`${name} < ${self}${version}-${release}${dist}`],
    ...(options.obsoletes ? { obsoletes: options.obsoletes } : {}),
    payload: options.payload,
    signing: { key: 'release' },
  };
}

function changelog(all: readonly Fix[], dist: string): ChangelogEntry[] {
  const entries = new Map<string, { date: string; lines: string[] }>();
  for (const fix of all) {
    const entry = entries.get(fix.level) ?? { date: fix.date, lines: [] };
    entry.lines.push(`kernel: ${fix.text} [${fix.bug}] {${fix.cve}}`);
    entries.set(fix.level, entry);
  }
  return [...entries].reverse().map(([level, entry]) => ({ evr: evr(level, dist), ...entry }));
}

/** An empty package (a subscription): no files, no scriptlets. Its changelog names an EVR that is not its own, as real ones do. */
export function emptyPatch(k: Kernel, level: string, options: LevelOptions): PackageSource {
  return {
    ...basics(k, level, options),
    summary: `Initial empty kpatch-patch for kernel-${uname(k)}`,
    description: 'It holds no files: it only subscribes this kernel to the live patches to come.',
    changelog: [
      {
        date: '2024-01-08',
        evr: `0-0${distOf(k).replace(/_\d+$/, '')}`,
        lines: [`An empty patch to subscribe to kpatch stream for kernel-${uname(k)} [RHEL-90000]`],
      },
    ],
  };
}

/** A level with a module. */
export function livePatch(k: Kernel, level: string, options: LevelOptions): PackageSource {
  const base = basics(k, level, { ...options, requires: ['systemd', ...(options.requires ?? [])] });
  const ko = modulePath(k, level);
  const directory = `/usr/lib/kpatch/${uname(k)}`;
  const files: FileSource[] = [
    { path: '/usr/lib/kpatch', kind: 'directory' },
    { path: directory, kind: 'directory' },
    { path: ko, mode: 0o755, content: moduleSource(k, level, options.module) },
  ];
  return {
    ...base,
    description: `A cumulative live patch for ${uname(k)} (test fixture).`,
    files,
    scripts: { post: postText(k, ko), postun: postunText(k, ko) },
    changelog: changelog(options.fixes ?? fixes(1), options.dist ?? distOf(k)),
  };
}

// What the vendor's scriptlets do, in our words. kpatch-pm never runs them; dnf and rpm on a test machine would.
function postText(k: Kernel, ko: string): string {
  const copy = ko.replace('/usr/lib/kpatch', '/var/lib/kpatch');
  return `kpatch install -k ${uname(k)} ${ko}
chcon -t modules_object_t ${copy} 2>/dev/null
sync
test "$(uname -r)" = "${uname(k)}" && kpatch load ${ko}
exit 0`;
}

function postunText(k: Kernel, ko: string): string {
  return `kpatch uninstall -k ${uname(k)} ${ko.slice(ko.lastIndexOf('/') + 1)}
sync
exit 0`;
}

/** The debug subpackages beside a level: names that a search by prefix finds and must drop. */
export function debugPackages(patch: PackageSource): PackageSource[] {
  return ['debuginfo', 'debugsource'].map((suffix) => ({
    why: `never to be taken for a live patch: ${suffix}`,
    name: `${patch.name}-${suffix}`,
    version: patch.version,
    release: patch.release,
    arch: patch.arch,
    summary: `Debug ${suffix === 'debuginfo' ? 'information' : 'sources'} for package ${patch.name}`,
    files: [
      { path: `/usr/${suffix === 'debuginfo' ? 'lib' : 'src'}/debug/${patch.name}.${suffix}`, content: 'fixture\n' },
    ],
    payload: patch.payload,
    signing: patch.signing,
  }));
}

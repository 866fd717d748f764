// The language in which fixture packages are declared.
import type { Signing } from './keyring.ts';
import type { ModuleSource } from './module.ts';

export type Payload = 'gzip' | 'xz' | 'zstd' | 'bzip2' | 'lzma' | 'none';

export interface FileSource {
  readonly path: string;
  readonly kind?: 'file' | 'directory' | 'symlink' | 'ghost' | 'hardlink' | 'fifo';
  readonly mode?: number;
  /** Text, a module, or that many zero bytes; for a symlink or hardlink its target. */
  readonly content?: string | ModuleSource | { readonly zeros: number };
}

export interface ChangelogEntry {
  /** ISO date. */
  readonly date: string;
  readonly evr: string;
  readonly lines: readonly string[];
}

export interface PackageSource {
  /** What this package is there to show. */
  readonly why: string;
  readonly name: string;
  readonly epoch?: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly summary: string;
  readonly description?: string;
  readonly provides?: readonly string[];
  readonly requires?: readonly string[];
  readonly conflicts?: readonly string[];
  readonly obsoletes?: readonly string[];
  readonly files?: readonly FileSource[];
  /** Adds the links by which debuggers find a module from its build id, as rpmbuild does for programs. */
  readonly buildIdLinks?: boolean;
  /** Scriptlet name (`post`, `postun`, `pre` ...) to shell text. */
  readonly scripts?: Readonly<Record<string, string>>;
  readonly changelog?: readonly ChangelogEntry[];
  readonly payload: Payload;
  readonly signing: Signing | null;
  /** Seconds since 1970 the package says it was built; the fixtures' common time unless said. */
  readonly built?: number;
}

/** File name in a repository: `name-version-release.arch.rpm` (no epoch, as rpm writes it). */
export function fileName(source: PackageSource): string {
  return `${source.name}-${source.version}-${source.release}.${source.arch}.rpm`;
}

export interface UpdateSource {
  readonly id: string;
  readonly type: 'security' | 'bugfix' | 'enhancement' | 'newpackage';
  readonly severity?: string;
  readonly title: string;
  readonly issued: string;
  readonly cves: readonly string[];
  readonly packages: readonly PackageSource[];
}

export interface RepositorySource {
  /** Folder below built/. */
  readonly id: string;
  readonly why: string;
  readonly packages: readonly PackageSource[];
  readonly updates?: readonly UpdateSource[];
  /** Compression of the metadata files. */
  readonly metadata: 'gz' | 'xz' | 'bz2' | 'zst';
  /** Signs repomd.xml. */
  readonly signedBy?: Signing['key'];
}

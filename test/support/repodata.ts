// Writes repository metadata for tests, without any program: primary.xml from a few facts, repomd.xml with its checksums.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { formatNevra, type Nevra } from '../../src/domain/nevra.ts';

export interface MadePackage extends Partial<Nevra> {
  readonly name: string;
  /** More XML inside <format>. */
  readonly format?: string;
  /** In place of the location element. */
  readonly location?: string;
  readonly bytes?: Buffer;
  readonly checksumType?: string;
  /** Bytes when installed, by the metadata. */
  readonly installed?: number;
}

export interface MadeRepo {
  readonly repomd: Buffer;
  readonly primary: Buffer;
  readonly packed: Buffer;
  /** Path below the repository -> content. */
  readonly files: ReadonlyMap<string, Buffer>;
}

export interface RepoShape {
  readonly revision?: string;
  /** In place of the usual primary.xml. */
  readonly primary?: Buffer | string;
  readonly compress?: (open: Buffer) => Buffer;
  readonly extension?: string;
  /** Changes the text of repomd.xml at the end. */
  readonly repomd?: (text: string) => string;
  readonly packagesAttribute?: string;
}

export const digestOf = (bytes: Buffer, type = 'sha256'): string => createHash(type).update(bytes).digest('hex');

/** One live patch of one kernel, in the vendor's naming. */
export function livePatch(kernel: string, level: string, more: Partial<MadePackage> = {}): MadePackage {
  const [version = '', release = ''] = level.split('-');
  const short = kernel.replace(/\.el\d.*$/, '').replace(/\./g, '_');
  return {
    name: `kpatch-patch-${short}`,
    version,
    release: `${release}.el9`,
    format: `<rpm:provides><rpm:entry name="kpatch-patch" flags="EQ" epoch="0" ver="${kernel.split('-')[0]}" rel="${kernel.split('-')[1]}"/></rpm:provides>
    <rpm:requires><rpm:entry name="kernel-uname-r" flags="EQ" epoch="0" ver="${kernel.split('-')[0]}" rel="${kernel.split('-')[1]}"/></rpm:requires>`,
    ...more,
  };
}

/** A kernel-core that boots as `kernel`. */
export function kernelCore(kernel: string, more: Partial<MadePackage> = {}): MadePackage {
  const [version = '', rest = ''] = kernel.split('-');
  const provide = `<rpm:provides><rpm:entry name="kernel(printk)" flags="EQ" epoch="0" ver="0x1"/><rpm:entry name="kernel-uname-r" flags="EQ" epoch="0" ver="${version}" rel="${rest}"/></rpm:provides>`;
  return { name: 'kernel-core', version, release: rest.replace(/\.[^.]+$/, ''), format: provide, ...more };
}

function entry(pkg: MadePackage): string {
  const nevra = { epoch: 0, version: '1', release: '1', arch: 'x86_64', ...pkg };
  const bytes = pkg.bytes ?? Buffer.from(`not a package: ${formatNevra(nevra)}\n`);
  const type = pkg.checksumType ?? 'sha256';
  return `<package type="rpm">
  <name>${nevra.name}</name>
  <arch>${nevra.arch}</arch>
  <version epoch="${nevra.epoch}" ver="${nevra.version}" rel="${nevra.release}"/>
  <checksum type="${type}" pkgid="YES">${digestOf(bytes, type)}</checksum>
  <summary>Summary of ${nevra.name}</summary>
  <description>Nothing &amp; more</description>
  <packager/>
  <url/>
  <time file="1700000001" build="1700000000"/>
  <size package="${bytes.length}" installed="${pkg.installed ?? 100}" archive="200"/>
  ${pkg.location ?? `<location href="Packages/${fileOf(nevra)}"/>`}
  <format>
    <rpm:license>GPL</rpm:license>
    ${pkg.format ?? ''}
  </format>
</package>
`;
}

const fileOf = (nevra: Nevra): string => `${nevra.name}-${nevra.version}-${nevra.release}.${nevra.arch}.rpm`;

/** The text of a primary.xml. */
export function primaryXml(packages: readonly MadePackage[], attribute = `packages="${packages.length}"`): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" ${attribute}>
${packages.map(entry).join('')}</metadata>
`;
}

/** A whole repository. */
export function makeRepo(packages: readonly MadePackage[], shape: RepoShape = {}): MadeRepo {
  const primary = Buffer.from((shape.primary ?? primaryXml(packages, shape.packagesAttribute)) as Buffer);
  const packed = (shape.compress ?? ((open) => gzipSync(open)))(primary);
  const href = `repodata/${digestOf(packed)}-primary.xml${shape.extension ?? '.gz'}`;
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>${shape.revision ?? '1700000000'}</revision>
  <data type="primary">
    <checksum type="sha256">${digestOf(packed)}</checksum>
    <open-checksum type="sha256">${digestOf(primary)}</open-checksum>
    <location href="${href}"/>
    <timestamp>1700000000</timestamp>
    <size>${packed.length}</size>
    <open-size>${primary.length}</open-size>
  </data>
</repomd>
`;
  const repomd = Buffer.from(shape.repomd?.(text) ?? text);
  const files = new Map<string, Buffer>([
    ['repodata/repomd.xml', repomd],
    [href, packed],
  ]);
  for (const pkg of packages) {
    const nevra = { epoch: 0, version: '1', release: '1', arch: 'x86_64', ...pkg };
    files.set(`Packages/${fileOf(nevra)}`, pkg.bytes ?? Buffer.from(`not a package: ${formatNevra(nevra)}\n`));
  }
  return { repomd, primary, packed, files };
}

/** Puts a repository below a path of a server. */
export function serveRepo(cdn: { put(path: string, content: Buffer): void }, at: string, repo: MadeRepo): void {
  for (const [name, content] of repo.files) cdn.put(`${at}/${name}`, content);
}

// One declared package -> one .rpm, by rpmbuild and rpmsign.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Keyring } from './keyring.ts';
import { buildModule } from './module.ts';
import { type FileSource, fileName, type PackageSource, type Payload } from './source.ts';
import { specText } from './spec.ts';
import { BUILD_HOST, BUILD_TIME } from './time.ts';
import { tool } from './tools.ts';

/** rpm's names of payload formats (rpm macros, _binary_payload). One thread each: more would change the bytes. */
const PAYLOAD_FLAGS: Readonly<Record<Payload, string>> = {
  gzip: 'w9.gzdio',
  xz: 'w6.xzdio',
  zstd: 'w19.zstdio',
  bzip2: 'w9.bzdio',
  lzma: 'w6.lzdio',
  none: 'w.ufdio',
};

export interface Workshop {
  readonly keyring: Keyring;
  readonly keysDirectory: string;
}

function writeContent(target: string, content: FileSource['content'] = '', workshop: Workshop): void {
  if (typeof content === 'string') writeFileSync(target, content);
  else if ('zeros' in content) {
    writeFileSync(target, '');
    truncateSync(target, content.zeros);
  } else writeFileSync(target, buildModule(content, workshop.keysDirectory));
}

/** The build id of a module made here: the note is its first section, behind the ELF header and the note's own 16 bytes. */
function buildId(module: Buffer): string {
  if (module.toString('latin1', 76, 79) !== 'GNU') throw new Error('the build-id note is not where it was');
  return module.toString('hex', 80, 100);
}

/** usr/lib/.build-id/XX/REST -> the module, with the directories on the way. */
function buildIdLinks(files: readonly FileSource[], workshop: Workshop): FileSource[] {
  const top = '/usr/lib/.build-id';
  return files.flatMap(({ path: file, content }) => {
    if (typeof content !== 'object' || 'zeros' in content) return [];
    const id = buildId(buildModule(content, workshop.keysDirectory));
    const directory = `${top}/${id.slice(0, 2)}`;
    return [
      { path: top, kind: 'directory' },
      { path: directory, kind: 'directory' },
      { path: `${directory}/${id.slice(2)}`, kind: 'symlink', content: `../../../..${file}` },
    ] satisfies FileSource[];
  });
}

/** Builds and signs a package into `directory`; gives the path of the file. */
export function buildPackage(declared: PackageSource, directory: string, workshop: Workshop): string {
  const links = declared.buildIdLinks ? buildIdLinks(declared.files ?? [], workshop) : [];
  const source = { ...declared, files: [...(declared.files ?? []), ...links] };
  const work = mkdtempSync(path.join(os.tmpdir(), 'kpm-rpmbuild-'));
  try {
    const sources = path.join(work, 'sources');
    mkdirSync(sources);
    for (const [index, file] of (source.files ?? []).entries()) {
      if ((file.kind ?? 'file') !== 'file' && file.kind !== 'ghost') continue;
      writeContent(path.join(sources, `f${index}`), file.content, workshop);
    }
    const spec = path.join(work, 'package.spec');
    writeFileSync(spec, specText(source));
    const macros: Readonly<Record<string, string>> = {
      _topdir: work,
      _sourcedir: sources,
      _rpmdir: path.join(work, 'out'),
      _tmppath: work,
      _buildhost: BUILD_HOST,
      use_source_date_epoch_as_buildtime: '1',
      clamp_mtime_to_source_date_epoch: '1',
      _binary_payload: PAYLOAD_FLAGS[source.payload],
      _build_name_fmt: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
      optflags: '-O2',
      // One hostile package is a noarch one with an ELF object in it.
      _binaries_in_noarch_packages_terminate_build: '0',
      ...(source.arch === 'ppc64le' ? { __isa: 'ppc-64', _isa: '(ppc-64)' } : {}),
    };
    const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
    const target = source.arch === 'noarch' ? [] : ['--target', `${source.arch}-redhat-linux`];
    tool('rpmbuild', ['-bb', '--quiet', '--nodeps', ...target, ...defines, spec], {
      env: { HOME: work, SOURCE_DATE_EPOCH: String(source.built ?? BUILD_TIME) },
    });
    const built = readdirSync(path.join(work, 'out'));
    if (built.length !== 1 || built[0] !== fileName(source)) throw new Error(`rpmbuild made ${built.join(', ')}`);
    const made = path.join(work, 'out', fileName(source));
    if (source.signing) workshop.keyring.signPackage(made, source.signing);
    const target_ = path.join(directory, fileName(source));
    mkdirSync(directory, { recursive: true });
    copyFileSync(made, target_);
    return target_;
  } catch (cause) {
    throw new Error(`${fileName(source)}: ${(cause as Error).message}`, { cause });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

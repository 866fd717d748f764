// From a verified package to module files. Only this file makes a StagedModule: exactly the live-patch modules of the
// kernel the package claims. Whatever else a package brings is refused by name; scriptlets never run. The same rules
// judge a package that is only looked at, but what comes of that cannot be installed.
// Source: the vendor's spec files (modules in /usr/lib/kpatch/KERNEL/); rpm's %_build_id_links for the links beside.
import type { KernelRelease } from '../domain/kernel.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { Dependency } from '../domain/package.ts';
import { type ErrorCode, KpmError } from '../errors.ts';
import type { Pipe } from '../formats/codec/decompress.ts';
import { MAX_MODULE, type ModuleFacts, moduleFacts } from '../formats/elf/module.ts';
import { packageFacts } from '../formats/rpm/facts.ts';
import { isDirectory, isLink, isRegular } from '../formats/rpm/files.ts';
import type { RpmPackage } from '../formats/rpm/package.ts';
import { type PayloadEntry, readPayload } from '../formats/rpm/payload.ts';
import { isModuleFile } from '../state/receipts.ts';
import { confirm, type SignedPackage, type VerifiedPackage } from './verify.ts';

declare const brand: unique symbol;

/** A module as a package brings it: a live patch for the kernel the package claims. */
export interface PackagedModule {
  /** File name. */
  readonly file: string;
  /** Name as sysfs will show it. */
  readonly module: string;
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly size: number;
  /** Permission bits and modification time (seconds) of the package's header. */
  readonly mode: number;
  readonly mtime: number;
  readonly vermagic: string;
  /** The build-id link the package has for it; it belongs to the payload like the module itself. */
  readonly link: BuildIdLink | null;
}

/** A module that may be installed: its bytes were signed. */
export interface StagedModule extends PackagedModule {
  readonly [brand]: 'StagedModule';
}

/** A module of a package that was only looked at. */
export interface FoundModule extends PackagedModule {
  readonly facts: ModuleFacts;
}

export interface BuildIdLink {
  /** Below the root: usr/lib/.build-id/XX/REST. */
  readonly path: string;
  readonly target: string;
}

/** What extractModules finds wrong with a package's own content. */
export const CONTENT_FAULTS: readonly ErrorCode[] = [
  'module-wrong-kernel',
  'module-not-livepatch',
  'module-wrong-arch',
  'module-misplaced',
  'module-missing',
  'module-name',
  'not-a-module',
  'package-file-refused',
];

const HOME = '/usr/lib/kpatch/';
const BUILD_ID = /^\/usr\/lib\/\.build-id\/([0-9a-f]{2})\/([0-9a-f]+)$/;

function refuse(pkg: RpmPackage, code: ErrorCode, why: string): KpmError {
  const nevra = formatNevra(pkg.nevra);
  return new KpmError(code, {
    text: `${nevra} cannot be used: ${why}.`,
    subject: nevra,
    hint: `Look at the package: kpatch-pm inspect ${nevra}.rpm`,
  });
}

const exact = (list: readonly Dependency[], name: string): string[] =>
  list.filter((one) => one.name === name && one.flags === 'EQ').map((one) => (one.evr ?? '').replace(/^0:/, ''));

/** The signed header's own word on its kernel: repository metadata is not signed the same way. */
function checkClaim(pkg: RpmPackage, kernel: KernelRelease): void {
  const { requires, provides } = packageFacts(pkg);
  const bare = kernel.endsWith(`.${pkg.nevra.arch}`) ? kernel.slice(0, -pkg.nevra.arch.length - 1) : kernel;
  const full = exact(requires, 'kernel-uname-r');
  const short = exact(requires, 'kernel');
  if (pkg.source) throw refuse(pkg, 'package-file-refused', 'it is a source package');
  if (full.length + short.length === 0)
    throw refuse(pkg, 'module-wrong-kernel', 'its header does not say which kernel it needs');
  const other =
    full.find((name) => name !== kernel) ??
    short.find((name) => name !== bare) ??
    exact(provides, 'kpatch-patch').find((name) => name !== kernel && name !== bare);
  if (other !== undefined)
    throw refuse(pkg, 'module-wrong-kernel', `its header names the kernel ${other}, not ${kernel}`);
}

/** The file name of a module entry; refuses everything that is not a module of this kernel in its own place. */
function fileName(pkg: RpmPackage, entry: PayloadEntry, kernel: KernelRelease): string {
  const { path, mode } = entry;
  const no = (code: ErrorCode, why: string) => refuse(pkg, code, `${path} ${why}`);
  if (isLink(mode)) throw no('package-file-refused', `is a link to ${entry.linkTo}`);
  if (!isRegular(mode)) throw no('package-file-refused', 'is neither a file nor a directory');
  if ((mode & 0o7000) !== 0) throw no('package-file-refused', 'is setuid, setgid or sticky');
  if ((mode & 0o022) !== 0) throw no('package-file-refused', 'may be written by others than its owner');
  const code = path.endsWith('.ko') ? 'module-misplaced' : 'package-file-refused';
  if (!path.startsWith(HOME)) throw no(code, `lies outside ${HOME}${kernel}/`);
  const [release, file, ...deeper] = path.slice(HOME.length).split('/');
  if (release !== kernel) throw no('module-misplaced', `is in the directory of another kernel than ${kernel}`);
  if (file === undefined || deeper.length > 0)
    throw no('module-misplaced', `does not lie directly in ${HOME}${kernel}/`);
  if (/\.ko\.(xz|gz|zst|bz2|lzma)$/.test(file))
    throw no('module-name', 'is a compressed module, which no loader of live patches takes');
  if (!isModuleFile(file)) throw no('package-file-refused', 'is not named as a module (*.ko)');
  return file;
}

function facts(pkg: RpmPackage, path: string, bytes: Buffer): ModuleFacts {
  try {
    return moduleFacts(bytes);
  } catch (error) {
    if (error instanceof KpmError) throw refuse(pkg, 'not-a-module', `${path}: ${error.reason.replace(/\.$/, '')}`);
    throw error;
  }
}

/** Why a module of this file name is none for this kernel and architecture, as the rest of a sentence; null when it is one. */
export function moduleProblem(
  found: ModuleFacts,
  file: string,
  kernel: KernelRelease,
  arch: string,
): { readonly code: ErrorCode; readonly why: string } | null {
  if (found.release !== kernel)
    return { code: 'module-wrong-kernel', why: `was built for ${found.release}, not for ${kernel}` };
  if (!found.livepatch) return { code: 'module-not-livepatch', why: 'is no live patch (livepatch=Y is missing)' };
  if (found.machine !== arch)
    return { code: 'module-wrong-arch', why: `is code for ${found.machine}, not for ${arch}` };
  // Source: the kernel's build system names a module after its file, with every "-" made "_"; kpatch-build "." too.
  const expected = file.slice(0, -'.ko'.length).replace(/[-.]/g, '_');
  if (found.name === expected) return null;
  return { code: 'module-name', why: `calls itself ${found.name}, not ${expected}` };
}

function toModule(pkg: RpmPackage, entry: PayloadEntry, kernel: KernelRelease): FoundModule {
  const file = fileName(pkg, entry, kernel);
  const { path, content, sha256 } = entry;
  if (content === null || sha256 === null || content.length === 0)
    throw refuse(pkg, 'not-a-module', `${path} is empty`);
  const found = facts(pkg, path, content);
  const problem = moduleProblem(found, file, kernel, pkg.nevra.arch);
  if (problem) throw refuse(pkg, problem.code, `${path} ${problem.why}`);
  return {
    file,
    module: found.name,
    bytes: content,
    sha256,
    size: content.length,
    mode: entry.mode & 0o777,
    mtime: entry.mtime,
    vermagic: found.vermagic,
    link: null,
    facts: found,
  };
}

/** A link by which debuggers find a file from its build id; harmless, and ours to make when the package is registered. */
function isBuildIdLink(entry: PayloadEntry): boolean {
  return isLink(entry.mode) && BUILD_ID.test(entry.path);
}

function withLink(module: FoundModule, links: readonly PayloadEntry[]): FoundModule {
  const own = links.find((link) => (BUILD_ID.exec(link.path) ?? []).slice(1).join('') === module.facts.buildId);
  return own ? { ...module, link: { path: own.path.slice(1), target: own.linkTo ?? '' } } : module;
}

/** The payload of a package that should be a live patch; `meanwhile` as in readPayload. Raises what that raises. */
export function readLivePatch(
  pkg: RpmPackage,
  pipe: Pipe,
  meanwhile?: (bytes: number) => void,
): Promise<PayloadEntry[]> {
  return readPayload(pkg, { maxBytes: MAX_MODULE }, pipe, meanwhile);
}

/** The modules among the entries of a package's payload, by the rules of extractModules; raises what that raises. */
export function packagedModules(
  pkg: RpmPackage,
  entries: readonly PayloadEntry[],
  kernel: KernelRelease,
): FoundModule[] {
  checkClaim(pkg, kernel);
  return modulesOf(pkg, entries, kernel);
}

function modulesOf(pkg: RpmPackage, entries: readonly PayloadEntry[], kernel: KernelRelease): FoundModule[] {
  const links = entries.filter(isBuildIdLink);
  const modules = entries
    .filter((entry) => !isDirectory(entry.mode) && !isBuildIdLink(entry))
    .map((entry) => toModule(pkg, entry, kernel));
  if (modules.length === 0 && entries.some(({ path }) => path.startsWith(HOME))) {
    throw refuse(pkg, 'module-missing', `${HOME} is there, but no module`);
  }
  const names = new Set(modules.map(({ module }) => module));
  if (names.size !== modules.length) throw refuse(pkg, 'module-name', 'two of its modules have one name');
  const strayLink = links.find((link) => !modules.some(({ file }) => link.linkTo?.endsWith(`/${kernel}/${file}`)));
  if (strayLink) throw refuse(pkg, 'package-file-refused', `${strayLink.path} is a link to ${strayLink.linkTo}`);
  return modules.map((module) => withLink(module, links));
}

/** What may be installed. */
export interface Extracted {
  readonly verified: VerifiedPackage;
  /** None for an empty package (a subscription). */
  readonly modules: StagedModule[];
}

/**
 * The modules of a signed package for the kernel it claims; what is left to verify of the package is done while it is unpacked.
 * Raises `module-wrong-kernel`, `module-not-livepatch`, `module-wrong-arch`, `module-misplaced`, `module-missing`,
 * `module-name`, `not-a-module`, `package-file-refused`, what readPayload raises (`payload-...`, `too-large` ...), and `digest-bad`.
 */
export async function extractModules(signed: SignedPackage, kernel: KernelRelease, pipe: Pipe): Promise<Extracted> {
  const { pkg, rest } = signed;
  checkClaim(pkg, kernel);
  const entries = await readLivePatch(pkg, pipe, (bytes) => rest.step(bytes));
  const verified = confirm(signed);
  return { verified, modules: modulesOf(pkg, entries, kernel).map(staged) };
}

/** The mark of a module whose package was verified. */
function staged({ facts: _facts, ...module }: FoundModule): StagedModule {
  return module as unknown as StagedModule;
}

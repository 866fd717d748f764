// The live patches on disk: what receipts say, what the rpm database says, what lies in /var/lib/kpatch, made one list.
// A module file appears once. Kernels that are gone are not left out: what remains of them must be seen to be removed.
import { createHash } from 'node:crypto';
import { type KernelRelease, kernelRelease } from '../../domain/kernel.ts';
import { type InstalledPatch, supportOf } from '../../domain/livepatch.ts';
import { type Nevra, sameNevra } from '../../domain/nevra.ts';
import type { Receipt, ReceiptFile } from '../../domain/receipt.ts';
import { KpmError } from '../../errors.ts';
import { MAX_MODULE, moduleFacts } from '../../formats/elf/module.ts';
import type { Root } from '../../host/root.ts';
import { isModuleFile } from '../../state/receipts.ts';
import type { Rpmdb, RpmdbPackage } from './rpmdb.ts';
import { withSupport } from './support.ts';

const ACTIVE = 'var/lib/kpatch';
const PAYLOAD = 'usr/lib/kpatch';

/** A module file below /var/lib/kpatch. */
interface ModuleFile {
  readonly kernel: KernelRelease;
  readonly file: string;
  readonly module: string;
  /** Null where it is larger than any module, and so none that anybody installed. */
  readonly sha256: string | null;
  readonly buildId: string | null;
}

function identity(file: string, bytes: Buffer): { module: string; buildId: string | null } {
  try {
    const { name, buildId } = moduleFacts(bytes);
    return { module: name, buildId };
  } catch (error) {
    // Damaged or no module at all: shown by the name it would have, never loaded by us.
    if (error instanceof KpmError) {
      return { module: file.slice(0, -'.ko'.length).replace(/[-.]/g, '_'), buildId: null };
    }
    throw error;
  }
}

function moduleFiles(root: Root): ModuleFile[] {
  return root.list(ACTIVE).flatMap((directory) => {
    const kernel = kernelRelease(directory);
    if (kernel === null) return [];
    return root.list(`${ACTIVE}/${kernel}`).flatMap((file) => {
      const path = `${ACTIVE}/${kernel}/${file}`;
      const stat = root.stat(path);
      if (!isModuleFile(file) || !stat?.isFile()) return [];
      const bytes = stat.size > MAX_MODULE ? null : root.read(path, MAX_MODULE);
      const sha256 = bytes && createHash('sha256').update(bytes).digest('hex');
      return [{ kernel, file, ...identity(file, bytes ?? Buffer.alloc(0)), sha256 }];
    });
  });
}

/** Whether a package of the database is a live patch; its debug packages are not. */
const isPatch = ({ nevra }: RpmdbPackage): boolean =>
  nevra.name.startsWith('kpatch-patch-') && !/-debug(info|source)$/.test(nevra.name);

/** `5.14.0-362.8.1.el9_3.x86_64` -> `5_14_0-362_8_1`, as in the package's name. */
const shortName = (release: string): string => release.replace(/\.el\d.*$/, '').replaceAll('.', '_');

/** The kernel an installed package is for: its provides, else the directories and kernels its name fits. */
function kernelOf({ nevra, provides }: RpmdbPackage, known: readonly string[]): string | null {
  const claims = provides.flatMap(({ name, evr }) => (name === 'kpatch-patch' && evr ? [evr.replace(/^0:/, '')] : []));
  const full = claims.find((claim) => claim.endsWith(`.${nevra.arch}`));
  if (full !== undefined) return full;
  if (claims[0] !== undefined) return `${claims[0]}.${nevra.arch}`;
  const short = nevra.name.slice('kpatch-patch-'.length);
  return known.find((release) => shortName(release) === short && release.endsWith(`.${nevra.arch}`)) ?? null;
}

/** `kpatch-5_14_0-362_8_1-1-3`: the module file of a package without `.ko`. Source: the vendor's spec files. */
function moduleStem({ name, version, release }: Nevra): string {
  const number = release.replace(/\.el\d.*$/, '').replaceAll('.', '_');
  return `kpatch-${name.slice('kpatch-patch-'.length)}-${version}-${number}`;
}

function ofReceipt(receipt: Receipt, entry: ReceiptFile | null, onDisk: ModuleFile | undefined): InstalledPatch {
  return {
    kernel: receipt.kernel,
    package: receipt.package,
    module: entry?.module ?? null,
    file: onDisk ? `${ACTIVE}/${receipt.kernel}/${onDisk.file}` : null,
    source: 'kpatch-pm',
    support: receipt.support ?? 'unknown',
    changed: entry && onDisk ? onDisk.sha256 !== entry.sha256 : null,
    repo: receipt.repo,
    ...(onDisk ? { buildId: onDisk.buildId } : {}),
  };
}

/** Whether the database once knew the package of a receipt and does not any more: somebody removed or replaced it since. */
function isGone(receipt: Receipt, rpmdb: Rpmdb): boolean {
  return (
    receipt.registered && rpmdb.how !== 'none' && !rpmdb.packages.some(({ nevra }) => sameNevra(nevra, receipt.package))
  );
}

/**
 * Every installed live patch of every kernel, also of kernels that are gone. Files are read and hashed: `changed` is
 * about bytes. `kernels` helps to place packages of a database that was read without rpm.
 */
export function installedPatches(
  root: Root,
  rpmdb: Rpmdb,
  receipts: readonly Receipt[],
  kernels: readonly string[] = [],
): InstalledPatch[] {
  const files = moduleFiles(root);
  const taken = new Set<ModuleFile>();
  const take = (kernel: string, name: string): ModuleFile | undefined => {
    const found = files.find((one) => one.kernel === kernel && one.file === name && !taken.has(one));
    if (found) taken.add(found);
    return found;
  };
  const list: InstalledPatch[] = [];

  for (const receipt of receipts) {
    const gone = isGone(receipt, rpmdb);
    const entries = receipt.files.map((entry) => ({ entry, onDisk: take(receipt.kernel, entry.file) }));
    if (entries.length === 0 && !gone) list.push(ofReceipt(receipt, null, undefined));
    for (const { entry, onDisk } of entries) if (onDisk || !gone) list.push(ofReceipt(receipt, entry, onDisk));
  }

  const known = [...new Set([...kernels, ...root.list(ACTIVE), ...root.list(PAYLOAD)])];
  for (const pkg of rpmdb.packages.filter(isPatch)) {
    if (receipts.some((receipt) => sameNevra(receipt.package, pkg.nevra))) continue;
    const kernel = kernelOf(pkg, known);
    if (kernel !== null) list.push(ofPackage(pkg, kernel, take(kernel, `${moduleStem(pkg.nevra)}.ko`)));
  }

  for (const file of files) {
    if (taken.has(file)) continue;
    list.push({
      kernel: file.kernel,
      package: null,
      module: file.module,
      file: `${ACTIVE}/${file.kernel}/${file.file}`,
      source: 'foreign',
      support: 'own',
      changed: null,
      buildId: file.buildId,
    });
  }
  const labelled = withSupport(list, rpmdb, receipts);
  return labelled.sort((a, b) => order(a.kernel, b.kernel) || order(a.module ?? '', b.module ?? ''));
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function ofPackage(pkg: RpmdbPackage, kernel: string, onDisk: ModuleFile | undefined): InstalledPatch {
  // Not known without rpm: then version 0 is the sign of an empty package, unless its module is there.
  const empty = !onDisk && (pkg.hasFiles === null ? pkg.nevra.version === '0' : !pkg.hasFiles);
  return {
    kernel,
    package: pkg.nevra,
    module: empty ? null : (onDisk?.module ?? moduleStem(pkg.nevra).replace(/[-.]/g, '_')),
    file: onDisk ? `${ACTIVE}/${kernel}/${onDisk.file}` : null,
    source: 'rpm',
    support: supportOf(pkg.provides),
    changed: null,
    ...(onDisk ? { buildId: onDisk.buildId } : {}),
  };
}

// The kernels installed in a root: rpm database and module directories united (contract section 1).
import { type InstalledKernel, type KernelRelease, kernelArch, kernelRelease } from '../../domain/kernel.ts';
import type { Root } from '../../host/root.ts';
import { defaultBoot } from './bootdefault.ts';
import type { Rpmdb, RpmdbPackage } from './rpmdb.ts';

type Found = InstalledKernel['foundIn'][number];

/** Packages that hold a kernel, where their provides are not known; what stands after `+` in the release of its flavours. */
const KERNEL_PACKAGE = /^kernel(-uek|-lt|-ml)?(?:-(rt|64k|rt-64k|debug|rt-debug|64k-debug))?(-core)?$/;

const MODULES = ['lib/modules', 'usr/lib/modules'];

/** The releases a package brings: its `kernel-uname-r` provides, or by its name. */
function releasesOf(pkg: RpmdbPackage, root: Root): string[] {
  const provided = pkg.provides.flatMap(({ name, evr }) => (name === 'kernel-uname-r' && evr ? [evr] : []));
  if (provided.length > 0 || pkg.provides.length > 0) return provided;
  const match = KERNEL_PACKAGE.exec(pkg.nevra.name);
  if (!match) return [];
  const plain = `${pkg.nevra.version}-${pkg.nevra.release}.${pkg.nevra.arch}`;
  const flavoured = `${plain}+${match[2]}`;
  // A flavour's release ends in +FLAVOUR on some streams and not on others; its directory tells.
  return match[2] && MODULES.some((place) => root.exists(`${place}/${flavoured}`)) ? [flavoured] : [plain];
}

/** Whether a directory of modules belongs to a kernel that can be booted, not to what a removed one left behind. */
function holdsKernel(root: Root, place: string, release: string): boolean {
  return (
    root.exists(`${place}/${release}/vmlinuz`) ||
    root.exists(`${place}/${release}/modules.builtin`) ||
    root.exists(`boot/vmlinuz-${release}`)
  );
}

/** `live` and `uname` as in Machine: on the running system its kernel always counts. */
export interface Surroundings {
  readonly live: boolean;
  readonly uname: string | null;
  readonly arch: string;
}

/** Every installed kernel, by release. A name that can be no kernel release is left out. */
export function installedKernels(root: Root, rpmdb: Rpmdb, host: Surroundings): InstalledKernel[] {
  const found = new Map<KernelRelease, { foundIn: Found[]; pkg: RpmdbPackage | null }>();
  const add = (text: string, where: Found, pkg: RpmdbPackage | null): void => {
    const release = kernelRelease(text);
    if (release === null) return;
    const entry = found.get(release) ?? { foundIn: [], pkg: null };
    if (!entry.foundIn.includes(where)) entry.foundIn.push(where);
    found.set(release, { ...entry, pkg: entry.pkg ?? pkg });
  };
  for (const pkg of rpmdb.packages) for (const release of releasesOf(pkg, root)) add(release, 'rpm', pkg);
  for (const place of MODULES) {
    for (const name of root.list(place)) if (holdsKernel(root, place, name)) add(name, 'modules', null);
  }
  const running = host.live ? host.uname : null;
  if (running !== null) add(running, 'running', null);

  const releases = [...found.keys()].sort();
  const next = defaultBoot(root, releases);
  return releases.map((release) => {
    const { foundIn, pkg } = found.get(release) as { foundIn: Found[]; pkg: RpmdbPackage | null };
    return {
      release,
      arch: pkg?.nevra.arch || kernelArch(release) || host.arch,
      running: release === running,
      defaultBoot: next === null ? null : release === next,
      foundIn,
      packageName: pkg?.nevra.name ?? null,
    };
  });
}

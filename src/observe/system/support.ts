// Who stands behind an installed live patch: the vendor of its kernel, when one key signed both; somebody else, when another
// did. It is a label for people, not a judgement of trust: that was made when the package was installed.
import type { InstalledPatch } from '../../domain/livepatch.ts';
import { sameNevra } from '../../domain/nevra.ts';
import type { Receipt } from '../../domain/receipt.ts';
import type { Rpmdb } from './rpmdb.ts';

/** Key ids of the packages that bring a kernel. */
function vendorKeys(kernel: string, { packages }: Rpmdb): Set<string> {
  const bringing = packages.filter(({ provides }) =>
    provides.some(({ name, evr }) => name === 'kernel-uname-r' && evr?.replace(/^0:/, '') === kernel),
  );
  return new Set(bringing.flatMap(({ keyid }) => keyid ?? []));
}

/** The patches with what their signatures say about them; what says of itself that it is somebody's own stays so. */
export function withSupport(
  patches: readonly InstalledPatch[],
  rpmdb: Rpmdb,
  receipts: readonly Receipt[],
): InstalledPatch[] {
  return patches.map((patch): InstalledPatch => {
    const nevra = patch.package;
    if (patch.support !== 'unknown' || nevra === null) return patch;
    const vendor = vendorKeys(patch.kernel, rpmdb);
    if (vendor.size === 0) return patch;
    const recorded = rpmdb.packages.find((one) => sameNevra(one.nevra, nevra))?.keyid;
    // A receipt names the key, rpm the part of it that signed: that they differ proves nothing, that they are one does.
    const signer = receipts.find((one) => one.kernel === patch.kernel && sameNevra(one.package, nevra))?.signer;
    if (vendor.has(recorded ?? '') || vendor.has(signer?.keyid.toUpperCase() ?? ''))
      return { ...patch, support: 'vendor' };
    return recorded ? { ...patch, support: 'third-party' } : patch;
  });
}

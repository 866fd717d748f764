// $releasever: the version of the package that provides the distribution's release, as dnf finds it.
// Source: dnf.conf(5), "releasever"; the provides dnf asks for, in its order.
import type { Rpmdb } from './rpmdb.ts';

const PROVIDES = [
  'system-release(releasever)',
  'system-release',
  'distribution-release(releasever)',
  'distribution-release',
  'redhat-release',
  'suse-release',
];
/** Release packages by name, where the provides are not known. */
const NAMED =
  /^(system|redhat|centos|centos-stream|almalinux|rocky|oraclelinux|fedora|amazon-linux|openEuler|miraclelinux|eurolinux|sl)-release(-common)?$/;

/** Version of the release package; null when none is installed. A versioned `...(releasever)` provide wins over the package's version. */
export function releaseVersion(rpmdb: Rpmdb): string | null {
  for (const name of PROVIDES) {
    for (const pkg of rpmdb.packages) {
      const provide = pkg.provides.find((one) => one.name === name);
      if (!provide) continue;
      if (name.endsWith('(releasever)') && provide.evr) return provide.evr.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
      return pkg.nevra.version;
    }
  }
  return rpmdb.packages.find(({ nevra }) => NAMED.test(nevra.name))?.nevra.version ?? null;
}

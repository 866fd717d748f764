// The installed kpatch utility: distributions support loading through it, and packages require a version of it.
import type { Utility } from '../../domain/world.ts';
import type { Root } from '../../host/root.ts';
import type { Rpmdb } from './rpmdb.ts';

/** Names of the package that brings the utility: RHEL's, and Amazon's. */
const PACKAGES = ['kpatch', 'kpatch-runtime'];
const PLACES = ['usr/sbin/kpatch', 'sbin/kpatch', 'usr/bin/kpatch'];

/** The package kpatch-pm-kpatch puts kpatch-pm itself there, under the utility's name: loading through it would call ourselves. */
const isOurs = (root: Root, place: string): boolean => root.realPath(place)?.endsWith('/kpatch-pm/kpatch') === true;

/** Version as the rpm database has it (`0.9.7-3.el9`), and the path below the root; null where there is none. */
export function installedUtility(root: Root, rpmdb: Rpmdb): Utility {
  const pkg = rpmdb.packages.find(({ nevra }) => PACKAGES.includes(nevra.name));
  const place = PLACES.find((path) => root.stat(path)?.isFile() && !isOurs(root, path));
  return {
    version: pkg ? `${pkg.nevra.version}-${pkg.nevra.release}` : null,
    path: place ? `/${place}` : null,
  };
}

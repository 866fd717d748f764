// Where the rpm database of a root lies.
import type { Root } from './root.ts';

const PLACES = ['usr/lib/sysimage/rpm', 'var/lib/rpm'];
/** sqlite, ndb, Berkeley DB. */
const FILES = ['rpmdb.sqlite', 'Packages.db', 'Packages'];

/**
 * The directory, relative to the root, of the first place that holds a database; null when there is none. rpm must
 * not be asked then: it would create one. Source: contract section 1; rpm's %_dbpath of Fedora, RHEL and SUSE.
 */
export function findRpmdb(root: Root): string | null {
  return PLACES.find((place) => FILES.some((file) => root.exists(`${place}/${file}`))) ?? null;
}

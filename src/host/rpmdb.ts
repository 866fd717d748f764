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

export type RpmdbKind = 'sqlite' | 'ndb' | 'bdb';
const KINDS: readonly RpmdbKind[] = ['sqlite', 'ndb', 'bdb'];

/** The files of the databases in a place, by kind, best first (a converted database may have left the old file behind). */
export function rpmdbFiles(root: Root, place: string): { readonly kind: RpmdbKind; readonly file: string }[] {
  return FILES.map((file, n) => ({ kind: KINDS[n] as RpmdbKind, file: `${place}/${file}` })).filter(({ file }) =>
    root.exists(file),
  );
}

/**
 * Arguments that lead rpm to the database in a place: its directory, and its kind where there is no doubt. Without the
 * kind, an rpm that does not know a format creates an empty database of its own beside it and answers from that.
 */
export function rpmArguments(root: Root, place: string): string[] {
  const [only, second] = rpmdbFiles(root, place);
  const kind = only && !second ? ['--define', `_db_backend ${only.kind}`] : [];
  return ['--dbpath', root.realPath(place) ?? root.show(place), ...kind];
}

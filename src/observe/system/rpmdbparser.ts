// rpm databases without rpm: sqlite, ndb and Berkeley DB through @snyk/rpm-parser (loaded only here). It reads best-effort
// and skips what it cannot read; we take its list only when it skipped nothing.
import type { Nevra } from '../../domain/nevra.ts';
import type { Root } from '../../host/root.ts';
import type { RpmdbKind } from '../../host/rpmdb.ts';

const MAX_DATABASE = 1024 * 1024 * 1024;

export type Parsed =
  | {
      readonly packages: readonly Nevra[];
      /** Rows that were written last lie in a log the parser does not read. */
      readonly incomplete: boolean;
    }
  | { readonly why: string };

const SQLITE = Buffer.from('SQLite format 3\0', 'latin1');

/** Reads a database file. Gives the packages, or why they cannot be had. */
export async function parseRpmdb(root: Root, found: { kind: RpmdbKind; file: string }): Promise<Parsed> {
  const bytes = root.read(found.file, MAX_DATABASE);
  if (bytes === null) return { why: 'it vanished' };
  if (bytes.length === 0) return { packages: [], incomplete: false };
  if (found.kind === 'sqlite' && !bytes.subarray(0, SQLITE.length).equals(SQLITE))
    return { why: 'it is no sqlite file' };
  const wal = found.kind === 'sqlite' ? root.stat(`${found.file}-wal`) : null;
  const parser = await import('./snyk.ts');
  const read = { sqlite: parser.getPackagesSqlite, ndb: parser.getPackagesNdb, bdb: parser.getPackages }[found.kind];
  const { response, error, rpmMetadata } = await read(bytes);
  // A table without a row is no error: the parser takes the first of no results.
  const empty = error instanceof TypeError && /undefined \(reading 'values'\)/.test(error.message);
  if (error && !(empty && found.kind === 'sqlite')) return { why: String(error.message ?? error) };
  const skipped = (rpmMetadata?.packagesSkipped ?? 0) + response.filter((one) => !one?.name).length;
  if (skipped > 0) return { why: `${skipped} of its entries cannot be read` };
  const packages = response.map(({ name, epoch, version, release, arch }) => ({
    name,
    epoch: epoch ?? 0,
    version,
    release,
    arch: arch ?? '',
  }));
  return { packages, incomplete: wal !== null && wal.size > 0 };
}

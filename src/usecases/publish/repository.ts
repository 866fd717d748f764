// The repository that a package is published into: a directory with Packages/ and repodata/. What will be in it is made aside;
// only then the package takes its place, and the metadata that names it takes its own as a whole.
import { KpmError } from '../../errors.ts';
import { decompress } from '../../formats/codec/decompress.ts';
import { sniff } from '../../formats/codec/sniff.ts';
import { armor, type PublicKey } from '../../formats/openpgp/index.ts';
import { MAX_PACKAGE_BYTES, parseRpm, type RpmPackage } from '../../formats/rpm/package.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import type { Root } from '../../host/root.ts';
import { checkHref } from '../../net/url.ts';
import { parseRepomd, updateinfoRecord } from '../../observe/repo/repomd.ts';
import { makeMetadata } from './metadata.ts';
import { inWorkshop, isWorkshop } from './workshop.ts';

/** Directory of the packages below the repository. */
export const PACKAGES = 'Packages';
const MAX_UPDATEINFO = 64 * 1024 * 1024;

/** A package that lies in a repository. */
export interface Lying {
  /** Path below the host's root. */
  readonly file: string;
  readonly pkg: RpmPackage;
}

/** The packages of one name that lie in a repository (path below the host's root). Raises `publish-failed` for one that is none. */
export function publishedPackages({ host }: Machine, repository: string, name: string): Lying[] {
  // Repositories that others began may have their packages at the top.
  const files = [repository, `${repository}/${PACKAGES}`].flatMap((directory) =>
    host
      .list(directory)
      .filter((file) => file.startsWith(`${name}-`) && file.endsWith('.rpm'))
      .map((file) => `${directory}/${file}`),
  );
  return files.flatMap((file) => {
    try {
      const pkg = parseRpm(host.read(file, MAX_PACKAGE_BYTES) as Buffer);
      return pkg.nevra.name === name && !pkg.source ? [{ file, pkg }] : [];
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      throw new KpmError('publish-failed', {
        text: `${host.show(file)} cannot be read: ${error.reason}`,
        subject: file,
        hint: 'Take that file away, or mend it; the level to be published must be higher than those that lie there.',
        cause: error,
      });
    }
  });
}

/** The list of advisories of a repository, uncompressed; null where it has none. Raises `repomd-malformed` and those of reading. */
export async function publishedAdvisories({ host, run }: Machine, repository: string): Promise<string | null> {
  const repomd = host.read(`${repository}/repodata/repomd.xml`);
  if (repomd === null) return null;
  const record = updateinfoRecord(await parseRepomd(repomd, host.show(`${repository}/repodata/repomd.xml`)));
  if (record) checkHref(record.href, host.show(`${repository}/repodata/repomd.xml`));
  const bytes = record && host.read(`${repository}/${record.href}`);
  if (bytes === null) return null;
  const what = 'the updateinfo of the repository';
  const chunks: Buffer[] = [];
  async function* whole(): AsyncGenerator<Buffer> {
    yield bytes as Buffer;
  }
  for await (const chunk of decompress(sniff(bytes), whole(), { maxBytes: MAX_UPDATEINFO, what }, run.filter))
    chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

export interface Addition {
  /** Path of the package below the host's root. */
  readonly file: string;
  readonly bytes: Buffer;
  /** Files that hold the same level: they give way to it. */
  readonly replaced: readonly string[];
  /** The whole list of advisories. */
  readonly updateinfo: string;
  readonly key: PublicKey;
  readonly keyFile: string;
}

/**
 * Adds a package to a repository, with metadata of all that is in it then. As long as that is made, nothing of the repository
 * changes: whoever serves it serves what was there. Raises `publish-failed`, `signing-failed`, and what the file system raises.
 */
export async function addPackage(machine: Machine, repository: string, addition: Addition, ui: Ui): Promise<void> {
  const { host } = machine;
  // Beside it, so that it can be renamed into place.
  await inWorkshop(host, repository, async (aside) => {
    // As long as a package is the same, so is the time by which clients know it.
    const mtime = Math.floor(machine.now().getTime() / 1000);
    await lookAhead(machine, repository, `${aside}/view`, addition, mtime);
    await makeMetadata(machine, { repository, view: `${aside}/view`, aside, ...addition });
    put(machine, repository, aside, addition, mtime);
  });
  for (const other of addition.replaced) {
    if (other === addition.file) continue;
    try {
      host.remove(other);
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      ui.warn(`${error.message} The metadata does not name that file any more; take it away.`);
    }
  }
}

/** The repository as it will be: links to what stays, and the new package. */
async function lookAhead(
  { host }: Machine,
  repository: string,
  view: string,
  { file, bytes, replaced }: Addition,
  mtime: number,
): Promise<void> {
  const stays = (directory: string, names: readonly string[]): string[] =>
    names.filter((name) => !isWorkshop(name) && !replaced.includes(`${directory}/${name}`));
  await host.syncs.together(async () => {
    host.mkdirs(`${view}/${PACKAGES}`, 0o700, false);
    for (const name of stays(repository, host.list(repository))) {
      if (name !== PACKAGES && name !== 'repodata') host.symlink(host.show(`${repository}/${name}`), `${view}/${name}`);
    }
    const packages = `${repository}/${PACKAGES}`;
    for (const name of stays(packages, host.list(packages)))
      host.symlink(host.show(`${packages}/${name}`), `${view}/${PACKAGES}/${name}`);
    host.write(`${view}/${PACKAGES}/${file.slice(file.lastIndexOf('/') + 1)}`, bytes, { durable: false, mtime });
  });
}

/** The package and then the metadata take their places, without a moment in between for anything else of this run. */
function put({ host }: Machine, repository: string, aside: string, addition: Addition, mtime: number): void {
  const { file, bytes, key, keyFile } = addition;
  const before = host.read(file, MAX_PACKAGE_BYTES);
  const seconds = (host.lstat(file)?.mtimeMs ?? 0) / 1000;
  host.mkdirs(`${repository}/${PACKAGES}`);
  host.write(keyFile, armor(key.bytes, 'PUBLIC KEY BLOCK'));
  host.write(file, bytes, { mtime });
  try {
    replace(host, `${aside}/repodata`, `${repository}/repodata`, `${aside}/before`);
  } catch (error) {
    // The metadata that stays names what was there.
    if (before === null) host.remove(file);
    else host.write(file, before, { mtime: seconds });
    throw error;
  }
}

/** A directory takes the place of another, which is put away. What fails leaves the old one. */
function replace(host: Root, made: string, place: string, old: string): void {
  const had = host.lstat(place) !== null;
  if (had) host.rename(place, old);
  try {
    host.rename(made, place);
  } catch (error) {
    if (had) host.rename(old, place);
    throw error;
  }
}

// The repository that a package is published into: a directory with Packages/ and repodata/. The metadata is made aside by
// createrepo_c, given its advisories, signed, and takes its place as a whole.
import { KpmError } from '../../errors.ts';
import { decompress } from '../../formats/codec/decompress.ts';
import { sniff } from '../../formats/codec/sniff.ts';
import type { PublicKey } from '../../formats/openpgp/index.ts';
import { MAX_PACKAGE_BYTES, parseRpm, type RpmPackage } from '../../formats/rpm/package.ts';
import type { Machine } from '../../host/machine.ts';
import { checkHref } from '../../net/url.ts';
import { parseRepomd, updateinfoRecord } from '../../observe/repo/repomd.ts';
import { detachedSignature } from '../gpg.ts';
import { tool } from './tools.ts';
import { inWorkshop, removeTree } from './workshop.ts';

/** Directory of the packages below the repository. */
export const PACKAGES = 'Packages';
const MAX_UPDATEINFO = 64 * 1024 * 1024;

/** The packages of one name that lie in a repository (path below the host's root). Raises what parseRpm raises, with the file. */
export function publishedPackages({ host }: Machine, repository: string, name: string): RpmPackage[] {
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
      return pkg.nevra.name === name && !pkg.source ? [pkg] : [];
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      throw new KpmError('publish-failed', {
        text: `${host.show(file)} cannot be read: ${error.message}`,
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

/**
 * Makes the metadata of everything in the repository anew, with these advisories, signed by the key, and puts it in the
 * place of the old. Raises `publish-failed`, `signing-failed`.
 */
export async function renewMetadata(
  machine: Machine,
  repository: string,
  updateinfo: string,
  key: PublicKey,
): Promise<void> {
  const { host } = machine;
  // Beside it, so that it can be renamed into place.
  await inWorkshop(host, repository, async (aside) => {
    const revision = Math.floor(machine.now().getTime() / 1000);
    // Ten changelog entries, the default, would lose the CVEs of a long stream.
    const options = ['--quiet', '--no-database', '--changelog-limit', '1000', '--revision', String(revision)];
    const excluded = ['--excludes', '*/.kpatch-pm-*'];
    await tool(machine, 'createrepo_c', [
      ...options,
      ...excluded,
      '--outputdir',
      host.show(aside),
      host.show(repository),
    ]);
    host.write(`${aside}/updateinfo.xml`, updateinfo);
    await tool(machine, 'modifyrepo_c', [
      '--mdtype',
      'updateinfo',
      host.show(`${aside}/updateinfo.xml`),
      host.show(`${aside}/repodata`),
    ]);
    const repomd = host.read(`${aside}/repodata/repomd.xml`);
    if (repomd === null)
      throw new KpmError('publish-failed', { text: 'createrepo_c made no repomd.xml.', subject: 'createrepo_c' });
    const signature = await detachedSignature(machine, key, repomd, revision);
    host.write(`${aside}/repodata/repomd.xml.asc`, signature);
    replace(machine, `${aside}/repodata`, `${repository}/repodata`, `${aside}/before`);
  });
}

/** A directory takes the place of another, which is removed. What fails leaves the old one. */
function replace({ host }: Machine, made: string, place: string, old: string): void {
  const had = host.lstat(place) !== null;
  if (had) host.rename(place, old);
  try {
    host.rename(made, place);
  } catch (error) {
    if (had) host.rename(old, place);
    throw error;
  }
  if (had) removeTree(host, old);
}

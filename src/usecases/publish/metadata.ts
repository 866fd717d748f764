// The metadata of a repository, made aside by createrepo_c, given its advisories and what else the repository had, and signed.
import { KpmError } from '../../errors.ts';
import type { PublicKey } from '../../formats/openpgp/index.ts';
import type { Machine } from '../../host/machine.ts';
import type { Root } from '../../host/root.ts';
import { checkHref } from '../../net/url.ts';
import { parseRepomd } from '../../observe/repo/repomd.ts';
import { detachedSignature } from '../gpg.ts';
import { tool } from './tools.ts';

/** Made anew, in whatever form: everything else (groups, modules, deltas) is nobody's but the repository's. */
const MADE = /^(?:primary|filelists|other|updateinfo)(?:[-_].*)?$/;
const MAX_FILE = 512 * 1024 * 1024;

export interface Making {
  /** Paths below the host's root: the repository, how it will be, and where `repodata` is made. */
  readonly repository: string;
  readonly view: string;
  readonly aside: string;
  /** The whole list of advisories. */
  readonly updateinfo: string;
  readonly key: PublicKey;
}

/** Makes `repodata` in `aside`. Raises `publish-failed`, `signing-failed`, `repomd-malformed`. */
export async function makeMetadata(machine: Machine, making: Making): Promise<void> {
  const { host } = machine;
  const { repository, view, aside, updateinfo, key } = making;
  const revision = Math.floor(machine.now().getTime() / 1000);
  // Ten changelog entries, the default, would lose the CVEs of a long stream.
  const options = ['--quiet', '--no-database', '--changelog-limit', '1000', '--revision', String(revision)];
  await tool(machine, 'createrepo_c', [...options, '--outputdir', host.show(aside), host.show(view)]);
  const made = `${aside}/repodata`;
  host.write(`${aside}/updateinfo.xml`, updateinfo);
  await tool(machine, 'modifyrepo_c', [
    '--mdtype',
    'updateinfo',
    host.show(`${aside}/updateinfo.xml`),
    host.show(made),
  ]);
  const repomd = host.readText(`${made}/repomd.xml`);
  if (repomd === null)
    throw new KpmError('publish-failed', { text: 'createrepo_c made no repomd.xml.', subject: 'createrepo_c' });
  const more = await carried(host, repository, made);
  const whole = Buffer.from(repomd.replace('</repomd>', () => `${more}</repomd>`));
  host.write(`${made}/repomd.xml`, whole);
  host.write(`${made}/repomd.xml.asc`, await detachedSignature(machine, key, whole, revision));
}

/**
 * What the repository has beside its lists goes with it, as it is: the files are copied, the records of repomd.xml given word
 * for word. Raises `publish-failed` where a file is missing or a record is not to be found in the text.
 */
async function carried(host: Root, repository: string, made: string): Promise<string> {
  const place = `${repository}/repodata/repomd.xml`;
  const text = host.readText(place);
  if (text === null) return '';
  const shown = host.show(place);
  const { records } = await parseRepomd(Buffer.from(text), shown);
  return records
    .filter(({ type }) => !MADE.test(type))
    .map(({ type, href }) => {
      checkHref(href, shown);
      const name = /^repodata\/([^/]+)$/.exec(href)?.[1];
      const bytes = host.read(`${repository}/${href}`, MAX_FILE);
      if (bytes === null) throw lost(shown, type, `${href} is not there`);
      // What lies elsewhere in the repository stays where it is.
      if (name !== undefined) host.write(`${made}/${name}`, bytes);
      const written = [...text.matchAll(/<data\b[^<>]*>[\s\S]*?<\/data>/g)]
        .map(([record]) => record)
        .find((record) => record.includes(`"${type}"`) && record.includes(href));
      if (written === undefined) throw lost(shown, type, 'its record is written in a form that is not known');
      return `  ${written}\n`;
    })
    .join('');
}

const lost = (shown: string, type: string, why: string): KpmError =>
  new KpmError('publish-failed', {
    text: `${shown} names metadata of the type ${JSON.stringify(type)} that would be lost: ${why}.`,
    subject: shown,
    hint: 'Nothing was published. Mend the repository, or take that record out: modifyrepo_c --remove TYPE repodata',
  });

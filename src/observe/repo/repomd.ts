// repomd.xml: which files make up a repository's metadata. Source: the files createrepo_c and pulp write; its RELAX NG
// description in createrepo_c. Unknown elements are ignored, a record without type too.
import { KpmError } from '../../errors.ts';
import type { WrittenChecksum } from './checksum.ts';
import { attribute, child, children, count, type Element, textOf } from './element.ts';
import { readXml } from './xml.ts';

/** repomd.xml has a few kilobytes; more than this is not one. */
export const MAX_REPOMD = 1024 * 1024;

export interface RepomdRecord {
  readonly type: string;
  readonly href: string;
  /** xml:base of the location; null as a rule. */
  readonly base: string | null;
  readonly checksum: WrittenChecksum | null;
  readonly openChecksum: WrittenChecksum | null;
  readonly size: number | null;
  readonly openSize: number | null;
  /** Seconds since 1970. */
  readonly timestamp: number | null;
}

export interface Repomd {
  /** As written; usually seconds since 1970, but any text is allowed. */
  readonly revision: string | null;
  readonly records: readonly RepomdRecord[];
}

/** Reads repomd.xml. Raises `repomd-malformed`. */
export async function parseRepomd(bytes: Buffer, what: string): Promise<Repomd> {
  const document = await readXml(bytes.toString('utf8'), what, 'repomd-malformed');
  const root = child(document, 'repomd');
  if (root === null) {
    throw new KpmError('repomd-malformed', {
      text: `${what} is XML, but not a repomd.xml.`,
      subject: what,
      hint: 'A proxy or login page may have been sent instead; look at the URL with a browser or curl.',
    });
  }
  const records = children(root, 'data').flatMap((data) => record(data) ?? []);
  return { revision: textOf(root, 'revision')?.trim() || null, records };
}

function record(data: Element): RepomdRecord | null {
  const type = attribute(data, 'type');
  const location = child(data, 'location');
  const href = attribute(location, 'href');
  if (type === null || href === null) return null;
  return {
    type,
    href,
    base: attribute(location, 'base'),
    checksum: written(data, 'checksum'),
    openChecksum: written(data, 'open-checksum'),
    size: count(textOf(data, 'size')),
    openSize: count(textOf(data, 'open-size')),
    timestamp: count(textOf(data, 'timestamp')?.split('.')[0] ?? null),
  };
}

function written(data: Element, name: string): WrittenChecksum | null {
  const element = child(data, name);
  const type = attribute(element, 'type');
  const value = textOf(data, name)?.trim();
  return type !== null && value ? { type: type.toLowerCase(), value } : null;
}

/** The record of the advisories; null where the repository publishes none that can be read. */
export function updateinfoRecord(repomd: Repomd): RepomdRecord | null {
  return repomd.records.find((record) => record.type === 'updateinfo' && !record.href.endsWith('.zck')) ?? null;
}

/** The record of the package list. Raises `metadata-unsupported` (zchunk or sqlite only), `repomd-malformed` (none). */
export function primaryRecord(repomd: Repomd, what: string): RepomdRecord {
  const found = repomd.records.find((record) => record.type === 'primary');
  if (found && !found.href.endsWith('.zck')) return found;
  const other = repomd.records.find((record) => record.type.startsWith('primary')) ?? found;
  if (other) {
    const kind = other.type === 'primary_db' ? 'sqlite' : 'zchunk';
    throw new KpmError('metadata-unsupported', {
      text: `${what} offers its package list only as ${kind} (${other.href.slice(0, 200)}).`,
      subject: what,
      hint: 'The repository must also offer an ordinary primary.xml; createrepo_c writes one by default.',
    });
  }
  throw new KpmError('repomd-malformed', {
    text: `${what} names no package list (primary).`,
    subject: what,
    hint: 'Tell whoever runs the repository.',
  });
}

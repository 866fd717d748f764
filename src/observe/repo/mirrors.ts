// Where a repository's files can be had: baseurl first, then what a mirror list or metalink adds (librepo's order).
// Sources: dnf.conf(5); the metalink 3.0 drafts and MirrorManager's extension (mm0:alternates, mm0:timestamp).

import type { Checksum } from '../../domain/package.ts';
import { KpmError } from '../../errors.ts';
import type { Net } from '../../net/access.ts';
import type { Identities } from '../../net/identity.ts';
import { readAll } from '../../net/net.ts';
import { openAt, type RepoSource } from '../../net/source.ts';
import { isUsableUrl, shown } from '../../net/url.ts';
import type { RepoConfig } from '../config/types.ts';
import { acceptChecksum, strongChecksum } from './checksum.ts';
import { attribute, child, children, count, type Element, textOf } from './element.ts';
import { type XmlReader, xmlReader } from './xml.ts';

const MAX_LIST = 1024 * 1024;
const REPOMD = /\/repodata\/repomd\.xml$/;

/** What a metalink promises of repomd.xml: one of these. */
export interface Promised {
  readonly checksum: Checksum;
  readonly size: number | null;
}

export interface Metalink {
  readonly promised: readonly Promised[];
  /** Base URLs, best first. */
  readonly urls: readonly string[];
}

export interface Mirrors {
  readonly source: RepoSource;
  /** Null where the repository has none. Raises what fetching it raises, `metalink-malformed`, `checksum-refused`. */
  readonly metalink: () => Promise<Metalink | null>;
}

export interface MirrorSurroundings {
  readonly net: Net;
  readonly variables: Readonly<Record<string, string>>;
  /** Identity of this machine for the update servers of its cloud. */
  readonly identities: Identities;
  /** Milliseconds; see RepoSource. */
  readonly backoff?: number;
}

/** Prepares a repository for fetching; nothing is fetched before it is needed. */
export function mirrorsOf(repo: RepoConfig, around: MirrorSurroundings): Mirrors {
  // An old habit that dnf honours: a metalink given as mirrorlist.
  const disguised = repo.metalink === null && (repo.mirrorlist?.includes('metalink') ?? false);
  const metalinkUrl = disguised ? repo.mirrorlist : repo.metalink;
  const listUrl = disguised ? null : repo.mirrorlist;
  const metalink = once(async () =>
    metalinkUrl === null ? null : fetchMetalink(metalinkUrl, repo.id, source, around),
  );
  const mirrors = once(async () => {
    const bases = await Promise.all(repo.baseurl.map((url) => around.identities.placed(url)));
    const link = await metalink();
    if (link) bases.push(...link.urls);
    else if (listUrl !== null) bases.push(...(await listed(listUrl, bases.length > 0, repo.id, source, around)));
    return [...new Set(bases)];
  });
  const named = [...repo.baseurl, metalinkUrl, listUrl].filter((url) => url !== null);
  const source: RepoSource = {
    id: repo.id,
    access: repo,
    mirrors,
    configured: new Set(named.filter(isUsableUrl).map((url) => new URL(url).origin)),
    headers: (url) => around.identities.headersFor(url),
    bad: new Map(),
    backoff: around.backoff ?? 500,
  };
  return { source, metalink };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

async function fetchSmall(
  url: string,
  what: string,
  source: RepoSource,
  { net, identities }: MirrorSurroundings,
): Promise<string> {
  const opened = await openAt(net, source, await identities.placed(url), '', { maxBytes: MAX_LIST, what });
  return (await readAll(opened.body)).toString('utf8');
}

/** A list that cannot be had does not matter where baseurl names a place too. */
async function listed(
  url: string,
  others: boolean,
  id: string,
  source: RepoSource,
  around: MirrorSurroundings,
): Promise<string[]> {
  try {
    return await fetchList(url, id, source, around);
  } catch (error) {
    if (others && error instanceof KpmError) return [];
    throw error;
  }
}

async function fetchList(url: string, id: string, source: RepoSource, around: MirrorSurroundings): Promise<string[]> {
  const what = `mirror list of repository ${id}`;
  const urls = parseMirrorlist(await fetchSmall(url, what, source, around), around.variables);
  if (urls.length === 0) throw unusable(what, url, 'names no mirror that can be used');
  return urls;
}

async function fetchMetalink(
  url: string,
  id: string,
  source: RepoSource,
  around: MirrorSurroundings,
): Promise<Metalink> {
  const what = `metalink of repository ${id}`;
  const link = parseMetalink(await fetchSmall(url, what, source, around), what, await xmlReader(), around.variables);
  if (link.urls.length === 0 && source.configured.size <= 1)
    throw unusable(what, url, 'names no mirror that can be used');
  return link;
}

function unusable(what: string, url: string, why: string): KpmError {
  return new KpmError('metalink-malformed', {
    text: `The ${what} (${shown(url)}) ${why}.`,
    subject: shown(url),
    hint: 'Look at it with curl; http, https and file mirrors can be used.',
  });
}

const substituted = (text: string, variables: Readonly<Record<string, string>>): string =>
  text.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, plain, braced) => variables[String(plain ?? braced)] ?? whole);

/** The URLs of a mirror list: one a line; comments, blanks and anything that is no usable URL are passed over. */
export function parseMirrorlist(text: string, variables: Readonly<Record<string, string>>): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => substituted(line.trim(), variables))
    .filter((line) => !line.startsWith('#') && isUsableUrl(line));
}

/** Reads a metalink. Raises `metalink-malformed`; `checksum-refused` where it has no sha256 or better. */
export function parseMetalink(
  text: string,
  what: string,
  xml: XmlReader,
  variables: Readonly<Record<string, string>>,
): Metalink {
  const root = child(xml.parse(text, what, 'metalink-malformed'), 'metalink');
  const files = children(child(root, 'files'), 'file');
  const file = files.find((one) => attribute(one, 'name') === 'repomd.xml');
  if (file === undefined) {
    throw new KpmError('metalink-malformed', {
      text: `The ${what} says nothing about repomd.xml.`,
      subject: what,
      hint: 'Check the metalink= URL with curl.',
    });
  }
  const newest = promise(file) ?? { checksum: acceptChecksum(null, `repomd.xml in the ${what}`), size: null };
  const older = children(child(file, 'alternates'), 'alternate').flatMap((one) => promise(one) ?? []);
  return { promised: [newest, ...older], urls: mirrorUrls(file, variables) };
}

function promise(file: Element): Promised | null {
  const hashes = children(child(file, 'verification'), 'hash').flatMap(
    (hash) =>
      strongChecksum({
        type: attribute(hash, 'type')?.toLowerCase() ?? '',
        value: String(hash['#text'] ?? '').trim(),
      }) ?? [],
  );
  const [best] = hashes.sort((a, b) => b.value.length - a.value.length);
  return best ? { checksum: best, size: count(textOf(file, 'size')) } : null;
}

function mirrorUrls(file: Element, variables: Readonly<Record<string, string>>): string[] {
  return children(child(file, 'resources'), 'url')
    .map((url) => ({
      url: substituted(String(url['#text'] ?? '').trim(), variables),
      preference: count(attribute(url, 'preference')) ?? 0,
    }))
    .filter(({ url }) => REPOMD.test(url) && isUsableUrl(url))
    .sort((a, b) => b.preference - a.preference)
    .map(({ url }) => url.replace(REPOMD, '/'));
}

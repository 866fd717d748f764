// Real repositories of the corpus: our answers are the recorded ones (Python's XML parser, hashlib, dnf).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { formatNevra } from '../../src/domain/nevra.ts';
import { KpmError } from '../../src/errors.ts';
import { decompress } from '../../src/formats/codec/decompress.ts';
import { sniff } from '../../src/formats/codec/sniff.ts';
import { Root } from '../../src/host/root.ts';
import { realRun } from '../../src/host/run.ts';
import { openNet } from '../../src/net/net.ts';
import { parseMetalink, parseMirrorlist } from '../../src/observe/repo/mirrors.ts';
import { packageEntry } from '../../src/observe/repo/package.ts';
import { refreshRepositories } from '../../src/observe/repo/refresh.ts';
import { parseRepomd } from '../../src/observe/repo/repomd.ts';
import { strictPackages } from '../../src/observe/repo/strict.ts';
import { xmlReader } from '../../src/observe/repo/xml.ts';
import { openCache } from '../../src/state/cache.ts';
import { corpusDir, describeCorpus } from '../support/corpus.ts';
import { configOf, repoConfig } from '../support/repo-config.ts';

interface File {
  readonly compression: string;
  readonly open_size?: number;
  readonly primary?: { readonly declared: string; readonly nevras: readonly string[] };
  readonly metalink?: {
    readonly well_formed: boolean;
    readonly files?: readonly {
      readonly name: string;
      readonly size: string | null;
      readonly hashes: Readonly<Record<string, string | null>>;
      readonly urls: readonly (readonly [string | null, string | null, string | null, string | null])[];
    }[];
  };
  readonly urls?: readonly string[];
}

interface RepoSet {
  readonly files: Readonly<Record<string, File>>;
  readonly note?: string;
  readonly repomd?: readonly Readonly<Record<string, unknown>>[];
  readonly packages?: readonly {
    readonly nevra: string;
    readonly pkgid: readonly [string, string];
    readonly href: string;
    readonly size: string;
  }[];
}

const corpus = path.join(corpusDir() ?? '/nowhere', 'repodata');
const expected = (): Record<string, RepoSet> =>
  JSON.parse(readFileSync(path.join(corpus, 'expected.json'), 'utf8')).sets;
const sets = corpusDir() === null ? {} : expected();
const filesWith = (pick: (file: File) => unknown): [string, File][] =>
  Object.entries(sets).flatMap(([set, { files }]) =>
    Object.entries(files)
      .filter(([, file]) => pick(file))
      .map(([name, file]): [string, File] => [`${set}/${name}`, file]),
  );

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function opened(file: string): Promise<Buffer> {
  const bytes = readFileSync(path.join(corpus, file));
  const parts: Buffer[] = [];
  const limits = { maxBytes: 1e9, what: file };
  for await (const part of decompress(sniff(bytes), once(bytes), limits, realRun.filter)) parts.push(part);
  return Buffer.concat(parts);
}

/** Templates of the mirrors' own tests. */
const withPort = (text: string): string => text.replaceAll('{PORT_PLACEHOLDER}', '80');

const withEpoch = (nevra: { name: string; epoch: number; version: string; release: string; arch: string }): string =>
  `${nevra.name}-${nevra.epoch}:${nevra.version}-${nevra.release}.${nevra.arch}`;

describeCorpus('repositories of the corpus', () => {
  test.each(filesWith(({ primary, compression }) => primary && compression !== 'zchunk'))(
    'packages of %s',
    async (name, file) => {
      const xml = await xmlReader();
      const found: string[] = [];
      await strictPackages(once(await opened(name)), name, (text) =>
        found.push(withEpoch(packageEntry(xml.parse(text, name, 'primary-malformed'), name))),
      );
      expect(found).toEqual(file.primary?.nevras);
    },
  );

  test.each(filesWith(({ compression }) => compression === 'zchunk'))('%s is refused as zchunk', async (name) => {
    await expect(opened(name)).rejects.toMatchObject({ code: 'compression-unsupported' });
  });

  test.each(Object.entries(sets).filter(([, { repomd }]) => repomd))(
    'records and packages of %s',
    async (set, { repomd, packages }) => {
      const xml = await xmlReader();
      const { records } = await parseRepomd(readFileSync(path.join(corpus, set, 'repodata/repomd.xml')), set);
      expect(
        records.map(({ type, href, checksum, size, openSize }) => ({
          type,
          href,
          checksum_type: checksum?.type,
          size: String(size),
          open_size: openSize === null ? undefined : String(openSize),
        })),
      ).toEqual(
        repomd?.map(({ type, href, checksum_type, size, open_size }) => ({
          type,
          href,
          checksum_type,
          size,
          open_size,
        })),
      );
      const primary = records.find(({ type }) => type === 'primary');
      const found: unknown[] = [];
      await strictPackages(once(await opened(`${set}/${primary?.href}`)), set, (text) => {
        const entry = packageEntry(xml.parse(text, set, 'primary-malformed'), set);
        found.push({
          nevra: withEpoch(entry),
          pkgid: [entry.checksum?.type, entry.checksum?.value],
          href: entry.href,
          size: String(entry.size),
        });
      });
      const sort = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).sort();
      expect(sort(found)).toEqual(
        sort(packages?.map(({ nevra, pkgid, href, size }) => ({ nevra, pkgid, href, size })) ?? []),
      );
    },
  );

  // Whole sets as repositories: the wrong checksum and the weak one are refused, the others read.
  const refused: Record<string, string> = {
    createrepo_repo_01: 'metadata-mismatch',
    librepo_repo_yum_01: 'checksum-refused',
  };
  test.each(Object.keys(sets).filter((set) => sets[set]?.repomd))('%s as a repository', async (set) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'corpus-'));
    const net = openNet({ host: new Root('/'), env: {}, version: '1' });
    const cache = openCache({ root: new Root(dir), host: new Root('/'), uid: 0, env: {} });
    const repo = repoConfig({ baseurl: [`file://${path.join(corpus, set)}`] });
    const mode = { refresh: false, cacheOnly: false, tolerant: true, now: new Date(0), pipe: realRun.filter };
    const [snapshot] = await refreshRepositories(configOf(repo), cache, net, mode);
    rmSync(dir, { recursive: true });
    const code = refused[set] ?? null;
    expect([snapshot?.state.problem?.code ?? null, snapshot?.state.used]).toEqual([code, code === null]);
    // None of them holds a live patch or a kernel that boots.
    expect([snapshot?.packages.map(formatNevra), snapshot?.kernels]).toEqual([[], []]);
  });

  test.each(filesWith(({ metalink }) => metalink))('metalink %s', async (name, { metalink }) => {
    const xml = await xmlReader();
    const read = () => parseMetalink(withPort(readFileSync(path.join(corpus, name), 'utf8')), name, xml, {});
    const file = metalink?.files?.find((one) => one.name === 'repomd.xml');
    const strong = file && (file.hashes.sha512 ?? file.hashes.sha256);
    if (!metalink?.well_formed || !file || !strong) {
      expect(read).toThrow(KpmError);
      return;
    }
    const link = read();
    // The record names the last of several: where there are alternates, the oldest.
    expect(link.promised.map(({ checksum }) => checksum.value)).toContain(strong);
    const usable = file.urls.flatMap(([, , preference, place]) =>
      place && /^https?:.*\/repodata\/repomd\.xml$/.test(place)
        ? [{ place: withPort(place), preference: Number(preference) || 0 }]
        : [],
    );
    const sorted = usable
      .sort((a, b) => b.preference - a.preference)
      .map(({ place }) => place.replace(/repodata\/repomd\.xml$/, ''));
    expect(link.urls).toEqual(sorted);
  });

  test.each(filesWith(({ urls }) => urls))('mirror list %s', (name, { urls }) => {
    const usable = urls?.filter((url) => /^https?:/.test(url));
    expect(parseMirrorlist(readFileSync(path.join(corpus, name), 'utf8'), {})).toEqual(usable);
  });
});

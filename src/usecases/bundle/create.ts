// bundle create: everything that machines without a network need, in one file that is the same bytes each time.
import { createHash } from 'node:crypto';
import type { KernelRelease } from '../../domain/kernel.ts';
import { formatNevra } from '../../domain/nevra.ts';
import { armor, type PublicKey } from '../../formats/openpgp/index.ts';
import { packageLists } from '../../formats/repodata/packages.ts';
import { repodata } from '../../formats/repodata/repomd.ts';
import { updateinfoXml } from '../../formats/repodata/updateinfo.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { shown } from '../../net/url.ts';
import { loadStored } from '../../observe/repo/store.ts';
import { dropDownloads } from '../../pipeline/download.ts';
import { look } from '../../pipeline/observe.ts';
import type { Observed } from '../../pipeline/observed.ts';
import type { Request } from '../../pipeline/request.ts';
import { detachedSignature, signingKey } from '../gpg.ts';
import { type ArchiveEntry, checkTarget, writeArchive } from './archive.ts';
import { bytesOf, type Collection, collect } from './collect.ts';
import {
  BUNDLE_FORMAT,
  type BundleFile,
  type BundleKey,
  type BundleRepository,
  MANIFEST,
  type Manifest,
  manifestText,
  SIGNATURE,
} from './manifest.ts';
import type { BundleSigner } from './signed.ts';

export interface CreateRequest {
  /** Absolute path on the host. */
  readonly file: string;
  readonly kernels: readonly KernelRelease[];
  /** Every usable level, not only the newest. */
  readonly all: boolean;
  /** Key to sign the bundle with, as gpg knows it; null: it is not signed. */
  readonly sign: string | null;
  /** Replace a file of that name. */
  readonly force: boolean;
}

export interface Created {
  readonly file: string;
  readonly manifest: Manifest;
  readonly signer: BundleSigner;
  /** What was noticed about the repositories. */
  readonly observed: Pick<Observed, 'world'>;
}

/** Makes a bundle. Raises `no-match`, `signing-failed`, `file-exists` and the codes of fetching and verifying. */
export async function createBundle(machine: Machine, request: Request, given: CreateRequest, ui: Ui): Promise<Created> {
  const wish = { ...given, kernels: [...new Set(given.kernels)].sort() };
  checkTarget(machine.host, wish.file, wish.force);
  // Asked first: who cannot sign need not wait for the rest.
  const key = wish.sign === null ? null : await signingKey(machine, wish.sign);
  const observed = await look(machine, { ...request, kernels: [], advisories: true }, ui);
  try {
    const allowUnsigned = request.config.nogpgcheck;
    const found = await collect(observed, wish.kernels, { all: wish.all, allowUnsigned }, ui);
    const made = madeOf(observed, found);
    const files = [...keyFiles(found.keys, key), ...metadataFiles(found, made)];
    const manifest = describe(observed, found, wish, made, files, key);
    const entries = await headFiles(machine, manifest, key, made);
    entries.push(...files.map(({ path, bytes }) => entry(path, async () => bytes)));
    entries.push(...found.packages.map((one) => entry(one.path, () => bytesOf(observed, one, ui))));
    await writeArchive(machine.host, wish.file, entries, made, wish.force);
    await dropDownloads(
      observed,
      found.packages.map(({ offer }) => offer),
    );
    return { file: wish.file, manifest, signer: signerOf(key), observed };
  } finally {
    await observed.net.close();
  }
}

function signerOf(key: PublicKey | null): BundleSigner {
  if (key === null) return { verdict: 'unsigned', fingerprint: null, owner: null };
  return { verdict: 'good', fingerprint: key.fingerprint, owner: key.owner };
}

const entry = (name: string, read: ArchiveEntry['read']): ArchiveEntry => ({ name, read });

/** When the newest of the metadata in use was made, seconds since 1970; where none says, when the newest package was built. */
function madeOf(observed: Observed, { packages }: Collection): number {
  const used = usedRepositories(observed, packages);
  const times = used.flatMap(({ made }) => (made === null ? [] : [made]));
  const built = packages.flatMap(({ offer }) => offer.buildTime ?? []);
  return Math.max(0, ...(times.length > 0 ? times : built));
}

interface UsedRepository extends Omit<BundleRepository, 'made'> {
  readonly made: number | null;
}

function usedRepositories({ config, snapshots, cache }: Observed, packages: Collection['packages']): UsedRepository[] {
  const ids = new Set(packages.map(({ offer }) => offer.repo));
  return config.repos
    .filter(({ id }) => ids.has(id))
    .map((repo) => {
      const snapshot = snapshots.find(({ state }) => state.id === repo.id);
      const stored = snapshot ? loadStored(cache, snapshot.cacheKey) : null;
      // As configured: which mirror happened to answer must not change the bundle.
      const url = shown(repo.baseurl[0] ?? repo.metalink ?? repo.mirrorlist ?? '');
      return { id: repo.id, name: repo.name, url, made: stored?.made ?? null, signer: stored?.signer ?? null };
    });
}

interface Content {
  readonly path: string;
  readonly bytes: Buffer;
}

const keyPath = (key: PublicKey): string => `keys/${key.fingerprint}.asc`;

/** The public keys, each once: of the packages, and the one that signs the bundle. */
function keyFiles(keys: readonly PublicKey[], signing: PublicKey | null): Content[] {
  const all = new Map([...keys, ...(signing ? [signing] : [])].map((key) => [key.fingerprint, key]));
  return [...all.values()].map((key) => ({
    path: keyPath(key),
    bytes: Buffer.from(armor(key.bytes, 'PUBLIC KEY BLOCK')),
  }));
}

function metadataFiles({ packages, advisories }: Collection, made: number): Content[] {
  const lists = packageLists(packages.map(({ xml }) => xml));
  const updateinfo = advisories.length > 0 ? { updateinfo: updateinfoXml(advisories) } : {};
  return repodata({ ...lists, ...updateinfo }, made);
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

function describe(
  observed: Observed,
  found: Collection,
  wish: CreateRequest,
  made: number,
  files: readonly Content[],
  signing: PublicKey | null,
): Manifest {
  const keys: BundleKey[] = [
    ...found.keys.map((key): BundleKey => ({ ...keyOf(key), use: 'packages' })),
    ...(signing ? [{ ...keyOf(signing), use: 'bundle' } as const] : []),
  ];
  const listed: BundleFile[] = [
    ...files.map(({ path, bytes }) => ({
      path,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
    ...found.packages.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
  ];
  return {
    format: BUNDLE_FORMAT,
    kind: 'kpatch-pm-bundle',
    made: iso(made),
    levels: wish.all ? 'all' : 'newest',
    kernels: wish.kernels,
    repositories: usedRepositories(observed, found.packages).map(({ id, name, url, made: when, signer }) => ({
      id,
      name,
      url,
      made: when === null ? null : iso(when),
      signer,
    })),
    packages: found.packages.map(({ path, offer, kernel, signer }) => ({
      path,
      nevra: formatNevra(offer),
      kernel,
      repo: offer.repo,
      signer,
    })),
    keys,
    advisories: found.advisories.map(({ id }) => id),
    files: listed,
  };
}

const keyOf = (key: PublicKey) => ({ path: keyPath(key), fingerprint: key.fingerprint, owner: key.owner });

/** The manifest and, where it is signed, its signature. */
async function headFiles(machine: Machine, manifest: Manifest, key: PublicKey | null, made: number) {
  const text = Buffer.from(manifestText(manifest));
  const head = [entry(MANIFEST, async () => text)];
  if (key === null) return head;
  const signature = await detachedSignature(machine, key, text, made);
  return [...head, entry(SIGNATURE, async () => signature)];
}

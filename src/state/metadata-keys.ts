// Keys that sign a repository's metadata (repo_gpgcheck). They are kept apart from the keys that sign packages, and apart
// for each repository: who may say what a repository offers may not thereby sign code for the kernel, nor the reverse.
import type { Problem } from '../domain/because.ts';
import { isTestKey } from '../domain/testkeys.ts';
import { KpmError } from '../errors.ts';
import { armor, mergeKeys, type PublicKey, parseKeys } from '../formats/openpgp/index.ts';
import type { Root } from '../host/root.ts';
import { checkState, STATE } from './directory.ts';
import { tolerant } from './format.ts';
import { forgetRemoval, type RemovedKey, rememberRemoval, removedKeys } from './removed-keys.ts';

/** One directory a repository, in it one armored file a key. */
export const METADATA_KEYS = `${STATE}/metadata-keys`;

export interface MetadataKey {
  readonly repo: string;
  readonly key: PublicKey;
}

/** The name of a repository as one path component. */
const folderOf = (repo: string): string => `${METADATA_KEYS}/${encodeURIComponent(repo).replace(/^\./, '%2E')}`;

const removedOf = (repo: string): string => `${folderOf(repo)}/removed.json`;

const fileOf = (repo: string, fingerprint: string): string => `${folderOf(repo)}/${fingerprint}.asc`;

/** The keys that may sign the metadata of a repository, and what is to be said of those that cannot be used. */
export interface MetadataKeys {
  /** Null: this user may not read them. */
  readonly keys: readonly PublicKey[] | null;
  readonly removed: readonly RemovedKey[];
  readonly notices: readonly Problem[];
}

/** The metadata keys of one repository. What cannot be read is left out and named: fewer keys refuse more. */
export function metadataKeys(root: Root, uid: number, repo: string): MetadataKeys {
  const notices: Problem[] = [];
  const nothing: MetadataKeys = { keys: null, removed: [], notices };
  const found = tolerant<MetadataKeys>(
    (problem) => notices.push(problem),
    nothing,
    () => {
      checkState(root, uid);
      const removed = removedKeys(root, undefined, removedOf(repo));
      const keys = keysIn(root, repo, notices).filter((key) => mayCount(root, key, removed, notices));
      return { keys, removed, notices };
    },
  );
  const mayNotRead = found === nothing && notices.every(({ code }) => code === 'file-unreadable');
  return found === nothing && !mayNotRead ? { ...nothing, keys: [] } : found;
}

/** Every metadata key of every repository, and what is to be said besides. */
export function allMetadataKeys(root: Root, uid: number): { keys: MetadataKey[]; notices: Problem[] } {
  const folders = tolerant<string[]>(
    () => undefined,
    [],
    () => root.list(METADATA_KEYS),
  );
  const found = folders.map((folder) => {
    const repo = decodeURIComponent(folder);
    return { repo, ...metadataKeys(root, uid, repo) };
  });
  return {
    keys: found.flatMap(({ repo, keys }) => (keys ?? []).map((key) => ({ repo, key }))),
    notices: found.flatMap(({ notices }) => notices),
  };
}

/** Lets a key sign the metadata of a repository, after a person (or a rule) consented. Raises `key-refused`. */
export function importMetadataKey(root: Root, repo: string, key: PublicKey): void {
  if (root.isHost && isTestKey(key.fingerprint)) {
    throw new KpmError('key-refused', {
      text: `The key ${key.fingerprint} is a published test key of kpatch-pm: it is not trusted on a running system.`,
      subject: key.fingerprint,
      hint: 'Use the key of the repository, or work below another root with --installroot.',
    });
  }
  forgetRemoval(root, key.fingerprint, removedOf(repo));
  root.mkdirs('var/lib');
  root.mkdirs(STATE, 0o700);
  root.mkdirs(folderOf(repo), 0o700);
  root.write(fileOf(repo, key.fingerprint), armor(key.bytes, 'PUBLIC KEY BLOCK'), { mode: 0o600 });
}

/** Takes it away, and remembers that: it does not come back without a person's consent. `when`: ISO time. */
export function removeMetadataKey(root: Root, { repo, key }: MetadataKey, when: string): void {
  const { fingerprint, owner } = key;
  rememberRemoval(root, { fingerprint, owner, since: when }, removedOf(repo));
  root.remove(fileOf(repo, fingerprint));
}

function keysIn(root: Root, repo: string, notices: Problem[]): PublicKey[] {
  const files = root.list(folderOf(repo)).filter((name) => /^[0-9A-F]{40,64}\.asc$/.test(name));
  const keys = files.flatMap((name) => {
    const file = `${folderOf(repo)}/${name}`;
    const bytes = root.read(file);
    try {
      // A file holds the one key it is named by.
      return bytes === null ? [] : parseKeys(bytes).filter(({ fingerprint }) => name === `${fingerprint}.asc`);
    } catch (error) {
      if (!(error instanceof KpmError) || error.code !== 'openpgp-malformed') throw error;
      const text = `The key ${root.show(file)} cannot be read and is not used. ${error.message}`;
      notices.push({ code: 'key-unreadable', text });
      return [];
    }
  });
  return mergeKeys(keys);
}

function mayCount(root: Root, { fingerprint }: PublicKey, removed: readonly RemovedKey[], notices: Problem[]): boolean {
  if (removed.some((one) => one.fingerprint === fingerprint)) return false;
  if (!root.isHost || !isTestKey(fingerprint)) return true;
  notices.push({
    code: 'key-refused',
    text: `The published test key ${fingerprint} is among the metadata keys and is not trusted.`,
  });
  return false;
}

// The keys a root trusts: those of its rpm database, and our own store for what rpm cannot hold or where there is none.
import { closeSync } from 'node:fs';
import type { Problem } from '../domain/because.ts';
import { isTestKey } from '../domain/testkeys.ts';
import { KpmError } from '../errors.ts';
import { armor, mergeKeys, type PublicKey, parseKeys } from '../formats/openpgp/index.ts';
import type { Root } from '../host/root.ts';
import { findRpmdb, rpmArguments } from '../host/rpmdb.ts';
import type { Run } from '../host/run.ts';
import { KEY_STORE } from './directory.ts';
import { tolerant } from './format.ts';
import { forgetRemoval, type RemovedKey, rememberRemoval, removedKeys } from './removed-keys.ts';

/** Our own store: one armored file a key, named by its fingerprint. */
export { KEY_STORE };

export type KeyHome = 'rpm' | 'store';

export interface TrustedKey {
  readonly key: PublicKey;
  /** Where it is kept; both when it is in both. */
  readonly homes: readonly KeyHome[];
  /** The gpg-pubkey packages of the rpm database that hold it. */
  readonly packages: readonly string[];
}

export interface TrustedKeys {
  readonly keys: readonly TrustedKey[];
  /** Codes `rpm-missing`, `rpmdb-unreadable`, `key-unreadable`, `key-refused`, `key-removed`: what to say once. */
  readonly notices: readonly Problem[];
}

/** Marks the start of each package in rpm's answer; cannot occur in armor. */
const MARK = '#key ';
const QUERY = `${MARK}%{VERSION}-%{RELEASE}\\n%{DESCRIPTION}\\n`;

/** Remembers rpm's answer about its keys for one state of its database. For showing only, never for trusting. */
export interface KeyMemo {
  get(): string | null;
  put(answer: string): void;
}

/**
 * The keys this root trusts. What cannot be read (a key, the whole database) is left out and named in the notices:
 * fewer keys refuse more, they never let more through.
 */
export async function trustedKeys(root: Root, run: Run, memo?: KeyMemo): Promise<TrustedKeys> {
  const notices: Problem[] = [];
  const rpm = await rpmKeys(root, run, notices, memo);
  const store = tolerant(
    (problem) => notices.push(problem),
    [],
    () => storeKeys(root, notices),
  );
  const removed = removedKeys(root, (problem) => notices.push(problem));
  const keys = mergeKeys([...rpm.map(({ key }) => key), ...store]).filter((key) => {
    const why = whyNot(root, key, removed);
    if (why) notices.push(why);
    return why === null;
  });
  return { keys: keys.map((key) => ({ key, ...homesOf(key, rpm, store) })), notices };
}

/** Why a key that is there is not trusted all the same; null when it is. */
function whyNot(root: Root, { fingerprint, owner }: PublicKey, removed: readonly RemovedKey[]): Problem | null {
  if (root.isHost && isTestKey(fingerprint)) {
    const text = `The published test key ${fingerprint} is in this system's keyring and is not trusted.`;
    return { code: 'key-refused', text };
  }
  const gone = removed.find((one) => one.fingerprint === fingerprint);
  if (!gone) return null;
  const text = `The key ${fingerprint} (${owner}) was removed on ${gone.since.slice(0, 10)} and is there again; it is not trusted until kpatch-pm keys import.`;
  return { code: 'key-removed', text };
}

function homesOf(
  { fingerprint }: PublicKey,
  rpm: readonly RpmKey[],
  store: readonly PublicKey[],
): Pick<TrustedKey, 'homes' | 'packages'> {
  const packages = rpm.filter(({ key }) => key.fingerprint === fingerprint).map(({ name }) => name);
  const homes: KeyHome[] = [];
  if (packages.length > 0) homes.push('rpm');
  if (store.some((key) => key.fingerprint === fingerprint)) homes.push('store');
  return { homes, packages };
}

interface RpmKey {
  /** Its package: gpg-pubkey-VERSION-RELEASE. */
  readonly name: string;
  readonly key: PublicKey;
}

async function rpmKeys(root: Root, run: Run, notices: Problem[], memo?: KeyMemo): Promise<RpmKey[]> {
  const database = findRpmdb(root);
  if (database === null) return [];
  if (run.which('rpm') === null) {
    const text = `The rpm database ${root.show(database)} is there, the program rpm is not: only keys in ${root.show(KEY_STORE)} are trusted.`;
    notices.push({ code: 'rpm-missing', text });
    return [];
  }
  const known = memo?.get() ?? null;
  if (known !== null) return keysOf(known, notices);
  const asked = await run.run('rpm', [...rpmArguments(root, database), '-qa', 'gpg-pubkey', '--qf', QUERY]);
  if (asked.status !== 0) {
    const text = `rpm could not read the keys of ${root.show(database)} (${firstLine(asked.stderr)}): only keys in ${root.show(KEY_STORE)} are trusted.`;
    notices.push({ code: 'rpmdb-unreadable', text });
    return [];
  }
  const answer = asked.stdout.toString('latin1');
  memo?.put(answer);
  return keysOf(answer, notices);
}

function keysOf(answer: string, notices: Problem[]): RpmKey[] {
  return answer
    .split(`\n${MARK}`)
    .map((block) => block.replace(MARK, ''))
    .filter((block) => block.trim() !== '')
    .flatMap((block) => {
      const end = block.indexOf('\n');
      const name = `gpg-pubkey-${block.slice(0, end)}`;
      return readKeysOf(name, Buffer.from(block.slice(end), 'latin1'), notices).map((key) => ({ name, key }));
    });
}

function storeKeys(root: Root, notices: Problem[]): PublicKey[] {
  const files = root.list(KEY_STORE).filter((name) => /^[0-9A-F]{40,64}\.asc$/.test(name));
  return files.flatMap((name) => {
    const bytes = root.read(`${KEY_STORE}/${name}`);
    return bytes === null ? [] : readKeysOf(root.show(`${KEY_STORE}/${name}`), bytes, notices);
  });
}

function readKeysOf(where: string, bytes: Buffer, notices: Problem[]): PublicKey[] {
  try {
    return parseKeys(bytes);
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    notices.push({ code: 'key-unreadable', text: `The key ${where} cannot be read and is not used. ${error.message}` });
    return [];
  }
}

export interface Imported {
  readonly home: KeyHome;
  /** Codes `rpm-missing`, `rpm-refused-key`: why it did not go into the rpm database that is there; null when it did. */
  readonly notice: Problem | null;
}

/**
 * Makes a root trust a key, after a person (or a rule) consented: into its rpm database where that and `rpm` exist,
 * else into our own store. What rpm refuses (older ones know no ECDSA) goes to our store, and that is said.
 * Raises `key-refused` for a published test key on the running system.
 */
export async function importKey(root: Root, run: Run, key: PublicKey): Promise<Imported> {
  if (root.isHost && isTestKey(key.fingerprint)) {
    throw new KpmError('key-refused', {
      text: `The key ${key.fingerprint} is a published test key of kpatch-pm: it is not trusted on a running system.`,
      subject: key.fingerprint,
      hint: 'Use the key of the vendor, or work below another root with --installroot.',
    });
  }
  forgetRemoval(root, key.fingerprint);
  store(root, key);
  const database = findRpmdb(root);
  if (database === null) return { home: 'store', notice: null };
  const kept = `it is kept in ${root.show(KEY_STORE)}`;
  if (run.which('rpm') === null) {
    const text = `Without the program rpm the key ${key.fingerprint} is not in the rpm database: ${kept}.`;
    return { home: 'store', notice: { code: 'rpm-missing', text } };
  }
  const why = await importIntoRpm(root, run, database, storeFile(key));
  if (why !== null) {
    const text = `rpm does not take the key ${key.fingerprint} (${why}): ${kept}.`;
    return { home: 'store', notice: { code: 'rpm-refused-key', text } };
  }
  if (!(await rpmHolds(root, run, key))) {
    const text = `rpm keeps its older form of the key ${key.fingerprint}; the newer one counts here: ${kept}.`;
    return { home: 'store', notice: { code: 'rpm-refused-key', text } };
  }
  root.remove(storeFile(key));
  return { home: 'rpm', notice: null };
}

/**
 * Whether the rpm database holds everything that this form of a key says. rpm answers success to the import of a newer form
 * (a later expiry, a revocation) of a key that it has, and keeps the old one: seen with 4.18.
 */
async function rpmHolds(root: Root, run: Run, key: PublicKey): Promise<boolean> {
  const held = (await rpmKeys(root, run, [])).map((one) => one.key);
  const [theirs] = mergeKeys(held.filter(({ fingerprint }) => fingerprint === key.fingerprint));
  const [both] = theirs ? mergeKeys([theirs, key]) : [];
  return theirs !== undefined && both?.bytes.equals(theirs.bytes) === true;
}

/**
 * Takes a key away wherever it is kept, and remembers that: it does not come back without a person's consent.
 * `when`: ISO time. Raises `program-failed` when rpm does not let go of it.
 */
export async function removeKey(root: Root, run: Run, trusted: TrustedKey, when: string): Promise<void> {
  const { fingerprint, owner } = trusted.key;
  // First the memory: were we stopped between the two, a key too few is better than one too many.
  rememberRemoval(root, { fingerprint, owner, since: when });
  root.remove(storeFile(trusted.key));
  const database = findRpmdb(root);
  if (database === null || trusted.packages.length === 0) return;
  const { status, stderr } = await run.run('rpm', [...rpmArguments(root, database), '-e', ...trusted.packages]);
  if (status === 0) return;
  throw new KpmError('program-failed', {
    text: `rpm did not remove ${trusted.packages.join(', ')} from ${root.show(database)}: ${firstLine(stderr)}.`,
    subject: fingerprint,
    hint: `Run: rpm --dbpath ${root.show(database)} -e ${trusted.packages.join(' ')}`,
  });
}

/** Null when rpm took the key, else what it said. */
async function importIntoRpm(root: Root, run: Run, database: string, file: string): Promise<string | null> {
  const fd = root.openRead(file);
  if (fd === null) return 'the key file is gone';
  try {
    // Through a descriptor: rpm takes no pipe, and a name could be changed under us.
    const args = [...rpmArguments(root, database), '--import', '/proc/self/fd/3'];
    const { status, stderr } = await run.run('rpm', args, { inherit: [fd] });
    return status === 0 ? null : firstLine(stderr);
  } finally {
    closeSync(fd);
  }
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').replace(/\.$/, '');
}

const storeFile = (key: PublicKey): string => `${KEY_STORE}/${key.fingerprint}.asc`;

function store(root: Root, key: PublicKey): void {
  root.mkdirs('var/lib');
  root.mkdirs(KEY_STORE, 0o700);
  root.write(storeFile(key), armor(key.bytes, 'PUBLIC KEY BLOCK'), { mode: 0o600 });
}

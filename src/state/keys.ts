// The keys a root trusts: those of its rpm database, and our own store for what rpm cannot hold or where there is none.
import { closeSync } from 'node:fs';
import type { Problem } from '../domain/because.ts';
import { isTestKey } from '../domain/testkeys.ts';
import { KpmError } from '../errors.ts';
import { armor, mergeKeys, type PublicKey, parseKeys } from '../formats/openpgp/index.ts';
import type { Root } from '../host/root.ts';
import { findRpmdb, rpmArguments } from '../host/rpmdb.ts';
import type { Run } from '../host/run.ts';

/** Our own store: one armored file a key, named by its fingerprint. */
export const KEY_STORE = 'var/lib/kpatch-pm/keys';

export type KeyHome = 'rpm' | 'store';

export interface TrustedKey {
  readonly key: PublicKey;
  /** Where it is kept; both when it is in both. */
  readonly homes: readonly KeyHome[];
}

export interface TrustedKeys {
  readonly keys: readonly TrustedKey[];
  /** Codes `rpm-missing`, `rpmdb-unreadable`, `key-unreadable`, `key-refused`: what to say once. */
  readonly notices: readonly Problem[];
}

/** Marks the start of each package in rpm's answer; cannot occur in armor. */
const MARK = '#key ';
const QUERY = `${MARK}%{VERSION}-%{RELEASE}\\n%{DESCRIPTION}\\n`;

/**
 * The keys this root trusts. What cannot be read (a key, the whole database) is left out and named in the notices:
 * fewer keys refuse more, they never let more through.
 */
export async function trustedKeys(root: Root, run: Run): Promise<TrustedKeys> {
  const notices: Problem[] = [];
  const rpm = await rpmKeys(root, run, notices);
  const store = storeKeys(root, notices);
  const inRpm = new Set(rpm.map((key) => key.fingerprint));
  const inStore = new Set(store.map((key) => key.fingerprint));
  const all = mergeKeys([...rpm, ...store]);
  const refused = root.isHost ? all.filter((key) => isTestKey(key.fingerprint)) : [];
  for (const { fingerprint } of refused) {
    notices.push({
      code: 'key-refused',
      text: `The published test key ${fingerprint} is in this system's keyring and is not trusted.`,
    });
  }
  const keys = all
    .filter((key) => !refused.includes(key))
    .map((key): TrustedKey => {
      const homes: KeyHome[] = [];
      if (inRpm.has(key.fingerprint)) homes.push('rpm');
      if (inStore.has(key.fingerprint)) homes.push('store');
      return { key, homes };
    });
  return { keys, notices };
}

async function rpmKeys(root: Root, run: Run, notices: Problem[]): Promise<PublicKey[]> {
  const database = findRpmdb(root);
  if (database === null) return [];
  if (run.which('rpm') === null) {
    const text = `The rpm database ${root.show(database)} is there, the program rpm is not: only keys in ${root.show(KEY_STORE)} are trusted.`;
    notices.push({ code: 'rpm-missing', text });
    return [];
  }
  const asked = await run.run('rpm', [...rpmArguments(root, database), '-qa', 'gpg-pubkey', '--qf', QUERY]);
  if (asked.status !== 0) {
    const text = `rpm could not read the keys of ${root.show(database)} (${firstLine(asked.stderr)}): only keys in ${root.show(KEY_STORE)} are trusted.`;
    notices.push({ code: 'rpmdb-unreadable', text });
    return [];
  }
  return asked.stdout
    .toString('latin1')
    .split(`\n${MARK}`)
    .map((block) => block.replace(MARK, ''))
    .filter((block) => block.trim() !== '')
    .flatMap((block) => {
      const name = block.slice(0, block.indexOf('\n'));
      return readKeysOf(`gpg-pubkey-${name}`, Buffer.from(block.slice(name.length), 'latin1'), notices);
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
  root.remove(storeFile(key));
  return { home: 'rpm', notice: null };
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

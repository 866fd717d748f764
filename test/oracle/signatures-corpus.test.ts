// Keys and signatures of real vendors, against what gpg and `cryptography` said of them when the corpus was made.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { config, type Key, readKey, readKeys } from 'openpgp';
import { judgeSignatures, verifyPackage } from '../../src/apply/verify.ts';
import { mergeKeys, type PublicKey, parseKeys } from '../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { codeOf } from '../support/code-of.ts';
import { corpusDir, describeCorpus } from '../support/corpus.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const dir = corpusDir() ?? '';
const bytesOf = (file: string): Buffer => readFileSync(path.join(dir, file));
const json = <T>(file: string): T => (dir === '' ? [] : JSON.parse(bytesOf(file).toString())) as T;

interface KeyFile {
  readonly file: string;
  readonly keyids: readonly string[];
  readonly uid: readonly string[];
}

/** Where our answer differs from the recorded one, and why. */
const MORE_KEYS: Readonly<Record<string, readonly string[]>> = {
  // gpg 2.2 reads no version 6 key; the third of the file is one (ML-DSA-87+Ed448).
  'distribution-gpg-keys__RPM-GPG-KEY-redhat10-release.asc': ['FCD355B305707A62'],
  'rpm__rpm-testkey-v6-ed25519.asc': ['EE11ADB4FB08151E', '715619AE2365D909'],
  'rpm__rpm-testkey-v6-rsa4k.asc': ['04F0F968F99081DF', '12E1F31E46105918'],
};
/** gpg's list shows the user ids of some keys of a file only. */
const MORE_USERS: Readonly<Record<string, readonly string[]>> = {
  'rpm__rpm-testkey-v4-keyring.asc': ['rpm-testkey-v4-ed25519 <rpm-testkey-v4-ed25519@example.com>'],
};

const keyFiles = json<KeyFile[]>('keys/index.json');

describeCorpus('key files', () => {
  test('there are some', () => expect(keyFiles.length).toBeGreaterThan(30));

  test.each(keyFiles.map((one) => [one.file, one] as const))('%s', (file, wanted) => {
    const keys = parseKeys(bytesOf(`keys/${file}`));
    const ids = keys.flatMap((key) => [key.keyid, ...key.subkeys.map(({ packet }) => packet.keyid)]);
    expect(ids.sort()).toEqual([...wanted.keyids, ...(MORE_KEYS[file] ?? [])].sort());
    const users = keys.flatMap(({ userIds }) => userIds);
    expect(users.sort()).toEqual([...wanted.uid, ...(MORE_USERS[file] ?? [])].sort());
  });

  // A second reader of keys, written by others, with its policy on algorithms switched off.
  const lenient = {
    ...config,
    rejectCurves: new Set<never>(),
    rejectPublicKeyAlgorithms: new Set<never>(),
    rejectHashAlgorithms: new Set<never>(),
    minRSABits: 512,
  };
  async function second(key: PublicKey): Promise<Key | null> {
    try {
      return await readKey({ binaryKey: key.bytes, config: lenient });
    } catch (error) {
      expect(String(error)).toMatch(/Unknown (public key|signature) algorithm|ml_dsa|No key packet found/i);
      expect(key.primary.packet.unsupported).not.toBeNull();
      return null;
    }
  }

  test.each(keyFiles.map(({ file }) => [file] as const))('%s as openpgp.js sees it', async (file) => {
    for (const key of parseKeys(bytesOf(`keys/${file}`))) {
      const other = await second(key);
      if (!other) continue;
      expect(key.fingerprint).toBe(other.getFingerprint().toUpperCase());
      expect(key.created).toEqual(other.getCreationTime());
      const expires = await other.getExpirationTime(undefined, lenient);
      expect(key.expires ?? Number.POSITIVE_INFINITY).toEqual(expires);
      const usable = [key.primary, ...key.subkeys].filter(
        (one) => one.unfit === null && one.revoked === null && (one.expires === null || one.expires > NOW),
      );
      const signing = await other.getSigningKey(undefined, NOW, undefined, lenient).catch(() => null);
      const name = signing?.getFingerprint().toUpperCase();
      expect(usable.map(({ packet }) => packet.fingerprint)).toEqual(
        name === undefined ? [] : expect.arrayContaining([name]),
      );
    }
  });

  test('a file of several blocks gives every key, where openpgp.js gives the first', async () => {
    const several = bytesOf('keys/distribution-gpg-keys__RPM-GPG-KEY-redhat9-release.asc');
    expect(parseKeys(several)).toHaveLength(2);
    expect(await readKeys({ armoredKeys: several.toString() })).toHaveLength(1);
  });
});

interface SignatureTruth {
  readonly tag: string;
  readonly covers: string;
  readonly version: number;
  readonly algorithm: string;
  readonly hash: string;
  readonly key_id?: string;
  readonly issuer_fingerprint?: string;
  readonly created?: number;
  readonly good: boolean | null;
  readonly verifies_with: readonly string[];
  readonly gpg_says_otherwise?: Readonly<Record<string, string>>;
}
interface PackageTruth {
  readonly file: string;
  readonly nevra: object | null;
  readonly signatures: readonly SignatureTruth[];
}

const packages = (json<{ packages?: PackageTruth[] }>('rpms/expected.json').packages ?? []).filter(
  ({ signatures }) => signatures?.length > 0,
);

describeCorpus('signatures of packages', () => {
  const keysIn = new Map(keyFiles.map(({ file }) => [`keys/${file}`, parseKeys(bytesOf(`keys/${file}`))]));
  const allKeys = mergeKeys([...keysIn.values()].flat());

  test('there are some', () => expect(packages.length).toBeGreaterThan(15));

  test.each(packages.map((one) => [one.file, one] as const))('%s', (file, { signatures }) => {
    const pkg = parseRpm(bytesOf(`rpms/${file}`));
    const stated = judgeSignatures(pkg, [], NOW).map(({ tag, covers, signature, verdict }) => {
      expect(verdict).toBe('no-key');
      const { version, algorithm, hash, keyid, fingerprint, created } = signature;
      return { tag, covers, version, algorithm, hash, keyid, fingerprint, created };
    });
    expect(stated).toEqual(
      signatures.map((one) => ({
        tag: one.tag,
        covers: one.covers,
        version: one.version,
        algorithm: one.algorithm,
        hash: one.hash,
        keyid: one.key_id ?? one.issuer_fingerprint?.slice(0, 16).toUpperCase(),
        fingerprint: one.issuer_fingerprint?.toUpperCase() ?? stated.find(({ tag }) => tag === one.tag)?.fingerprint,
        created: one.created === undefined ? expect.any(Date) : new Date(one.created * 1000),
      })),
    );
    // With each key file alone: right exactly where the truth says so, and never 'good' where gpg objects.
    for (const [keyFile, keys] of keysIn) {
      judgeSignatures(pkg, keys, NOW).forEach((judged, n) => {
        const truth = signatures[n] as SignatureTruth;
        const objection = truth.gpg_says_otherwise?.[keyFile];
        const fits = truth.verifies_with.includes(keyFile) || objection === 'EXPKEYSIG';
        expect([keyFile, judged.right]).toEqual([keyFile, fits ? true : null]);
        const weak = truth.hash === 'SHA1';
        const wanted = !fits ? 'no-key' : weak ? 'weak' : objection === 'EXPKEYSIG' ? 'good-expired-key' : 'good';
        expect([keyFile, judged.verdict]).toEqual([keyFile, wanted]);
      });
    }
  });

  test('what becomes of each package when every key of the corpus is trusted', () => {
    const outcome = packages.map(({ file }) => {
      const pkg = parseRpm(bytesOf(`rpms/${file}`));
      return [file, codeOf(() => verifyPackage(pkg, { keys: allKeys, allowUnsigned: false, now: NOW }))];
    });
    expect(Object.fromEntries(outcome.filter(([, what]) => what !== 'accepted'))).toEqual({
      'cavalier__centos-release-3.1-1.i386.rpm': 'signature-weak',
      'cavalier__centos-release-5-0.0.el5.centos.2.x86_64.rpm': 'signature-weak',
      'extractcode__libsqueeze0.2_0-0.2.3-8mdv2010.0.i586.rpm': 'key-untrusted',
      'rpm__hello-2.0-1.x86_64-corrupted.rpm': 'digest-bad',
      // Alice's key is there in two forms; the newer binding of the subkey is the one that had it expire.
      'rpm__hello-2.0-1.x86_64-signed-with-subkey.rpm': 'key-expired',
    });
  });

  test('a subkey that had expired when it signed does not count', () => {
    const pkg = parseRpm(bytesOf('rpms/rpm__hello-2.0-1.x86_64-signed-with-subkey.rpm'));
    const trust = (file: string) => ({ keys: keysIn.get(`keys/${file}`) ?? [], allowUnsigned: false, now: NOW });
    expect(verifyPackage(pkg, trust('rpm__alice.asc')).signer?.owner).toBe('Alice <alice@example.org>');
    expect(codeOf(() => verifyPackage(pkg, trust('rpm__alice-expired-subkey.asc')))).toBe('key-expired');
  });

  test('two keys with one key id are told apart', () => {
    const ids = ['rpm__keyidcollision1.pub', 'rpm__keyidcollision2.pub'].map((file) => keysIn.get(`keys/${file}`)?.[0]);
    expect(ids[0]?.keyid).toBe(ids[1]?.keyid);
    expect(ids[0]?.fingerprint).not.toBe(ids[1]?.fingerprint);
  });
});

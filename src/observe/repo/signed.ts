// repo_gpgcheck: whether repomd.xml is what somebody signed who may speak for the repository (dnf.conf(5), repo_gpgcheck).
// The keys are those of the repository alone, apart from the keys that sign packages (docs/security.md).
import { type ErrorCode, KpmError } from '../../errors.ts';
import {
  type HostPolicy,
  type PublicKey,
  parseKeys,
  parseSignatures,
  type Signature,
  type Verification,
  verifySignature,
} from '../../formats/openpgp/index.ts';
import type { Net } from '../../net/access.ts';
import { statusOf } from '../../net/failure.ts';
import { readAll } from '../../net/net.ts';
import { openAt, type RepoSource } from '../../net/source.ts';
import { shown } from '../../net/url.ts';
import type { RepoConfig } from '../config/types.ts';

const MAX_SIGNATURE = 64 * 1024;
const MAX_KEY_FILE = 1024 * 1024;

/** A key that a repository's gpgkey= offers. */
export interface OfferedMetadataKey {
  readonly key: PublicKey;
  /** The URL, without credentials. */
  readonly source: string;
}

/** Who may sign metadata, and how a new key comes to be accepted. */
export interface MetadataTrust {
  /** The keys of a repository; null: this user may not read them. */
  keys(repo: string): readonly PublicKey[] | null;
  /** Whether an offered key, which made a good signature, may sign for the repository from now on. May ask a person. */
  accept(repo: string, offered: OfferedMetadataKey): Promise<boolean>;
  /** What the host forbids besides. */
  readonly policy: HostPolicy | null;
}

/** Nobody is trusted and nobody asked: for callers that give no trust. */
export const NO_TRUST: MetadataTrust = { keys: () => null, accept: async () => false, policy: null };

/**
 * The detached signature beside repomd.xml, from the same mirror. Raises `repo-unsigned` where there is none.
 */
export async function fetchSignature(net: Net, source: RepoSource, base: string, repo: RepoConfig): Promise<Buffer> {
  const what = `signature of repository ${repo.id}`;
  try {
    const opened = await openAt(net, source, base, 'repodata/repomd.xml.asc', { what, maxBytes: MAX_SIGNATURE });
    return await readAll(opened.body);
  } catch (error) {
    const absent = statusOf(error) === 404 || (base.startsWith('file:') && isUnreachable(error));
    if (!absent) throw error;
    throw new KpmError('repo-unsigned', {
      text: `Repository ${repo.id}: repo_gpgcheck is on, and ${shown(base)} has no signature (repodata/repomd.xml.asc).`,
      subject: shown(base),
      hint: `Set repo_gpgcheck=0 for it in ${repo.origin.file} if its owner signs packages only.`,
      cause: error,
    });
  }
}

const isUnreachable = (error: unknown): boolean => error instanceof KpmError && error.code === 'net-unreachable';

/**
 * The fingerprint of the key that signed repomd.xml. A key that only gpgkey= knows is taken where `trust.accept` says so.
 * Raises `repo-signature-bad`, `repo-key-untrusted`.
 */
export async function signerOf(
  repomd: Buffer,
  blob: Buffer,
  repo: RepoConfig,
  net: Net,
  trust: MetadataTrust,
  now: Date,
): Promise<string> {
  const signatures = readSignatures(blob, repo);
  const judge = (keys: readonly PublicKey[]): Verification[] =>
    signatures.map((signature) => verifySignature(signature, [repomd], keys, now, trust.policy));
  const keys = trust.keys(repo.id);
  if (keys === null) {
    throw refused(
      'repo-key-untrusted',
      repo,
      'the keys of its metadata may only be read by root',
      'Run as root (sudo).',
    );
  }
  const known = settled(judge(keys), repo);
  if (known !== null) return known;
  for (const offered of await offers(repo, net)) {
    const verdict = settled(judge([offered.key]), repo);
    if (verdict === null) continue;
    if (await trust.accept(repo.id, offered)) return verdict;
    const { fingerprint, owner } = offered.key;
    throw refused(
      'repo-key-untrusted',
      repo,
      `its metadata is signed by ${fingerprint} (${owner}), which is not accepted for it`,
      'Compare the fingerprint with what its owner publishes, then run: kpatch-pm makecache',
    );
  }
  const by = signatures.map(({ fingerprint, keyid }) => fingerprint ?? keyid ?? 'an unnamed key').join(', ');
  const why = judge(keys).find(({ verdict }) => verdict !== 'no-key')?.reason;
  throw refused(
    'repo-key-untrusted',
    repo,
    `its metadata is signed by ${by}, and ${why ?? 'no key of its gpgkey= made that'}`,
    `Check gpgkey= of that repository in ${repo.origin.file}.`,
  );
}

function readSignatures(blob: Buffer, repo: RepoConfig): Signature[] {
  try {
    const signatures = parseSignatures(blob);
    if (signatures.length > 0) return signatures;
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    throw refused('repo-signature-bad', repo, 'its signature file is no signature', undefined, error);
  }
  throw refused('repo-signature-bad', repo, 'its signature file holds no signature');
}

/** The fingerprint of a good signature's key; null where none is good. A bad one by a known key ends it. */
function settled(verdicts: readonly Verification[], repo: RepoConfig): string | null {
  const bad = verdicts.find(({ verdict }) => verdict === 'bad');
  if (bad) throw refused('repo-signature-bad', repo, `the signature of its metadata is bad: ${bad.reason}`);
  return verdicts.find(({ verdict }) => verdict === 'good')?.key?.fingerprint ?? null;
}

async function offers(repo: RepoConfig, net: Net): Promise<OfferedMetadataKey[]> {
  const found: OfferedMetadataKey[] = [];
  for (const url of repo.gpgkey) {
    const what = `key of repository ${repo.id}`;
    try {
      const opened = await net.open(url, { access: repo, maxBytes: MAX_KEY_FILE, what });
      found.push(...parseKeys(await readAll(opened.body)).map((key) => ({ key, source: shown(url) })));
    } catch (error) {
      // Another gpgkey= may do; where none does, that is said.
      if (!(error instanceof KpmError)) throw error;
    }
  }
  return found;
}

function refused(code: ErrorCode, repo: RepoConfig, why: string, hint?: string, cause?: unknown): KpmError {
  return new KpmError(code, {
    text: `Repository ${repo.id}: ${why}.`,
    subject: repo.id,
    hint: hint ?? 'A mirror may be damaged or lying: try again with --refresh, and tell whoever runs the repository.',
    cause,
  });
}

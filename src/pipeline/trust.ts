// Whose signatures count in this run, and how a repository's own key comes to be trusted: by consent, once, in plain sight.
import { type SignedPackage, type Trust, verifyPackage, verifySigned } from '../apply/verify.ts';
import { isTestKey } from '../domain/testkeys.ts';
import { type ErrorCode, KpmError } from '../errors.ts';
import { mergeKeys, type PublicKey, parseKeys } from '../formats/openpgp/index.ts';
import type { RpmPackage } from '../formats/rpm/package.ts';
import { readCryptoPolicy } from '../host/crypto-policy.ts';
import type { Ui } from '../host/machine.ts';
import { shown } from '../net/url.ts';
import { importKey, trustedKeys } from '../state/keys.ts';
import { removedKeys } from '../state/removed-keys.ts';
import { consentTo, type OfferedKey, type Vouched, vouchedKey } from './consent.ts';
import { fetchKeyFile } from './fetch.ts';
import type { Observed } from './observed.ts';
import { pin, pinsOf, streamOf } from './pins.ts';
import type { Request } from './request.ts';

export interface Trustees {
  /**
   * Verifies a package of a repository (null: a file that a person named). Where only a key is missing, those of the
   * repository's gpgkey= are offered for consent. Raises the codes of verifySigned, and `aborted`.
   */
  verify(rpm: RpmPackage, repoId: string | null): Promise<SignedPackage>;
}

/** What a key of the repository may cure. */
const CURABLE: readonly ErrorCode[] = ['key-untrusted', 'key-expired'];

/** The keys of this root for one run; asked for once, kept until a key is added. */
export function makeTrustees(observed: Observed, request: Request, ui: Ui): Trustees {
  const { machine, config } = observed;
  const { root, run } = machine;
  const allowUnsigned = request.config.nogpgcheck || config.kpm.allowUnsigned;
  const offers = new Map<string, OfferedKey[]>();
  let keys: PublicKey[] | null = null;

  const trustFor = async (stream: string | null): Promise<Trust> => {
    keys ??= await trusted(observed, ui);
    const now = machine.now();
    const policy = readCryptoPolicy(machine.host, now);
    return { keys, allowUnsigned, now, policy, stream, pinned: stream === null ? null : pinsOf(observed, stream) };
  };

  const offered = async (repoId: string | null): Promise<OfferedKey[]> => {
    const found = offers.get(repoId ?? '') ?? (await offersOf(observed, repoId, ui));
    offers.set(repoId ?? '', found);
    return found;
  };

  /** Keys that a person did not want, by fingerprint: one answer is for all packages of the run. */
  const declined = new Map<string, KpmError>();

  const accept = async (offer: OfferedKey, trust: Trust): Promise<boolean> => {
    const { fingerprint } = offer.key;
    const before = declined.get(fingerprint);
    if (before) throw before;
    const by = { machine, ui, assumeYes: request.assumeYes, unattended: request.unattended };
    const key = await consentTo(offer, 'packages', by, trust.keys, removedKeys(root)).catch((error: unknown) => {
      if (error instanceof KpmError && error.code === 'aborted') declined.set(fingerprint, error);
      throw error;
    });
    if (key === null) return false;
    const imported = await importKey(root, run, key);
    if (imported.notice) ui.warn(imported.notice.text);
    keys = null;
    return true;
  };

  /** A pinned key hands over to the next: a release package it signed brings the new key to this machine. Null: it does not. */
  const heirOf = async (signer: PublicKey, trust: Trust): Promise<Vouched | null> => {
    const pinned = trust.keys.filter(({ fingerprint }) => trust.pinned?.includes(fingerprint));
    if (!trust.stream || isWritten(observed, trust.stream)) return null;
    if (removedKeys(root).some(({ fingerprint }) => fingerprint === signer.fingerprint)) return null;
    return vouchedKey(machine, signer.fingerprint, pinned, [], 'release');
  };

  const handOver = ({ voucher, key }: Vouched, stream: string): void => {
    ui.warn(
      `${voucher.package}, signed by the pinned key ${voucher.signedBy}, brings the key ${key.fingerprint} (${key.owner}): it is pinned for the stream ${stream} too.`,
    );
    pin(observed, stream, key, ui);
  };

  return {
    async verify(rpm, repoId) {
      const stream = streamOf(rpm.nevra.name);
      const trust = await trustFor(stream);
      const missing = attempt(() => verifySigned(rpm, trust));
      if (!(missing instanceof KpmError)) return missing;
      // From here on nothing is put off: nobody is asked, and no pin moved, for a package that is damaged anyway.
      // A pin refuses what a trusted key signed, unless the pinned key itself vouches for that key.
      const signer = missing.code === 'key-not-pinned' ? signerOf(rpm, { ...trust, pinned: null }, trust.keys) : null;
      if (signer) {
        const heir = await heirOf(signer, trust);
        if (heir === null || stream === null) throw missing;
        handOver(heir, stream);
        return verifyPackage(rpm, await trustFor(stream));
      }
      if (!CURABLE.includes(missing.code)) throw missing;
      // Judged with every key that is offered, before anybody is asked: what is bad, weak or revoked is called so.
      const offer = await offered(repoId);
      const all = mergeKeys([...trust.keys, ...offer.map(({ key }) => key)]);
      const good = signerOf(rpm, trust, all) ?? signerOf(rpm, { ...trust, pinned: null }, all);
      const proposed = offer.find(({ key }) => key.fingerprint === good?.fingerprint);
      if (!proposed) {
        verifyPackage(rpm, { ...trust, keys: all });
        throw missing;
      }
      const unpinned = trust.pinned?.includes(proposed.key.fingerprint) === false;
      const heir = unpinned ? await heirOf(proposed.key, trust) : null;
      // A key that a pin refuses anyway is not asked about.
      if (unpinned && heir === null) verifyPackage(rpm, { ...trust, keys: all });
      if (!(await accept(proposed, trust))) throw missing;
      if (heir !== null && stream !== null) handOver(heir, stream);
      return verifyPackage(rpm, await trustFor(stream));
    },
  };
}

/** The key that would make this package verified; null when none of `keys` does. Raises nothing of verifyPackage. */
function signerOf(rpm: RpmPackage, trust: Trust, keys: readonly PublicKey[]): PublicKey | null {
  const verified = attempt(() => verifyPackage(rpm, { ...trust, keys, allowUnsigned: false }));
  if (verified instanceof KpmError) return null;
  return keys.find(({ fingerprint }) => fingerprint === verified.signer?.fingerprint) ?? null;
}

function attempt<T>(act: () => T): T | KpmError {
  try {
    return act();
  } catch (error) {
    if (error instanceof KpmError) return error;
    throw error;
  }
}

/** Whether the pins of a stream are written in kpatch-pm.conf: then only its author changes them. */
function isWritten({ config }: Observed, stream: string): boolean {
  return config.kpm.pinnedKeys.some((pin) => pin.stream === stream);
}

async function trusted(observed: Observed, ui: Ui): Promise<PublicKey[]> {
  const found = await trustedKeys(observed.machine.root, observed.machine.run);
  for (const notice of found.notices) ui.note(notice.text);
  return found.keys.map(({ key }) => key).filter((key) => !refused(observed, key, ui));
}

/** The keys of a repository's gpgkey=. One file that cannot be had does not keep the others away. */
async function offersOf(observed: Observed, repoId: string | null, ui: Ui): Promise<OfferedKey[]> {
  const repo = observed.config.repos.find(({ id }) => id === repoId);
  const found: OfferedKey[] = [];
  for (const url of repo?.gpgkey ?? []) {
    const source = shown(url);
    try {
      const keys = parseKeys(await fetchKeyFile(observed, repoId as string, url));
      found.push(...keys.filter((key) => !refused(observed, key, ui)).map((key) => ({ key, source })));
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      ui.warn(`The key file ${source} of repository ${repoId} cannot be used: ${error.reason}`);
    }
  }
  return found;
}

/** The project's own test keys: their secret halves are public, so on the running system they count for nothing. */
function refused({ machine }: Observed, key: PublicKey, ui: Ui): boolean {
  if (!machine.root.isHost || !isTestKey(key.fingerprint)) return false;
  ui.warn(
    `The key ${key.fingerprint} (${key.owner}) is a published test key of kpatch-pm: it is never trusted on a running system.`,
  );
  return true;
}

// Whose signatures count in this run, and how a repository's own key comes to be trusted: by consent, once, in plain sight.
import { judgeSignatures, type Trust } from '../apply/verify.ts';
import { isTestKey } from '../domain/testkeys.ts';
import { KpmError } from '../errors.ts';
import { type PublicKey, parseKeys } from '../formats/openpgp/index.ts';
import type { RpmPackage } from '../formats/rpm/package.ts';
import { readCryptoPolicy } from '../host/crypto-policy.ts';
import type { Ui } from '../host/machine.ts';
import { importKey, trustedKeys } from '../state/keys.ts';
import { removedKeys } from '../state/removed-keys.ts';
import { fetchKeyFile } from './fetch.ts';
import type { Observed } from './observe.ts';
import type { Request } from './request.ts';

export interface Trustees {
  trust(): Promise<Trust>;
  /** Offers the `gpgkey=` keys of a repository that could verify this package; true when one was accepted. */
  offerKeysOf(repoId: string, rpm: RpmPackage): Promise<boolean>;
}

/** The keys of this root for one run; asked for once, kept until a key is added. */
export function makeTrustees(observed: Observed, request: Request, ui: Ui): Trustees {
  const { machine, config } = observed;
  const allowUnsigned = request.config.nogpgcheck || config.kpm.allowUnsigned;
  let keys: PublicKey[] | null = null;
  const asked = new Set<string>();

  const load = async (): Promise<PublicKey[]> => {
    const found = await trustedKeys(machine.root, machine.run);
    for (const notice of found.notices) ui.note(notice.text);
    return found.keys.map(({ key }) => key).filter((key) => !refused(observed, key, ui));
  };

  const consider = async (key: PublicKey, source: string): Promise<boolean> => {
    if (asked.has(key.fingerprint) || refused(observed, key, ui)) return false;
    asked.add(key.fingerprint);
    const removed = removedKeys(machine.root).find(({ fingerprint }) => fingerprint === key.fingerprint);
    if (removed && request.assumeYes) {
      ui.warn(
        `The key ${key.fingerprint} (${key.owner}) was removed on ${removed.since.slice(0, 10)}: -y does not bring it back, kpatch-pm keys import does.`,
      );
      return false;
    }
    ui.warn(
      `Importing key 0x${key.keyid}:\n Userid     : "${key.owner}"\n Fingerprint: ${spaced(key.fingerprint)}\n From       : ${source}`,
    );
    if (!(request.assumeYes || (await ui.confirm('Is this ok [y/N]: ')))) {
      throw new KpmError('aborted', { text: `The key ${key.fingerprint} was not accepted.`, subject: key.fingerprint });
    }
    const imported = await importKey(machine.root, machine.run, key);
    if (imported.notice) ui.warn(imported.notice.text);
    keys = null;
    return true;
  };

  return {
    trust: async () => {
      keys ??= await load();
      const now = machine.now();
      return { keys, allowUnsigned, now, policy: readCryptoPolicy(machine.host, now) };
    },
    offerKeysOf: async (repoId, rpm) => {
      const repo = config.repos.find(({ id }) => id === repoId);
      let accepted = false;
      for (const url of repo?.gpgkey ?? []) {
        for (const key of parseKeys(await fetchKeyFile(observed, repoId, url))) {
          if (couldVerify(rpm, key, machine.now())) accepted = (await consider(key, url)) || accepted;
        }
      }
      return accepted;
    },
  };
}

function couldVerify(rpm: RpmPackage, key: PublicKey, now: Date): boolean {
  return judgeSignatures(rpm, [key], now).some(({ verdict }) => verdict === 'good' || verdict === 'good-expired-key');
}

/** The project's own test keys: their secret halves are public, so on the running system they count for nothing. */
function refused({ machine }: Observed, key: PublicKey, ui: Ui): boolean {
  if (!machine.root.isHost || !isTestKey(key.fingerprint)) return false;
  ui.warn(
    `The key ${key.fingerprint} (${key.owner}) is a published test key of kpatch-pm: it is never trusted on a running system.`,
  );
  return true;
}

/** `AAAA BBBB ...`: a fingerprint as people compare it. */
function spaced(fingerprint: string): string {
  return fingerprint.replace(/(.{4})(?=.)/g, '$1 ');
}

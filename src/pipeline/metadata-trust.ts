// repo_gpgcheck in a run: which keys may sign a repository's metadata, and how a new one comes to be accepted. They are
// kept apart from the keys that sign packages (docs/security.md, section 3).
import { inTurn } from '../apply/in-turn.ts';
import { readCryptoPolicy } from '../host/crypto-policy.ts';
import type { Machine, Ui } from '../host/machine.ts';
import type { MetadataTrust, OfferedMetadataKey } from '../observe/repo/signed.ts';
import { trustedKeys } from '../state/keys.ts';
import { importMetadataKey, metadataKeys } from '../state/metadata-keys.ts';
import { consentTo } from './consent.ts';
import type { Request } from './request.ts';

/** Verbs that may take a new key for metadata: those that change the machine, and the one that fetches metadata. */
const MAY_ASK: readonly Request['verb'][] = ['auto', 'install', 'upgrade', 'downgrade', 'reinstall', 'makecache'];

/** The metadata keys of this root for one run. Verbs that only show, and dry runs, accept none. */
export function metadataTrust(machine: Machine, request: Request, ui: Ui): MetadataTrust {
  const { root, uid } = machine;
  const told = new Set<string>();
  const keysOf = (repo: string) => {
    const found = metadataKeys(root, uid, repo);
    for (const { code, text } of found.notices) {
      // Who is not root is served from what root checked; that is no trouble to be told of.
      const expected = code === 'file-unreadable' && uid !== 0;
      if (!told.has(text) && !expected) ui.warn(text);
      told.add(text);
    }
    return found;
  };
  const accept = async (repo: string, offered: OfferedMetadataKey): Promise<boolean> => {
    if (!MAY_ASK.includes(request.verb) || request.dryRun || (root.isHost && uid !== 0)) return false;
    const { assumeYes, unattended } = request;
    // A package of the machine may vouch for a key of metadata too, so its own keys are asked for only then.
    const trusted = unattended ? (await trustedKeys(root, machine.run)).keys.map(({ key }) => key) : [];
    const by = { machine, ui, assumeYes, unattended };
    const key = await consentTo(offered, { metadataOf: repo }, by, trusted, keysOf(repo).removed);
    if (key === null) return false;
    importMetadataKey(root, repo, key);
    return true;
  };
  // Repositories are looked at side by side; a person answers one question at a time.
  const next = inTurn();
  return {
    keys: (repo) => keysOf(repo).keys,
    accept: (repo, offered) => next(() => accept(repo, offered)),
    policy: readCryptoPolicy(machine.host, machine.now()),
  };
}

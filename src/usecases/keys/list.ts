// Which keys does this root trust, for what, and until when?
import type { Problem } from '../../domain/because.ts';
import { KpmError } from '../../errors.ts';
import type { PublicKey } from '../../formats/openpgp/index.ts';
import type { Machine } from '../../host/machine.ts';
import { readConfig } from '../../observe/config/config.ts';
import type { Config } from '../../observe/config/types.ts';
import { maySeeState } from '../../pipeline/holds.ts';
import { endOf } from '../../pipeline/key-ends.ts';
import type { Request } from '../../pipeline.ts';
import { STATE } from '../../state/directory.ts';
import { type KeyHome, trustedKeys } from '../../state/keys.ts';
import { allMetadataKeys } from '../../state/metadata-keys.ts';
import { readPins } from '../../state/pins.ts';
import { type RemovedKey, removedKeys } from '../../state/removed-keys.ts';

export type KeyState = 'good' | 'expired' | 'revoked' | 'unfit';

/** One key that is trusted for something. */
export interface KeyEntry {
  readonly key: PublicKey;
  /** The repository whose metadata it signs; null: it signs packages. */
  readonly repo: string | null;
  readonly homes: readonly KeyHome[];
  /** gpg-pubkey packages that hold it. */
  readonly packages: readonly string[];
  /** The streams that are pinned to it. */
  readonly pins: readonly string[];
  readonly state: KeyState;
  /** From when on it can sign nothing more; null: never. */
  readonly ends: Date | null;
}

export interface PinEntry {
  readonly stream: string;
  readonly fingerprint: string;
  /** Empty where it is not known. */
  readonly owner: string;
  /** ISO time; null for one that is written in kpatch-pm.conf. */
  readonly since: string | null;
  /** Whether the pins of kpatch-pm.conf for the same stream go before it. */
  readonly overruled: boolean;
}

export interface KeyList {
  /** Package keys first, then metadata keys by repository. */
  readonly keys: readonly KeyEntry[];
  readonly pins: readonly PinEntry[];
  /** Package keys removed on purpose. */
  readonly removed: readonly RemovedKey[];
  readonly notices: readonly Problem[];
}

/** The configuration, as far as keys need it; rpm is not asked for the release. */
export function configFor(machine: Machine, request: Request): Config {
  return readConfig(machine.root, {
    ...request.config,
    hostRoot: machine.host,
    env: machine.env,
    arch: machine.arch,
    releaseOf: () => null,
  });
}

/** Everything about the keys of a root. What cannot be read is named in the notices and left out. */
export async function listKeys(machine: Machine, config: Config): Promise<KeyList> {
  const { root, run, uid } = machine;
  const now = machine.now();
  const trusted = await trustedKeys(root, run);
  const metadata = allMetadataKeys(root, uid);
  const notices = [...trusted.notices, ...metadata.notices];
  const tell = (problem: Problem): void => void notices.push(problem);
  const pins = pinEntries(
    config,
    readPins(root, tell),
    trusted.keys.map(({ key }) => key),
  );
  const effective = pins.filter(({ overruled }) => !overruled);
  const entry = (key: PublicKey): Pick<KeyEntry, 'key' | 'state' | 'ends'> => ({ key, ...stateOf(key, now) });
  return {
    keys: [
      ...trusted.keys.map(({ key, homes, packages }): KeyEntry => {
        const streams = effective.filter(({ fingerprint }) => fingerprint === key.fingerprint);
        return { ...entry(key), repo: null, homes, packages, pins: streams.map(({ stream }) => stream) };
      }),
      ...metadata.keys.map(
        ({ key, repo }): KeyEntry => ({ ...entry(key), repo, homes: ['store'], packages: [], pins: [] }),
      ),
    ],
    pins,
    removed: removedKeys(root, tell),
    notices: maySeeState({ root, uid }) ? notices : hidden(root.show(STATE), notices),
  };
}

/** One sentence for all that lies in our own directory, in place of one for each file of it. */
function hidden(directory: string, notices: readonly Problem[]): Problem[] {
  const text = `Pins, removals and keys in ${directory} can be read by root only: what is shown is not all.`;
  return [{ code: 'needs-root', text }, ...notices.filter((notice) => !notice.text.startsWith(`${directory}/`))];
}

function pinEntries(config: Config, recorded: ReturnType<typeof readPins>, keys: readonly PublicKey[]): PinEntry[] {
  const owner = (fingerprint: string): string => keys.find((key) => key.fingerprint === fingerprint)?.owner ?? '';
  const written = config.kpm.pinnedKeys;
  return [
    ...written.flatMap(({ stream, fingerprints }) =>
      fingerprints.map((fingerprint) => ({
        stream,
        fingerprint,
        owner: owner(fingerprint),
        since: null,
        overruled: false,
      })),
    ),
    ...recorded.map((pin) => ({
      ...pin,
      owner: pin.owner || owner(pin.fingerprint),
      overruled: written.some(({ stream }) => stream === pin.stream),
    })),
  ];
}

function stateOf(key: PublicKey, now: Date): Pick<KeyEntry, 'state' | 'ends'> {
  const ends = endOf(key);
  if (key.revoked !== null) return { state: 'revoked', ends };
  if (ends === null || ends > now) return { state: 'good', ends };
  return { state: Number(ends) === 0 ? 'unfit' : 'expired', ends };
}

/** A fingerprint as typed: blanks, colons, `0x` and case do not matter. */
export function typedFingerprint(words: readonly string[]): string {
  return words.join('').replace(/[\s:]/g, '').replace(/^0x/i, '').toUpperCase();
}

/**
 * The key a person names by its fingerprint, or by the last 16 or more digits of it where only one fits.
 * `repo`: among the metadata keys of that repository; null: among the package keys. Raises `key-missing`.
 */
export function keyNamed(list: KeyList, typed: string, repo: string | null): KeyEntry {
  const there = list.keys.filter((entry) => entry.repo === repo);
  const found = /^[0-9A-F]{16,64}$/.test(typed) ? there.filter(({ key }) => key.fingerprint.endsWith(typed)) : [];
  if (found.length === 1 && found[0]) return found[0];
  const where = repo === null ? 'the keys that sign packages' : `the keys for the metadata of ${repo}`;
  const many = found.length > 1 ? 'more than one key' : 'no key';
  throw new KpmError('key-missing', {
    text: `There is ${many} ${typed} among ${where}.`,
    subject: typed,
    hint: 'Name it by its whole fingerprint, as kpatch-pm keys list shows it.',
  });
}

// Changing what is trusted: by a person's word, in plain sight, under the lock of the root.
import { recover } from '../../apply/install.ts';
import { KpmError } from '../../errors.ts';
import { mergeKeys, type PublicKey } from '../../formats/openpgp/index.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import type { Config } from '../../observe/config/types.ts';
import { consentTo, introduction, type OfferedKey, tellOffer } from '../../pipeline/consent.ts';
import type { Signs } from '../../pipeline/key-ends.ts';
import { keyAction } from '../../pipeline/record.ts';
import { recordAlone } from '../../pipeline/record-alone.ts';
import { lock, type Request } from '../../pipeline.ts';
import { importKey, removeKey } from '../../state/keys.ts';
import type { LockedState } from '../../state/lock.ts';
import { importMetadataKey, metadataKeys, removeMetadataKey } from '../../state/metadata-keys.ts';
import { addPin, readPins, removePin } from '../../state/pins.ts';
import { removedKeys } from '../../state/removed-keys.ts';
import { type KeyEntry, keyNamed, listKeys } from './list.ts';
import { keysFrom } from './source.ts';

/** What a change is made with. */
export interface KeyChange {
  readonly machine: Machine;
  readonly config: Config;
  readonly request: Request;
  readonly ui: Ui;
  /** The repository whose metadata keys are meant; null: the package keys. */
  readonly repo: string | null;
}

/** One thing that was done. */
export interface KeyDone {
  readonly do: 'import' | 'remove' | 'pin' | 'unpin';
  readonly fingerprint: string;
  readonly owner: string;
  /** Of a pin. */
  readonly stream: string | null;
  /** Of a metadata key. */
  readonly repo: string | null;
}

/** What an earlier run left is finished first. A dry run takes no lock: it changes nothing, and gives what would be done. */
async function underLock<T>(
  { machine, request, ui }: KeyChange,
  act: (locked: LockedState | null) => Promise<T>,
): Promise<T> {
  if (request.dryRun) return act(null);
  const locked = await lock(machine, request, ui);
  try {
    await recover(machine, locked, ui);
    return await act(locked);
  } finally {
    locked.release();
  }
}

/** Does what was planned, one after the other, and keeps it in the history. A dry run (`locked` null) only gives it. */
async function carryOut(
  { machine, request, ui }: KeyChange,
  locked: LockedState | null,
  planned: readonly KeyDone[],
  act: (n: number) => Promise<void> | void,
): Promise<KeyDone[]> {
  if (locked === null) return [...planned];
  const actions = planned.map(({ do: verb, fingerprint, owner, stream, repo }) =>
    keyAction(verb, { fingerprint, owner, stream, repo }),
  );
  await recordAlone({ machine, locked, warn: ui.warn }, request.commandLine ?? 'keys', actions, async (record) => {
    for (const n of planned.keys()) {
      try {
        await act(n);
      } catch (error) {
        if (error instanceof KpmError) record.failed(n, error);
        throw error;
      }
      record.done(n);
    }
  });
  return [...planned];
}

/**
 * Trusts the keys of files and URLs, each after consent; nothing is imported before all were consented to. What is there
 * already in this form is left as it is. Raises `aborted`, `key-refused` and what reading the sources raises.
 */
export async function importKeys(change: KeyChange, sources: readonly string[], directory: string): Promise<KeyDone[]> {
  const { machine, config, repo, ui } = change;
  return underLock(change, async (locked) => {
    const offers: OfferedKey[] = [];
    for (const source of sources) offers.push(...(await keysFrom(machine, config, source, directory)));
    const list = await listKeys(machine, config);
    const there = list.keys.filter((entry) => entry.repo === repo).map(({ key }) => key);
    const trusted = list.keys.filter((entry) => entry.repo === null).map(({ key }) => key);
    const accepted: PublicKey[] = [];
    const signs: Signs = repo === null ? 'packages' : { metadataOf: repo };
    for (const offer of offers) {
      if (isKnown(offer.key, there)) {
        ui.note(`The key ${offer.key.fingerprint} (${offer.key.owner}) is trusted already.`);
        continue;
      }
      if (change.request.dryRun) {
        tellOffer(offer, signs, machine.now(), ui, ui.note);
        accepted.push(offer.key);
        continue;
      }
      const key = await consentTo(offer, signs, consenting(change), trusted, removedFor(change));
      if (key !== null) accepted.push(key);
    }
    const planned = accepted.map(
      ({ fingerprint, owner }): KeyDone => ({ do: 'import', fingerprint, owner, stream: null, repo }),
    );
    return carryOut(change, locked, planned, (n) => keep(change, accepted[n] as PublicKey));
  });
}

const consenting = ({ machine, ui, request }: KeyChange) => ({
  machine,
  ui,
  assumeYes: request.assumeYes,
  unattended: request.unattended,
});

/** A person who names a key that was removed wants it back; while nobody is there, nobody does. */
function removedFor({ machine, request, repo }: KeyChange) {
  if (!request.unattended) return [];
  return repo === null ? removedKeys(machine.root) : metadataKeys(machine.root, machine.uid, repo).removed;
}

/** Whether a key is there, and what is offered says nothing new of it. */
function isKnown(key: PublicKey, there: readonly PublicKey[]): boolean {
  const mine = there.find(({ fingerprint }) => fingerprint === key.fingerprint);
  return mine !== undefined && mergeKeys([mine, key])[0]?.bytes.equals(mine.bytes) === true;
}

async function keep({ machine, ui, repo }: KeyChange, key: PublicKey): Promise<void> {
  if (repo !== null) {
    importMetadataKey(machine.root, repo, key);
    return;
  }
  const { notice } = await importKey(machine.root, machine.run, key);
  if (notice) ui.warn(notice.text);
}

/** Takes a key away, after a question; it stays away until it is imported again. Raises `aborted`, `key-missing`. */
export async function dropKey(change: KeyChange, typed: string): Promise<KeyDone[]> {
  const { machine, config, repo } = change;
  return underLock(change, async (locked) => {
    const entry = keyNamed(await listKeys(machine, config), typed, repo);
    const { key, homes, packages } = entry;
    const planned: KeyDone[] = [{ do: 'remove', fingerprint: key.fingerprint, owner: key.owner, stream: null, repo }];
    if (locked === null) return planned;
    await agree(change, `${introduction('Removing key', { key, source: keptIn(entry) })}${afterwards(entry)}`);
    const now = machine.now().toISOString();
    return carryOut(change, locked, planned, () =>
      repo === null
        ? removeKey(machine.root, machine.run, { key, homes, packages }, now)
        : removeMetadataKey(machine.root, { repo, key }, now),
    );
  });
}

const keptIn = ({ packages, repo }: KeyEntry): string =>
  repo === null
    ? [...packages, ...(packages.length === 0 ? ['the keys of kpatch-pm'] : [])].join(', ')
    : `the keys for the metadata of ${repo}`;

function afterwards({ pins }: KeyEntry): string {
  return pins.map((stream) => `\n Pinned for : ${stream}; its live patches by this key will be refused`).join('');
}

async function agree({ request, ui }: KeyChange, text: string): Promise<void> {
  ui.warn(text);
  if (request.assumeYes || (await ui.confirm('Is this ok'))) return;
  throw new KpmError('aborted', { text: 'Operation aborted.' });
}

/**
 * Lets a key sign a stream; the keys pinned before stay. A key that is not trusted yet may be pinned by its whole
 * fingerprint. Raises `key-missing`, `aborted`, `pins-written`.
 */
export async function pinKey(change: KeyChange, stream: string, typed: string): Promise<KeyDone[]> {
  const { machine, config, ui } = change;
  return underLock(change, async (locked) => {
    mayChange(config, stream);
    const list = await listKeys(machine, config);
    const whole = /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/.test(typed);
    const known = list.keys.some(({ key, repo }) => repo === null && key.fingerprint === typed);
    const key = whole && !known ? { fingerprint: typed, owner: '' } : keyNamed(list, typed, null).key;
    if (!known && whole) ui.warn(`The key ${typed} is not trusted yet: a pin alone does not make it so.`);
    const { fingerprint, owner } = key;
    const planned: KeyDone[] = [{ do: 'pin', fingerprint, owner, stream, repo: null }];
    const there = readPins(machine.root).some((pin) => pin.stream === stream && pin.fingerprint === fingerprint);
    if (there) return planned;
    return carryOut(change, locked, planned, () =>
      addPin(machine.root, { stream, fingerprint, owner, since: machine.now().toISOString() }),
    );
  });
}

/** Takes the pin of one key away (`typed` null: all of the stream). Without any pin left, every trusted key may sign. */
export async function unpinKey(change: KeyChange, stream: string, typed: string | null): Promise<KeyDone[]> {
  const { machine, config } = change;
  return underLock(change, async (locked) => {
    mayChange(config, stream);
    const mine = readPins(machine.root).filter((pin) => pin.stream === stream);
    const gone = mine.filter(
      ({ fingerprint }) => typed === null || (typed.length >= 16 && fingerprint.endsWith(typed)),
    );
    if (gone.length === 0) {
      throw new KpmError('key-missing', {
        text:
          typed === null ? `The stream ${stream} is not pinned.` : `The stream ${stream} is not pinned to ${typed}.`,
        subject: stream,
        hint: 'See: kpatch-pm keys list',
      });
    }
    const planned = gone.map(
      ({ fingerprint, owner }): KeyDone => ({ do: 'unpin', fingerprint, owner, stream, repo: null }),
    );
    return carryOut(change, locked, planned, (n) =>
      removePin(machine.root, stream, (planned[n] as KeyDone).fingerprint),
    );
  });
}

/** What an administrator wrote into kpatch-pm.conf is changed there. */
function mayChange({ kpm }: Config, stream: string): void {
  if (!kpm.pinnedKeys.some((pin) => pin.stream === stream)) return;
  throw new KpmError('pins-written', {
    text: `The keys of the stream ${stream} are written in the configuration of kpatch-pm, which goes before what is recorded.`,
    subject: stream,
    hint: `Change [pins] in ${kpm.files.join(' or ')}`,
  });
}

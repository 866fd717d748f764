// How a key comes to be accepted: shown with owner, fingerprint and source, then asked about, answered beforehand (-y),
// or, where nobody is there, only if a verified installed package of this machine vouches for it.
import path from 'node:path';
import { KpmError } from '../errors.ts';
import { type PublicKey, parseKeys } from '../formats/openpgp/index.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { type Voucher, voucherOf } from '../state/key-voucher.ts';
import type { RemovedKey } from '../state/removed-keys.ts';
import { caution, type Signs } from './key-ends.ts';

/** A key as somebody offers it. */
export interface OfferedKey {
  readonly key: PublicKey;
  /** Where it comes from: a URL, without credentials, or the name of a file. */
  readonly source: string;
}

export interface Consenting {
  readonly machine: Machine;
  readonly ui: Ui;
  readonly assumeYes: boolean;
  /** Nobody is there: no question is asked, and `assumeYes` does not count. */
  readonly unattended: boolean;
}

/** `AAAA BBBB ...`: a fingerprint as people compare it. */
export function spaced(fingerprint: string): string {
  return fingerprint.replace(/(.{4})(?=.)/g, '$1 ');
}

/** What a person must see of a key before it is trusted, and a warning where it can sign nothing more. */
export function tellOffer(offered: OfferedKey, signs: Signs, now: Date, ui: Ui, say = ui.warn): void {
  say(introduction(titleOf(signs), offered));
  const bad = caution(offered.key, now, signs);
  if (bad !== null) ui.warn(bad);
}

function titleOf(signs: Signs): string {
  if (signs === 'packages') return 'Importing key';
  return `Importing key for ${signs === 'bundles' ? signs : `the metadata of ${signs.metadataOf}`},`;
}

/** What a person must see of a key. `what`: `Removing key`. */
export function introduction(what: string, { key, source }: OfferedKey): string {
  return `${what} 0x${key.keyid}:\n Userid     : "${key.owner}"\n Fingerprint: ${spaced(key.fingerprint)}\n From       : ${source}`;
}

/**
 * Whether a key that is offered may be trusted from now on; the form of it that may. Null: no, and why was said.
 * `trusted`: the keys that may vouch, `removed`: those a person took away. Raises `aborted` when a person says no.
 */
export async function consentTo(
  offered: OfferedKey,
  signs: Signs,
  by: Consenting,
  trusted: readonly PublicKey[],
  removed: readonly RemovedKey[],
): Promise<PublicKey | null> {
  const { key, source } = offered;
  const { ui, assumeYes, unattended } = by;
  const gone = removed.find(({ fingerprint }) => fingerprint === key.fingerprint);
  if (gone && (assumeYes || unattended)) {
    ui.warn(
      `The key ${key.fingerprint} (${key.owner}) was removed on ${gone.since.slice(0, 10)}: ${unattended ? 'it does not come back by itself' : '-y does not bring it back'}, kpatch-pm keys import does.`,
    );
    return null;
  }
  if (unattended) {
    const vouched = await vouchedKey(by.machine, key.fingerprint, trusted, [source], 'any');
    if (vouched === null) {
      ui.warn(
        `The key ${key.fingerprint} (${key.owner}) from ${source} is not accepted while nobody is there: no verified installed package brings it.`,
      );
      return null;
    }
    const { voucher } = vouched;
    ui.warn(introduction(titleOf(signs), { key: vouched.key, source: `${vouched.file}, of ${voucher.package}` }));
    return vouched.key;
  }
  tellOffer(offered, signs, by.machine.now(), ui);
  if (assumeYes || (await ui.confirm('Is this ok [y/N]: '))) return key;
  throw new KpmError('aborted', { text: `The key ${key.fingerprint} was not accepted.`, subject: key.fingerprint });
}

export interface Vouched {
  readonly key: PublicKey;
  readonly file: string;
  readonly voucher: Voucher;
}

/** Where release packages put the keys of their vendor. */
const KEY_DIRECTORY = 'etc/pki/rpm-gpg';
/** More files than any distribution has there. */
const MOST_FILES = 200;
const MAX_KEY_FILE = 1024 * 1024;

/**
 * A key by its fingerprint, out of a key file of the root that belongs to an installed package which one of `by` signed
 * (key-voucher.ts); null when there is none. `urls`: file: ones are looked at too. `from`: see voucherOf.
 */
export async function vouchedKey(
  machine: Machine,
  fingerprint: string,
  by: readonly PublicKey[],
  urls: readonly string[],
  from: 'any' | 'release',
): Promise<Vouched | null> {
  const { root, run } = machine;
  const listed = root.list(KEY_DIRECTORY).map((name) => `/${KEY_DIRECTORY}/${name}`);
  const named = urls.flatMap((url) => pathOf(url) ?? []);
  for (const file of [...new Set([...named, ...listed])].slice(0, MOST_FILES)) {
    if (keyIn(() => root.read(file, MAX_KEY_FILE), fingerprint) === null) continue;
    const voucher = await voucherOf(root, run, file, by, machine.now(), from);
    // What was vouched for is what is taken, not what lay there a moment before.
    const key = voucher === null ? null : keyIn(() => voucher.content, fingerprint);
    if (voucher !== null && key !== null) return { key, file, voucher };
  }
  return null;
}

/** The path of a file: URL; null for anything else. */
function pathOf(url: string): string | null {
  try {
    const { protocol, pathname } = new URL(url);
    return protocol === 'file:' ? path.posix.normalize(decodeURIComponent(pathname)) : null;
  } catch {
    return null;
  }
}

function keyIn(read: () => Buffer | null, fingerprint: string): PublicKey | null {
  try {
    const bytes = read();
    return (bytes && parseKeys(bytes).find((key) => key.fingerprint === fingerprint)) ?? null;
  } catch (error) {
    // What cannot be read, or is no key, vouches for nothing.
    if (error instanceof KpmError) return null;
    throw error;
  }
}

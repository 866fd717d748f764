// When a key can sign nothing more, and what a person must know of one that cannot.
import type { PublicKey } from '../formats/openpgp/index.ts';

/** When a key can sign no more; null: never. A revoked or unfit key, or one that has no part for signing, has ended. */
export function endOf({ primary, subkeys }: PublicKey): Date | null {
  const ends = [primary, ...subkeys].filter((key) => key.revoked === null && key.unfit === null);
  if (ends.some(({ expires }) => expires === null)) return null;
  return new Date(Math.max(0, ...ends.map(({ expires }) => Number(expires))));
}

/** What a key is trusted to sign. */
export type Signs = 'packages' | 'bundles' | { readonly metadataOf: string };

/** What a person must know of a key that can sign nothing more, in two sentences; null for one that can. */
export function caution(key: PublicKey, now: Date, signs: Signs): string | null {
  const who = `The key ${key.fingerprint} (${key.owner})`;
  if (key.revoked !== null) {
    const how = key.revoked.startsWith('revoked ') ? `was ${key.revoked}` : `counts as revoked: ${key.revoked}`;
    return `${who} ${how}. Nothing that it signed is accepted.`;
  }
  const end = endOf(key);
  if (end === null || end > now) return null;
  if (Number(end) > 0) {
    // A package may lie about for years; metadata and bundles are signed anew each time.
    const still = signs === 'packages' ? 'Only what it signed before that day' : 'Nothing that it signed';
    return `${who} expired on ${end.toISOString().slice(0, 10)}. ${still} is accepted.`;
  }
  return `${who} cannot sign: ${key.primary.unfit ?? 'no part of it may'}. Nothing that it signed is accepted.`;
}

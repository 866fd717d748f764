// The digests and sizes a package carries about itself, recomputed. They find damage; only signatures find forgery.
// Source: rpm's format_v3, format_v4 and format_v6 documents. Which tag covers what:
//   signature header: SHA1, SHA256, SHA3-256 over the main header; MD5 and SIZE over header and payload
//   main header: payload digests over the payload as it travels, or ("alternative") as it is when opened
import { type DigestVerdict, digestOf } from './hash.ts';
import { malformed } from './malformed.ts';
import type { RpmPackage } from './package.ts';
import { HASH_BY_NUMBER, SIGTAG, TAG } from './tags.ts';
import { WholeDigest } from './whole-digest.ts';

export interface Declared {
  readonly algorithm: string;
  /** Lower-case hex. */
  readonly value: string;
}

function payloadAlgorithm(pkg: RpmPackage): string {
  const number = pkg.header.number(TAG.payloadDigestAlgo) ?? 8;
  const algorithm = HASH_BY_NUMBER[number];
  if (algorithm === undefined) throw malformed(`its payload digest uses the unknown algorithm ${number}`);
  return algorithm;
}

/** The payload digests the header declares, over the payload as it travels (`alt` false) or opened. */
function declared(pkg: RpmPackage, alt: boolean): Declared[] {
  const list: Declared[] = [];
  const add = (algorithm: string, value: string | undefined | null): void => {
    if (value) list.push({ algorithm, value: value.toLowerCase() });
  };
  const { header } = pkg;
  add(payloadAlgorithm(pkg), header.texts(alt ? TAG.payloadDigestAlt : TAG.payloadDigest)[0]);
  add('sha512', header.texts(alt ? TAG.payloadSha512Alt : TAG.payloadSha512)[0]);
  add('sha3-256', header.texts(alt ? TAG.payloadSha3Alt : TAG.payloadSha3)[0]);
  return list;
}

/** Digests of the payload: each algorithm is computed once, however often it is declared. */
function payloadDigests(payload: Buffer): (declared: Declared) => boolean | null {
  const made = new Map<string, string | null>();
  return ({ algorithm, value }) => {
    if (!made.has(algorithm)) made.set(algorithm, digestOf(algorithm, payload));
    const digest = made.get(algorithm) ?? null;
    return digest === null ? null : digest === value;
  };
}

/** Compares; null where this machine refuses the algorithm (FIPS mode and MD5) or does not know it. */
function matches({ algorithm, value }: Declared, ...pieces: Buffer[]): boolean | null {
  const digest = digestOf(algorithm, ...pieces);
  return digest === null ? null : digest === value;
}

/** The digests of the open payload that the header declares. Used by readPayload, which has it open. */
export const payloadAltDigests = (pkg: RpmPackage): readonly Declared[] => declared(pkg, true);

/**
 * Recomputes every digest and size of a package that needs no unpacking. A payload may travel opened: then the
 * digests of the open payload count (named `open payload`) and not the others, as rpm has it.
 * Digests this machine cannot compute are left out of the list. Raises `rpm-malformed`.
 */
export function checkDigests(pkg: RpmPackage): DigestVerdict[] {
  const { found, rest } = checkDigestsInPart(pkg);
  const last = rest.verdict();
  return last === null ? found : [...found, last];
}

/** The same, but for the digest over header and payload, which takes the longest and says the least: `rest` makes it in steps. */
export function checkDigestsInPart(pkg: RpmPackage): { readonly found: DigestVerdict[]; readonly rest: WholeDigest } {
  const found: DigestVerdict[] = [];
  const add = (name: string, algorithm: string, good: boolean | null): void => {
    if (good !== null) found.push({ name, algorithm, verdict: good ? 'ok' : 'bad' });
  };
  const { signature, header, headerBytes, payload } = pkg;

  for (const [tag, algorithm] of [
    [SIGTAG.sha1Header, 'sha1'],
    [SIGTAG.sha256Header, 'sha256'],
    [SIGTAG.sha3Header, 'sha3-256'],
  ] as const) {
    const value = signature.text(tag);
    if (value !== null) add('header', algorithm, matches({ algorithm, value: value.toLowerCase() }, headerBytes));
  }

  const travelling = declared(pkg, false);
  const open = declared(pkg, true);
  const fits = payloadDigests(payload);
  const opened = open.length > 0 && open.every((one) => fits(one) !== false);
  if (opened) for (const one of open) add('open payload', one.algorithm, fits(one));
  const same = travelling.map(fits);
  if (!opened || same.every((good) => good !== false)) {
    for (const [n, one] of travelling.entries()) add('payload', one.algorithm, same[n] as boolean | null);
    const size = header.number(TAG.payloadSize);
    if (size !== null) add('payload size', 'bytes', size === payload.length);
  }

  const size = signature.number(SIGTAG.longSize) ?? signature.number(SIGTAG.size);
  if (size !== null) add('size', 'bytes', size === headerBytes.length + payload.length);
  return { found, rest: new WholeDigest(pkg) };
}

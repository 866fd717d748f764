// Where a package keeps its signatures, and which bytes each covers. What is inside them, formats/openpgp knows.
// Source: rpm's format_v3, format_v4 and format_v6 documents.
import { malformed } from './malformed.ts';
import type { RpmPackage } from './package.ts';
import { SIGTAG } from './tags.ts';

export interface SignatureBlob {
  /** rpm's name of the tag. */
  readonly tag: 'OPENPGP' | 'RSAHEADER' | 'DSAHEADER' | 'SIGPGP' | 'SIGGPG' | 'SIGPGP5';
  readonly number: number;
  readonly covers: 'header' | 'header+payload';
  /** OpenPGP packets, binary. */
  readonly blob: Buffer;
  /** The exact bytes that were signed, in pieces. */
  readonly signed: Buffer[];
}

const PLACES = [
  // EdDSA and ECDSA signatures lie in DSAHEADER as well; the names are older than the algorithms.
  ['RSAHEADER', SIGTAG.rsaHeader, 'header'],
  ['DSAHEADER', SIGTAG.dsaHeader, 'header'],
  ['SIGPGP', SIGTAG.pgp, 'header+payload'],
  ['SIGGPG', SIGTAG.gpg, 'header+payload'],
  ['SIGPGP5', SIGTAG.pgp5, 'header+payload'],
] as const;

const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/** All signatures of a package, those of newer rpm (any number, tag OPENPGP) first. Raises `rpm-malformed`. */
export function signatureBlobs(pkg: RpmPackage): SignatureBlob[] {
  const found: SignatureBlob[] = [];
  for (const text of pkg.signature.texts(SIGTAG.openpgp)) {
    if (!BASE64.test(text)) throw malformed('a signature (tag OPENPGP) is not base64');
    const blob = Buffer.from(text, 'base64');
    found.push({ tag: 'OPENPGP', number: SIGTAG.openpgp, covers: 'header', blob, signed: [pkg.headerBytes] });
  }
  for (const [tag, number, covers] of PLACES) {
    const blob = pkg.signature.binary(number);
    if (blob === null) continue;
    const signed = covers === 'header' ? [pkg.headerBytes] : [pkg.headerBytes, pkg.payload];
    found.push({ tag, number, covers, blob, signed });
  }
  return found;
}

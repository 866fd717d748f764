// A package file as a whole: lead, signature header, main header, payload. The bytes that are checked are the bytes
// that are extracted: everything below is a view on one buffer.
// Source: rpm's format_lead, format_v3, format_v4 and format_v6 documents.
import type { Nevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import { parseHeader, type RpmHeader } from './header.ts';
import { malformed } from './malformed.ts';
import { SIGTAG, TAG } from './tags.ts';

/** The largest package file that is taken; live-patch packages have some MB. */
export const MAX_PACKAGE_BYTES = 256 * 1024 * 1024;

/** Bytes of packages that one stage of a run keeps in memory for the next; nearly every run has less, the rest waits in files. */
export const PACKAGES_IN_MEMORY = 16 * 1024 * 1024;

const LEAD_SIZE = 96;
const LEAD_MAGIC = Buffer.from([0xed, 0xab, 0xee, 0xdb]);
/** Signature type 5: "a header structure follows"; the older ones died with rpm 2. */
const HEADER_SIGNATURE = 5;

export interface Lead {
  readonly major: number;
  readonly minor: number;
  /** What the lead says the package is; history, the header decides. */
  readonly type: 'binary' | 'source';
  readonly name: string;
}

export interface RpmPackage {
  readonly bytes: Buffer;
  /** 6 by its RPMFORMAT tag, 4 by a header digest beside it, else 3. */
  readonly format: 3 | 4 | 6;
  readonly source: boolean;
  readonly lead: Lead;
  readonly signature: RpmHeader;
  readonly header: RpmHeader;
  /** The main header exactly as header digests and header signatures cover it. */
  readonly headerBytes: Buffer;
  /** The compressed payload: everything behind the header. */
  readonly payload: Buffer;
  readonly nevra: Nevra;
}

function parseLead(bytes: Buffer): Lead {
  if (bytes.length < 4 || !bytes.subarray(0, 4).equals(LEAD_MAGIC)) {
    throw new KpmError('not-rpm', {
      text: 'This is no RPM package: it does not start as one.',
      hint: 'A mirror may have sent an error page; look at the first lines of the file.',
    });
  }
  if (bytes.length < LEAD_SIZE) throw malformed('it ends within its first 96 bytes');
  const major = bytes.readUInt8(4);
  if (major < 3 || major > 4) throw malformed(`its lead names format ${major}`);
  if (bytes.readUInt16BE(78) !== HEADER_SIGNATURE) throw malformed('its lead names an unknown kind of signature');
  const name = bytes.subarray(10, 76).toString('latin1');
  return {
    major,
    minor: bytes.readUInt8(5),
    type: bytes.readUInt16BE(6) === 1 ? 'source' : 'binary',
    name: name.split('\0')[0] ?? '',
  };
}

/** The characters an rpm name, version, release or architecture may have; none of them is special in a path. */
const WORD = /^[A-Za-z0-9_][A-Za-z0-9._+~^%{}-]*$/;

function readNevra(header: RpmHeader, source: boolean): Nevra {
  const word = (tag: number, what: string, pattern: RegExp = WORD): string => {
    const text = header.text(tag);
    if (text === null) throw malformed(`it has no ${what}`);
    if (!pattern.test(text) || text.length > 255) throw malformed(`its ${what} ${JSON.stringify(text)} is not allowed`);
    return text;
  };
  return {
    name: word(TAG.name, 'name'),
    epoch: header.number(TAG.epoch) ?? 0,
    version: word(TAG.version, 'version', /^[A-Za-z0-9._+~^%{}]+$/),
    release: word(TAG.release, 'release', /^[A-Za-z0-9._+~^%{}]+$/),
    // The header of a source package names the machine it was made on.
    arch: source ? 'src' : word(TAG.arch, 'architecture'),
  };
}

/**
 * Reads a whole package file. Nothing is verified here but the form: digests are `checkDigests`, signatures
 * `signatureBlobs`, the payload `readPayload`.
 * Raises `not-rpm` (another kind of file), `rpm-malformed` (broken form), `too-large`.
 */
export function parseRpm(bytes: Buffer): RpmPackage {
  if (bytes.length > MAX_PACKAGE_BYTES) {
    throw new KpmError('too-large', {
      text: `The package is ${bytes.length} bytes long, more than the ${MAX_PACKAGE_BYTES} allowed.`,
    });
  }
  const lead = parseLead(bytes);
  const { header: signature, end: signatureEnd } = parseHeader(bytes, LEAD_SIZE, 'signature');
  const headerStart = signatureEnd + ((8 - (signatureEnd % 8)) % 8);
  if (bytes.subarray(signatureEnd, headerStart).some((byte) => byte !== 0)) {
    throw malformed('the padding behind the signature header is not zero');
  }
  const { header, end } = parseHeader(bytes, headerStart, 'main');
  const digested = [SIGTAG.sha1Header, SIGTAG.sha256Header, SIGTAG.sha3Header].some((tag) => signature.has(tag));
  const source = !header.has(TAG.sourceRpm);
  return {
    bytes,
    format: header.number(TAG.rpmFormat) === 6 ? 6 : digested ? 4 : 3,
    source,
    lead,
    signature,
    header,
    headerBytes: header.bytes,
    payload: bytes.subarray(end),
    nevra: readNevra(header, source),
  };
}

// Who signed a kernel module: the PKCS#7 message appended to the file. It is shown to people, never judged: the kernel
// checks it against its own keyring. Source: include/linux/module_signature.h; RFC 5652 (SignedData), X.690 (DER).

const MAGIC = Buffer.from('~Module signature appended~\n', 'latin1');
const TRAILER = 12;
const PKCS7 = 2;

export interface ModuleSignature {
  /** Common name of the certificate's issuer. */
  readonly signer: string | null;
  /** Serial number or key identifier in hexadecimal, as `modinfo` shows it. */
  readonly keyid: string | null;
  readonly hash: string | null;
  /** What `keyid` is: the key's own identifier, or the serial number of its certificate; null where nothing can be read. */
  readonly names: 'key' | 'certificate' | null;
}

interface Node {
  readonly tag: number;
  readonly body: Buffer;
}

/** The DER elements of a buffer, one level deep; stops at the first that does not fit. */
function elements(bytes: Buffer): Node[] {
  const found: Node[] = [];
  let at = 0;
  while (at + 2 <= bytes.length && found.length < 1000) {
    const tag = bytes[at] as number;
    let length = bytes[at + 1] as number;
    let start = at + 2;
    if (length > 0x80) {
      const wide = length - 0x80;
      if (wide > 4 || start + wide > bytes.length) break;
      length = bytes.readUIntBE(start, wide);
      start += wide;
    }
    if (start + length > bytes.length) break;
    found.push({ tag, body: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OID = 0x06;
const INTEGER = 0x02;
const COMMON_NAME = '550403';
const HASHES: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha1',
  '608648016503040204': 'sha224',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
};

function commonName(name: Buffer): string | null {
  for (const set of elements(name)) {
    for (const attribute of elements(set.body)) {
      const [type, value] = elements(attribute.body);
      if (type?.tag === OID && type.body.toString('hex') === COMMON_NAME) return value?.body.toString('utf8') ?? null;
    }
  }
  return null;
}

function readPkcs7(message: Buffer): ModuleSignature {
  const unknown = { signer: null, keyid: null, hash: null, names: null };
  // ContentInfo { OID signedData, [0] SignedData { version, digests, content, [0]?, [1]?, SET of SignerInfo } }
  const content = elements(elements(message)[0]?.body ?? Buffer.alloc(0))[1]?.body;
  const signedData = content && elements(content)[0]?.body;
  const infos = signedData && elements(signedData).at(-1);
  const info = infos?.tag === SET ? elements(infos.body)[0] : undefined;
  if (!info) return unknown;
  // SignerInfo { version, IssuerAndSerialNumber or [0] key identifier, digest algorithm ... }
  const [, who, digest] = elements(info.body);
  const algorithm = digest ? elements(digest.body)[0]?.body.toString('hex') : undefined;
  const hash = algorithm === undefined ? null : (HASHES[algorithm] ?? null);
  if (who?.tag === SEQUENCE) {
    const [issuer, serial] = elements(who.body);
    const keyid = serial?.tag === INTEGER ? serial.body.toString('hex').toUpperCase() : null;
    return { signer: issuer ? commonName(issuer.body) : null, keyid, hash, names: 'certificate' };
  }
  if (!who) return { ...unknown, hash };
  return { signer: null, keyid: who.body.toString('hex').toUpperCase(), hash, names: 'key' };
}

/** The appended signature; null when the file has none. A signature that cannot be read gives nulls inside. */
export function moduleSignature(bytes: Buffer): ModuleSignature | null {
  const end = bytes.length - MAGIC.length;
  if (end < TRAILER || !bytes.subarray(end).equals(MAGIC)) return null;
  const trailer = bytes.subarray(end - TRAILER, end);
  const length = trailer.readUInt32BE(8);
  if (trailer[2] !== PKCS7 || length > end - TRAILER) return { signer: null, keyid: null, hash: null, names: null };
  return readPkcs7(bytes.subarray(end - TRAILER - length, end - TRAILER));
}

/** The module without the signature appended to it; the bytes themselves where it has none, or a length that cannot be. */
export function unsigned(bytes: Buffer): Buffer {
  const end = bytes.length - MAGIC.length - TRAILER;
  if (end < 0 || !bytes.subarray(bytes.length - MAGIC.length).equals(MAGIC)) return bytes;
  const length = bytes.readUInt32BE(end + 8);
  return length > end ? bytes : bytes.subarray(0, end - length);
}

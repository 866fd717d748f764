// Rotation of keys: a key file that belongs to a verified package of this machine (a release package that brings its
// successor) is as good as a person's consent. Nothing rpm merely says is believed here: the installed package's header
// comes out of the database with its signature, and both are checked like those of a package file.
import { formatNevra } from '../domain/nevra.ts';
import { KpmError } from '../errors.ts';
import { type PublicKey, parseSignatures, verifySignature } from '../formats/openpgp/index.ts';
import { headerFiles } from '../formats/rpm/files.ts';
import { digestOf } from '../formats/rpm/hash.ts';
import { parseHeader, type RpmHeader } from '../formats/rpm/header.ts';
import { TAG } from '../formats/rpm/tags.ts';
import type { Root } from '../host/root.ts';
import { findRpmdb, rpmArguments } from '../host/rpmdb.ts';
import type { Run } from '../host/run.ts';

export interface Voucher {
  /** The installed package that owns the file. */
  readonly package: string;
  /** Fingerprint of the trusted key that signed that package. */
  readonly signedBy: string;
  /** The content of the file that it vouches for. */
  readonly content: Buffer;
}

/** A header in the database lacks the first eight bytes it has in a file, which are signed as well. */
const MAGIC = Buffer.from([0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0]);
const QUERY = ['%{RSAHEADER:base64}', '%{DSAHEADER:base64}', '%{HEADERIMMUTABLE:base64}'].join('\\n--\\n');
const SYSTEM_RELEASE = 'system-release';
const STRONG = ['sha256', 'sha384', 'sha512'];

/**
 * The installed package that vouches for a file (absolute path below the root): it lists the file with the digest it has
 * now, and its header is signed by one of `keys`. Null when none does, or that cannot be found out.
 * `from` `release`: only a package that makes the distribution's release, built together with what provides
 * `system-release`: a vendor signs packages of many others' keys too, but those are not its own next key.
 */
export async function voucherOf(
  root: Root,
  run: Run,
  file: string,
  keys: readonly PublicKey[],
  now: Date,
  from: 'any' | 'release' = 'any',
): Promise<Voucher | null> {
  const content = root.read(file);
  if (content === null) return null;
  const owners = (await signedHeaders(root, run, file, keys, now)).filter(({ header }) => lists(header, file, content));
  for (const { header, signedBy } of owners) {
    if (from === 'release' && !(await isOfRelease(root, run, header, keys, now))) continue;
    return { package: nevraOf(header), signedBy, content };
  }
  return null;
}

/** Whether a package was built from the source of an installed, signed package that provides `system-release`. */
async function isOfRelease(
  root: Root,
  run: Run,
  header: RpmHeader,
  keys: readonly PublicKey[],
  now: Date,
): Promise<boolean> {
  const releases = await signedHeaders(root, run, SYSTEM_RELEASE, keys, now);
  const source = header.text(TAG.sourceRpm);
  return releases.some(
    (release) =>
      source !== null &&
      release.header.text(TAG.sourceRpm) === source &&
      release.header.texts(TAG.provideName).includes(SYSTEM_RELEASE),
  );
}

interface SignedHeader {
  readonly header: RpmHeader;
  /** Fingerprint. */
  readonly signedBy: string;
}

/** The headers of the installed packages that provide something and that one of `keys` signed; each is checked here. */
async function signedHeaders(
  root: Root,
  run: Run,
  provided: string,
  keys: readonly PublicKey[],
  now: Date,
): Promise<SignedHeader[]> {
  const database = findRpmdb(root);
  if (database === null || run.which('rpm') === null) return [];
  const format = `${QUERY}\\n====\\n`;
  const asked = await run.run('rpm', [
    ...rpmArguments(root, database),
    '-q',
    '--whatprovides',
    provided,
    '--qf',
    format,
  ]);
  if (asked.status !== 0) return [];
  const answers = asked.stdout.toString('latin1').split('====').slice(0, -1);
  return answers.flatMap((answer) => {
    const [rsa, dsa, blob] = answer.split('--').map((part) => Buffer.from(part.replace('(none)', ''), 'base64'));
    if (!rsa || !dsa || !blob) return [];
    return signedHeader(Buffer.concat([MAGIC, blob]), [rsa, dsa], keys, now) ?? [];
  });
}

function signedHeader(
  bytes: Buffer,
  signatures: readonly Buffer[],
  keys: readonly PublicKey[],
  now: Date,
): SignedHeader | null {
  try {
    const verdicts = signatures
      .flatMap((blob) => parseSignatures(blob))
      .map((signature) => verifySignature(signature, [bytes], keys, now));
    if (verdicts.some(({ verdict }) => verdict === 'bad')) return null;
    const good = verdicts.find(
      ({ verdict, inTime }) => verdict === 'good' || (verdict === 'good-expired-key' && inTime),
    );
    const { header } = parseHeader(bytes, 0, 'main');
    return good?.key ? { header, signedBy: good.key.fingerprint } : null;
  } catch (error) {
    // A header or signature that cannot be read vouches for nothing.
    if (error instanceof KpmError) return null;
    throw error;
  }
}

function lists(header: RpmHeader, file: string, bytes: Buffer): boolean {
  try {
    const listed = headerFiles(header).find(({ path }) => path === file);
    if (!listed?.digest || listed.ghost || !STRONG.includes(listed.algorithm)) return false;
    return digestOf(listed.algorithm, bytes) === listed.digest;
  } catch (error) {
    if (error instanceof KpmError) return false;
    throw error;
  }
}

function nevraOf(header: RpmHeader): string {
  const text = (tag: number): string => header.text(tag) ?? '';
  const epoch = header.number(TAG.epoch) ?? 0;
  return formatNevra({
    name: text(TAG.name),
    epoch,
    version: text(TAG.version),
    release: text(TAG.release),
    arch: text(TAG.arch),
  });
}

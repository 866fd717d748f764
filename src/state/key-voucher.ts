// Rotation of keys: a key file that belongs to a verified package of this machine (a release package that brings its
// successor) is as good as a person's consent. Nothing rpm merely says is believed here: the installed package's header
// comes out of the database with its signature, and both are checked like those of a package file.
import { randomBytes } from 'node:crypto';
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
/**
 * The signatures over the header alone. Those of newer rpm (OPENPGP, any number, base64 already) are asked for first: rpm 4.18 does
 * not know the tag. A signature over header and payload (SIGPGP, SIGGPG) cannot be checked: no database holds the payload.
 */
const QUERIES: readonly (readonly string[])[] = ['[%{OPENPGP}\\n]', ''].map((newer) => [
  '%{RSAHEADER:base64}',
  '%{DSAHEADER:base64}',
  '%{HEADERIMMUTABLE:base64}',
  newer,
]);
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const UNKNOWN_TAG = /unknown tag/;
/** More signatures than any package has. */
const MOST_SIGNATURES = 50;
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
  // OPENPGP is text that nobody signed: it must not be able to play an answer of its own.
  const mark = randomBytes(12).toString('hex');
  const answer = await asked(run, [...rpmArguments(root, database), '-q', '--whatprovides', provided], mark);
  return answer
    .split(recordEnd(mark))
    .slice(0, -1)
    .flatMap((one) => {
      const [rsa = '', dsa = '', blob = '', newer = ''] = one
        .split(fieldEnd(mark))
        .map((part) => part.replace('(none)', ''));
      const texts = [rsa, dsa, ...newer.split('\n').slice(0, MOST_SIGNATURES)].map((text) => text.replace(/\s/g, ''));
      const signatures = texts.filter((text) => BASE64.test(text)).map((text) => Buffer.from(text, 'base64'));
      return signedHeader(Buffer.concat([MAGIC, Buffer.from(blob, 'base64')]), signatures, keys, now) ?? [];
    });
}

const fieldEnd = (mark: string): string => `\n${mark}-\n`;
const recordEnd = (mark: string): string => `\n${mark}=\n`;

/** rpm's answer to the newest question that it understands; empty where it gives none. */
async function asked(run: Run, args: readonly string[], mark: string): Promise<string> {
  for (const query of QUERIES) {
    const format = `${query.join(fieldEnd(mark))}${recordEnd(mark)}`;
    const { status, stdout, stderr } = await run.run('rpm', [...args, '--qf', format]);
    // A format it does not understand is an error in words, and not in the status.
    if (UNKNOWN_TAG.test(stderr)) continue;
    return status === 0 ? stdout.toString('latin1') : '';
  }
  return '';
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

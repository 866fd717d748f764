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
}

/** A header in the database lacks the first eight bytes it has in a file, which are signed as well. */
const MAGIC = Buffer.from([0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0]);
const QUERY = ['%{RSAHEADER:base64}', '%{DSAHEADER:base64}', '%{HEADERIMMUTABLE:base64}'].join('\\n--\\n');
const STRONG = ['sha256', 'sha384', 'sha512'];

/**
 * The installed package that vouches for a file (absolute path below the root): it lists the file with the digest it has
 * now, and its header is signed by one of `keys`. Null when none does, or that cannot be found out.
 */
export async function voucherOf(
  root: Root,
  run: Run,
  file: string,
  keys: readonly PublicKey[],
  now: Date,
): Promise<Voucher | null> {
  const database = findRpmdb(root);
  if (database === null || run.which('rpm') === null) return null;
  const bytes = root.read(file);
  if (bytes === null) return null;
  const format = `${QUERY}\\n====\\n`;
  const asked = await run.run('rpm', [...rpmArguments(root, database), '-q', '--whatprovides', file, '--qf', format]);
  if (asked.status !== 0) return null;
  for (const answer of asked.stdout.toString('latin1').split('====').slice(0, -1)) {
    const [rsa, dsa, blob] = answer.split('--').map((part) => Buffer.from(part.replace('(none)', ''), 'base64'));
    if (!rsa || !dsa || !blob) continue;
    const found = vouches(Buffer.concat([MAGIC, blob]), [rsa, dsa], file, bytes, keys, now);
    if (found) return found;
  }
  return null;
}

function vouches(
  headerBytes: Buffer,
  signatures: readonly Buffer[],
  file: string,
  bytes: Buffer,
  keys: readonly PublicKey[],
  now: Date,
): Voucher | null {
  try {
    const verdicts = signatures
      .flatMap((blob) => parseSignatures(blob))
      .map((signature) => verifySignature(signature, [headerBytes], keys, now));
    if (verdicts.some(({ verdict }) => verdict === 'bad')) return null;
    const good = verdicts.find(
      ({ verdict, inTime }) => verdict === 'good' || (verdict === 'good-expired-key' && inTime),
    );
    const { header } = parseHeader(headerBytes, 0, 'main');
    if (!good?.key || !lists(header, file, bytes)) return null;
    return { package: nevraOf(header), signedBy: good.key.fingerprint };
  } catch (error) {
    // A header or signature that cannot be read vouches for nothing.
    if (error instanceof KpmError) return null;
    throw error;
  }
}

function lists(header: RpmHeader, file: string, bytes: Buffer): boolean {
  const listed = headerFiles(header).find(({ path }) => path === file);
  if (!listed?.digest || listed.ghost || !STRONG.includes(listed.algorithm)) return false;
  return digestOf(listed.algorithm, bytes) === listed.digest;
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

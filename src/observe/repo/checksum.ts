// Which checksums count, and checking bytes while they flow.
import { createHash } from 'node:crypto';
import type { Checksum } from '../../domain/package.ts';
import { KpmError } from '../../errors.ts';

/** A checksum as written in metadata: any type. */
export interface WrittenChecksum {
  readonly type: string;
  readonly value: string;
}

/** Hexadecimal digits of each type that is accepted. FIPS 180-4. */
const DIGITS: Readonly<Record<Checksum['type'], number>> = { sha256: 64, sha384: 96, sha512: 128 };
/** The name of the rule, as shown to people. */
export const CHECKSUM_POLICY = 'sha256 or better';

const isAccepted = (type: string): type is Checksum['type'] => Object.hasOwn(DIGITS, type);

/** The checksum where it is of an accepted kind and well formed, else null. */
export function strongChecksum(written: WrittenChecksum | null): Checksum | null {
  if (written === null || !isAccepted(written.type)) return null;
  const value = written.value.toLowerCase();
  return /^[0-9a-f]+$/.test(value) && value.length === DIGITS[written.type] ? { type: written.type, value } : null;
}

/** The checksum, or `checksum-refused` naming the policy: md5, sha1 and `sha` (an old name of sha1) do not count. */
export function acceptChecksum(written: WrittenChecksum | null, what: string): Checksum {
  const accepted = strongChecksum(written);
  if (accepted) return accepted;
  const why =
    written === null
      ? 'has no checksum'
      : isAccepted(written.type)
        ? `has a ${written.type} checksum that is not one`
        : `has only a checksum of type ${JSON.stringify(written.type.slice(0, 20))}`;
  throw new KpmError('checksum-refused', {
    text: `${what} ${why}; the checksum policy is "${CHECKSUM_POLICY}" (sha256, sha384, sha512).`,
    subject: what,
    hint: 'Have the metadata made again with sha256: createrepo_c --checksum sha256',
  });
}

export interface Expected {
  readonly checksum: Checksum | null;
  /** Declared bytes; null when not declared. */
  readonly size: number | null;
  /** `primary of repository baseos, as sent`. */
  readonly what: string;
  /** URL or file, for the message. */
  readonly subject: string;
}

export interface Checked {
  readonly stream: AsyncIterable<Buffer>;
  /** To be called after the stream was read: raises `metadata-mismatch` when it is not what was promised. */
  check(): void;
}

/** Passes bytes on while hashing and counting them; more than the declared size ends at once in `metadata-mismatch`. */
export function checked(source: AsyncIterable<Buffer>, expected: Expected): Checked {
  const hash = expected.checksum === null ? null : createHash(expected.checksum.type);
  let ended = false;
  async function* pass(): AsyncGenerator<Buffer> {
    let total = 0;
    for await (const chunk of source) {
      total += chunk.length;
      if (expected.size !== null && total > expected.size)
        throw mismatch(expected, `is longer than its ${expected.size} bytes`);
      hash?.update(chunk);
      yield chunk;
    }
    ended = true;
  }
  return {
    stream: pass(),
    check() {
      if (!ended) throw mismatch(expected, 'goes on after its end');
      if (expected.checksum === null || hash === null) return;
      if (hash.digest('hex') !== expected.checksum.value) {
        throw mismatch(expected, `does not have the ${expected.checksum.type} checksum that repomd.xml gives`);
      }
    },
  };
}

/** The refusal of metadata that is not what was promised. */
export function mismatch(expected: { what: string; subject: string }, why: string): KpmError {
  return new KpmError('metadata-mismatch', {
    text: `${expected.what} (${expected.subject}) ${why}.`,
    subject: expected.subject,
    hint: 'The mirror is damaged or in the middle of an update; try again with --refresh.',
  });
}

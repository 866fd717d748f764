// The MD5 over header and payload, for the readers of old. Beside a strong digest that somebody signed it proves nothing more,
// and takes longer than all other digests of a package together: so it can be made in steps, while something else goes on.
// Source: rpm's format_v4 document, tag 1004 of the signature header.
import type { Hash } from 'node:crypto';
import { type DigestVerdict, newHash } from './hash.ts';
import type { RpmPackage } from './package.ts';
import { SIGTAG } from './tags.ts';

export class WholeDigest {
  readonly #payload: Buffer;
  /** Lower-case hex; null where the package has none. */
  readonly #declared: string | null;
  readonly #hash: Hash | null;
  #done = 0;
  #verdict: DigestVerdict | null = null;

  constructor({ signature, headerBytes, payload }: RpmPackage) {
    this.#payload = payload;
    this.#declared = signature.binary(SIGTAG.md5)?.toString('hex') ?? null;
    this.#hash = this.#declared === null ? null : newHash('md5');
    this.#hash?.update(headerBytes);
  }

  /** Takes so many more bytes of the payload. */
  step(bytes: number): void {
    const end = Math.min(this.#done + bytes, this.#payload.length);
    if (end > this.#done) this.#hash?.update(this.#payload.subarray(this.#done, end));
    this.#done = end;
  }

  /**
   * The verdict, once what no step has taken is taken too. Null where the package has no such digest or this machine
   * refuses MD5 (FIPS mode).
   */
  verdict(): DigestVerdict | null {
    if (this.#hash === null || this.#verdict !== null) return this.#verdict;
    this.step(this.#payload.length);
    const good = this.#hash.digest('hex') === this.#declared;
    this.#verdict = { name: 'header+payload', algorithm: 'md5', verdict: good ? 'ok' : 'bad' };
    return this.#verdict;
  }
}

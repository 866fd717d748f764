// Digests of the open payload that are made while it is still being unpacked, on another processor. This saves time and
// decides nothing: what has to match what, payload.ts says, and what was not hashed ahead is hashed when it is asked for.
import type { Hash } from 'node:crypto';
import { contentAt, type Stripped } from './cpio.ts';
import { digestOf, newHash } from './hash.ts';

export interface Wanted {
  /** Algorithms of the digests over everything. */
  readonly all: readonly string[];
  /** The algorithm of the files' digests; null where there are none. */
  readonly files: string | null;
  readonly lookup: Stripped;
  /** Entries that are looked at, at most. */
  readonly maxEntries: number;
}

/** Shorter contents are not worth it, and an archive of crumbs would be gone through twice. */
const WORTHWHILE = 64 * 1024;

/** A digest over the bytes from `start` to `end`. */
class Running {
  readonly #hash: Hash;
  readonly #start: number;
  readonly #end: number;
  #done: number;
  #digest: string | null = null;

  constructor(hash: Hash, start: number, end: number) {
    this.#hash = hash;
    this.#start = start;
    this.#end = end;
    this.#done = start;
  }

  /** Takes what has arrived and was not taken yet. */
  follow(bytes: Buffer): void {
    const end = Math.min(this.#end, bytes.length);
    if (end <= this.#done) return;
    this.#hash.update(bytes.subarray(this.#done, end));
    this.#done = end;
  }

  /** The digest, if it is over just these bytes; else null. */
  of(start: number, end: number): string | null {
    if (start !== this.#start || end !== this.#done) return null;
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }
}

export class Ahead {
  readonly #wanted: Wanted;
  readonly #all: ReadonlyMap<string, Running>;
  /** By where they start. */
  readonly #files = new Map<number, Running>();
  #bytes: Buffer = Buffer.alloc(0);
  #last: Running | null = null;
  #next = 0;
  #entries = 0;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#all = new Map(wanted.all.flatMap((name) => begun(name, 0).map((one) => [name, one] as const)));
  }

  /** `bytes`: everything that has arrived so far; what was there before must be there unchanged. */
  follow(bytes: Buffer): void {
    this.#bytes = bytes;
    for (const one of this.#all.values()) one.follow(bytes);
    const { files, lookup, maxEntries } = this.#wanted;
    while (files !== null && this.#next < bytes.length && this.#entries < maxEntries) {
      const content = contentAt(bytes, this.#next, lookup);
      if (content === null) break;
      this.#entries++;
      this.#last?.follow(bytes);
      this.#last = null;
      this.#next = content.next;
      if (content.end - content.start < WORTHWHILE) continue;
      for (const one of begun(files, content.start, content.end)) {
        this.#files.set(content.start, one);
        this.#last = one;
      }
    }
    this.#last?.follow(bytes);
  }

  /** The digest of everything, or of a part of it; null where this machine refuses the algorithm. */
  digest(algorithm: string, part: Buffer = this.#bytes): string | null {
    const start = part.byteOffset - this.#bytes.byteOffset;
    const inside = part.buffer === this.#bytes.buffer && start >= 0;
    const all = part === this.#bytes ? this.#all.get(algorithm) : undefined;
    const one = all ?? (algorithm === this.#wanted.files ? this.#files.get(start) : undefined);
    return (inside ? one?.of(start, start + part.length) : null) ?? digestOf(algorithm, part);
  }
}

/** None where this machine refuses the algorithm: whoever needs it is told when it is asked for. */
function begun(algorithm: string, start: number, end = Number.POSITIVE_INFINITY): Running[] {
  const hash = newHash(algorithm);
  return hash === null ? [] : [new Running(hash, start, end)];
}

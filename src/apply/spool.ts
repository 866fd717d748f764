// What a run has verified, until it is installed: everything is verified before anything is changed, and forty packages with
// their modules are more than a small machine has memory for. What is too much lies in a directory of ours, which the next
// run clears should this one be killed; its files are what a transaction stages, under a second name.
import { KpmError } from '../errors.ts';
import { type PackageFacts, packageFacts } from '../formats/rpm/facts.ts';
import { PACKAGES_IN_MEMORY } from '../formats/rpm/package.ts';
import { roomAt } from '../host/room.ts';
import type { Root } from '../host/root.ts';
import { SPOOL, STATE } from '../state/directory.ts';
import type { BlobSource } from '../state/steps.ts';
import type { Extracted, StagedModule } from './extract.ts';
import { inTurn } from './in-turn.ts';
import { sha256 } from './stage.ts';
import type { VerifiedPackage } from './verify.ts';

declare const brand: unique symbol;

/** Files a file system must still take besides. */
const SPARE_FILES = 1000;

/** A module that may be installed, its bytes wherever the spool has them. */
export type KeptModule = Omit<StagedModule, 'bytes'> & { readonly source: BlobSource };

/** What installing needs of a verified package. */
export interface KeptPackage extends Pick<VerifiedPackage, 'signer' | 'sha256'> {
  readonly [brand]: 'KeptPackage';
  readonly nevra: PackageFacts['nevra'];
  readonly provides: PackageFacts['provides'];
  readonly changelog: PackageFacts['changelog'];
  /** The package file. */
  readonly source: BlobSource;
}

/** What was extracted, kept until it is installed. */
export interface Kept {
  readonly verified: KeptPackage;
  /** None for an empty package (a subscription). */
  readonly modules: readonly KeptModule[];
}

/** Bytes to be kept, with the attributes their file has from the beginning, so that a transaction only has to rename it. */
interface Piece {
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly mode: number;
  readonly mtime?: number;
}

export interface SpoolOptions {
  /** Bytes that stay in memory. */
  readonly inMemory?: number;
  /** Bytes on the file system of our state that are left for others: what the plan will write. */
  readonly reserve?: number;
}

/** Where one run keeps what it verified until it is installed. */
export class Spool {
  readonly #root: Root;
  /** Files that something relies on. */
  readonly #files = new Set<string>();
  #reserve: number;
  #room: number;
  #closed = false;
  /** Each is synced before the next is begun: then an error is told of the package it concerns. */
  readonly #next = inTurn();

  constructor(root: Root, { inMemory = PACKAGES_IN_MEMORY, reserve = 0 }: SpoolOptions = {}) {
    this.#root = root;
    this.#room = inMemory;
    this.#reserve = reserve;
  }

  /**
   * Keeps what was extracted: in memory, or in files, which are synced. Where files cannot be written it stays in memory: the
   * transaction that needs the room says what is wrong. `announced`: bytes of its modules that `reserve` has in it, by unsigned
   * metadata.
   */
  keep(extracted: Extracted, announced = 0): Promise<Kept> {
    const size = extracted.modules.reduce((sum, { bytes }) => sum + bytes.length, 0);
    // They are written where they are loaded from, and where the package has them.
    this.#reserve += 2 * Math.max(0, size - announced);
    return this.#next(() => this.#keepOne(extracted));
  }

  /** Removes what is kept in files, and makes no more. Gives what stood in its way: the next run that changes something removes it then. */
  close(): KpmError | null {
    this.#closed = true;
    return clearSpool(this.#root);
  }

  async #keepOne({ verified, modules }: Extracted): Promise<Kept> {
    const all: Piece[] = [
      { bytes: verified.pkg.bytes, sha256: verified.sha256, mode: 0o600 },
      ...modules.map(({ bytes, sha256: hash, mode, mtime }) => ({ bytes, sha256: hash, mode, mtime })),
    ];
    const size = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const [source, ...sources] =
      this.#room < size && this.#fits(size) && (await this.#write(all))
        ? all.map(({ bytes, sha256: hash }) => inFile(this.#root, hash, bytes.length))
        : all.map(({ bytes }) => held(bytes));
    if (source?.file === null) this.#room -= size;
    const { signer, sha256: hash } = verified;
    const { nevra, provides, changelog } = packageFacts(verified.pkg);
    const kept = { nevra, provides, changelog, signer, sha256: hash, source };
    return {
      verified: kept as unknown as KeptPackage,
      modules: modules.map(({ bytes: _, ...module }, n) => ({ ...module, source: sources[n] as BlobSource })),
    };
  }

  /** Whether there is so much room that nothing else of the plan will lack it; not where that cannot be told. */
  #fits(size: number): boolean {
    if (this.#closed) return false;
    try {
      const { bytes, files } = roomAt(this.#root, STATE);
      return bytes - size >= this.#reserve && (files === null || files >= SPARE_FILES);
    } catch (error) {
      if (error instanceof KpmError) return false;
      throw error;
    }
  }

  /** False where they could not be written, or not synced. */
  async #write(all: readonly Piece[]): Promise<boolean> {
    const fresh = all.filter(({ sha256: hash }) => !this.#files.has(hash));
    try {
      await this.#root.syncs.together(async () => {
        this.#root.mkdirs(SPOOL, 0o700, false);
        for (const { bytes, sha256: hash, ...attributes } of fresh) {
          this.#root.write(fileOf(hash), bytes, { ...attributes, durable: 'together' });
        }
      });
      for (const { sha256: hash } of fresh) this.#files.add(hash);
      return true;
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      // What was written of it only takes room.
      for (const { sha256: hash } of fresh) removed(this.#root, fileOf(hash));
      return false;
    }
  }
}

const fileOf = (hash: string): string => `${SPOOL}/${hash}`;

/** Bytes that stay in memory. */
export function held(bytes: Buffer): BlobSource {
  return { size: bytes.length, file: null, read: () => bytes };
}

function inFile(root: Root, hash: string, size: number): BlobSource {
  const file = fileOf(hash);
  const read = (): Buffer => {
    const bytes = root.read(file, size + 1);
    if (bytes !== null && sha256(bytes) === hash) return bytes;
    throw new KpmError('blob-missing', {
      text: `${root.show(file)} is not what was written there.`,
      subject: root.show(file),
      hint: 'Run the same command again; it fetches the package anew.',
    });
  };
  return { size, file, read };
}

/** Removes what a run kept, this one or one that was killed. Gives the first thing that stood in its way. */
export function clearSpool(root: Root): KpmError | null {
  let names: string[] = [];
  const unlisted = attempt(() => {
    names = root.list(SPOOL);
  });
  const errors = [unlisted, ...names.map((name) => removed(root, fileOf(name)))];
  const error = errors.find((one) => one !== null);
  return error ?? attempt(() => root.removeEmptyDir(SPOOL));
}

/** What is said of an error of `clearSpool`. */
export const leftText = (what: string, { reason }: KpmError): string =>
  `${what} could not be removed: ${reason} It only takes room; the next run that changes something tries again.`;

const removed = (root: Root, file: string): KpmError | null => attempt(() => root.remove(file));

function attempt(act: () => unknown): KpmError | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof KpmError) return error;
    throw error;
  }
}

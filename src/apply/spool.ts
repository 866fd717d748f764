// What a run has verified, until it is installed: everything is verified before anything is changed, and forty packages with
// their modules are more than a small machine has memory for. What is too much lies in a directory of ours, which the next
// run clears should this one be killed; its files are what a transaction stages, under a second name.
import { KpmError } from '../errors.ts';
import { type PackageFacts, packageFacts } from '../formats/rpm/facts.ts';
import type { Root } from '../host/root.ts';
import { SPOOL } from '../state/directory.ts';
import type { BlobSource } from '../state/steps.ts';
import type { Extracted, StagedModule } from './extract.ts';
import { sha256 } from './stage.ts';
import type { VerifiedPackage } from './verify.ts';

declare const brand: unique symbol;

/** Bytes of packages and modules that stay in memory: nearly every run has less. */
const IN_MEMORY = 16 * 1024 * 1024;

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

/** Attributes a file has from the beginning, so that a transaction only has to rename it. */
interface Attributes {
  readonly mode: number;
  readonly mtime?: number;
}

export class Spool {
  readonly #root: Root;
  #room: number;

  /** `inMemory`: bytes that are kept in memory. */
  constructor(root: Root, inMemory = IN_MEMORY) {
    this.#root = root;
    this.#room = inMemory;
  }

  /**
   * Keeps what was extracted: in memory, or in files, which are synced. Where files cannot be written it stays in memory: the
   * transaction that needs the room says what is wrong.
   */
  keep({ verified, modules }: Extracted): Promise<Kept> {
    const { pkg, signer, sha256: hash } = verified;
    const { nevra, provides, changelog } = packageFacts(pkg);
    return this.#root.syncs.together(async () => {
      const source = this.#source(pkg.bytes, hash, { mode: 0o600 });
      const kept = { nevra, provides, changelog, signer, sha256: hash, source };
      return {
        verified: kept as unknown as KeptPackage,
        modules: modules.map(({ bytes, ...module }) => ({
          ...module,
          source: this.#source(bytes, module.sha256, module),
        })),
      };
    });
  }

  /** Removes what is kept in files. Gives what stood in its way: the next run that changes something removes it then. */
  close(): KpmError | null {
    try {
      clearSpool(this.#root);
      return null;
    } catch (error) {
      if (error instanceof KpmError) return error;
      throw error;
    }
  }

  #source(bytes: Buffer, hash: string, attributes: Attributes): BlobSource {
    this.#room -= bytes.length;
    if (this.#room >= 0 || !this.#write(bytes, hash, attributes)) return held(bytes);
    this.#room += bytes.length;
    return inFile(this.#root, `${SPOOL}/${hash}`, hash, bytes.length);
  }

  /** False where it cannot be written. */
  #write(bytes: Buffer, hash: string, { mode, mtime }: Attributes): boolean {
    try {
      this.#root.mkdirs(SPOOL, 0o700, false);
      this.#root.write(`${SPOOL}/${hash}`, bytes, {
        mode,
        durable: 'together',
        ...(mtime === undefined ? {} : { mtime }),
      });
      return true;
    } catch (error) {
      if (error instanceof KpmError) return false;
      throw error;
    }
  }
}

/** Bytes that stay in memory. */
export function held(bytes: Buffer): BlobSource {
  return { size: bytes.length, file: null, read: () => bytes };
}

function inFile(root: Root, file: string, hash: string, size: number): BlobSource {
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

/** Removes what a run kept, this one or one that was killed. Raises what the file system raises. */
export function clearSpool(root: Root): void {
  for (const name of root.list(SPOOL)) root.remove(`${SPOOL}/${name}`);
  root.removeEmptyDir(SPOOL);
}

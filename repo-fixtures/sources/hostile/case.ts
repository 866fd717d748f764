// What a hostile or broken repository is made of. Each offers one live patch for K1 of the ready-made root, and nothing
// of it may be installed (unless `expected` says that it is fit after all).
import type { Workshop } from '../../builder/package.ts';
import type { PackageSource } from '../../builder/source.ts';
import { K1 } from '../kernels.ts';
import { fixes, livePatch } from '../livepatch.ts';

export interface HostileCase {
  /** Folder below built/hostile. */
  readonly id: string;
  readonly why: string;
  /** Where it has to be noticed: reading metadata, deciding, fetching, verifying, extracting; `fit` = it may be installed. */
  readonly stage: 'metadata' | 'decide' | 'fetch' | 'verify' | 'extract' | 'fit';
  /** Error or reason codes, any of which is right. */
  readonly expected: readonly string[];
  /** The package; the good one below unless said. */
  readonly source?: PackageSource;
  /** Changes the finished package file. */
  readonly file?: (good: Buffer, workshop: Workshop) => Buffer;
  /** False: the metadata goes on describing the unchanged file. */
  readonly metadataFollows?: boolean;
  /** Changes the finished repository. */
  readonly repository?: (directory: string, workshop: Workshop) => void;
}

/** The good package from which the bad ones are derived. */
export const GOOD = livePatch(K1, '1-4', {
  why: 'sound: what the bad ones are derived from',
  payload: 'gzip',
  fixes: fixes(6),
});

// A corpus of real packages, keys, metadata and rpm databases, where one lies beside the checkout (or KPATCH_PM_CORPUS names it).
// It is not part of the project: tests that profit from it run where it is and are silent where it is not.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe } from '@jest/globals';
import { top } from './top.ts';

/** The corpus directory, or null. */
export function corpusDir(): string | null {
  const dir = process.env.KPATCH_PM_CORPUS ?? path.join(top, '..', 'shared', 'corpus');
  return existsSync(path.join(dir, 'SOURCES.json')) ? dir : null;
}

/** `describe` where the corpus is, else `describe.skip`. */
export const describeCorpus = corpusDir() === null ? describe.skip : describe;

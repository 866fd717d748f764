// What both loaders can do, and which one is taken.

import { rpmvercmp } from '../../domain/evr.ts';
import type { Utility } from '../../domain/world.ts';
import { KpmError } from '../../errors.ts';
import type { StalledTask } from '../../host/livepatch.ts';
import type { Run } from '../../host/run.ts';
import type { LoadTimes } from './times.ts';
import type { Answer } from './transition.ts';

/** A module file whose bytes were hashed through this open descriptor. */
export interface OpenModule {
  readonly module: string;
  readonly fd: number;
  /** Absolute path, for a tool that takes no descriptor. */
  readonly path: string;
}

export interface Insertion {
  readonly answer: Answer;
  /** What the program wrote, for the diagnosis. */
  readonly text: string;
  /** Tasks seen in the way, where the loader itself waited for the transition. */
  readonly tasks: readonly StalledTask[];
}

export interface Loader {
  readonly name: 'builtin' | 'kpatch';
  insert(module: OpenModule): Promise<Insertion>;
}

export interface LoaderChoice {
  readonly loader: 'auto' | 'builtin' | 'kpatch';
  readonly utility: Utility;
  /** The version the package requires of the kpatch utility, as rpm compares it; null when it requires none. */
  readonly needs: string | null;
}

/** Which loader to use. Raises `program-missing` when the utility is asked for by name and absent. */
export function chooseLoader(choice: LoaderChoice): Loader['name'] {
  const { path, version } = choice.utility;
  if (choice.loader === 'kpatch' && path === null) {
    throw new KpmError('program-missing', {
      text: 'The kpatch utility was asked for as loader and is not installed.',
      subject: 'kpatch',
      hint: 'Install the package kpatch, or use the loader auto or builtin.',
    });
  }
  if (choice.loader !== 'auto') return choice.loader;
  if (path === null) return 'builtin';
  const tooOld = choice.needs !== null && (version === null || rpmvercmp(version, choice.needs) < 0);
  return tooOld ? 'builtin' : 'kpatch';
}

/** Takes a module out of the kernel (rmmod). The answer is `in-use` while somebody holds it. */
export async function removeModule(
  run: Run,
  module: string,
  times: LoadTimes,
): Promise<{ answer: Answer; text: string }> {
  const result = await run.run('rmmod', [module], { timeout: times.program });
  if (result.status === 0) return { answer: { kind: 'ok' }, text: '' };
  if (/is not currently loaded|no such file/i.test(result.stderr))
    return { answer: { kind: 'gone' }, text: result.stderr };
  if (/is in use|busy|temporarily unavailable/i.test(result.stderr)) {
    return { answer: { kind: 'in-use' }, text: result.stderr };
  }
  return { answer: { kind: 'refused' }, text: result.stderr };
}

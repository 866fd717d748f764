// What several cases share: kernels, modules, a repository and the files a guest needs to use it.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { top } from '../support/top.ts';
import { type Kernel, kernelReleases, prepareKernel } from './kernels.ts';
import { buildModules, levelFile, moduleName } from './modules.ts';

export interface Prepared {
  readonly kernel: Kernel;
  /** Directory of the built test modules. */
  readonly modules: string;
}

const prepared = new Map<string, Prepared>();

/** The n-th kernel of the run (0 or 1), with its modules. */
export function kernel(n: 0 | 1): Prepared {
  const release = kernelReleases()[n];
  if (release === undefined) throw new Error(`the run has no kernel number ${n}`);
  const known = prepared.get(release);
  if (known) return known;
  const ready = prepareKernel(release);
  const made: Prepared = { kernel: ready, modules: buildModules(ready) };
  prepared.set(release, made);
  return made;
}

/** File and module name of one level of a kernel. */
export function level({ kernel, modules }: Prepared, name: string): { path: string; file: string; module: string } {
  const file = levelFile(kernel.release, name);
  return { path: path.join(modules, file), file, module: moduleName(file) };
}

/** Bundles one TypeScript file that runs inside the guest. */
export async function guestProgram(name: string): Promise<{ text: string }> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-vm-bundle-'));
  try {
    const done = await build({
      absWorkingDir: top,
      entryPoints: [`test/vm/guest/${name}.ts`],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      write: false,
      logLevel: 'warning',
    });
    return { text: done.outputFiles[0]?.text ?? '' };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Shell text for "the kernel's own word about itself". */
export const VERSION = 'cat /proc/version';

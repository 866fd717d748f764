// test/crash/run-one.ts as a program that node can start: bundled once per test file.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { top } from './top.ts';

export interface RunOneProgram {
  readonly file: string;
  /** Where it has to be started. */
  readonly directory: string;
  remove(): void;
}

export async function runOneProgram(): Promise<RunOneProgram> {
  // Below node_modules, so that packages left external are found.
  mkdirSync(path.join(top, 'node_modules', '.cache'), { recursive: true });
  const scratch = mkdtempSync(path.join(top, 'node_modules', '.cache', 'crash-'));
  const file = path.join(scratch, 'run-one.mjs');
  await build({
    absWorkingDir: top,
    entryPoints: ['test/crash/run-one.ts'],
    outfile: file,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return { file, directory: top, remove: () => rmSync(scratch, { recursive: true, force: true }) };
}

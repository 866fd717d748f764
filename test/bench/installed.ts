// A part of the program as its package leaves it on disk: scripts that the program's own loader reads, with V8's compiled
// code for this node beside them (docs/performance.md, "Compiled code").
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { top } from '../support/top.ts';
import { ENV } from './measure.ts';

const COMMON = {
  absWorkingDir: top,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  minifySyntax: true,
  write: false,
  define: { KPATCH_PM_BUILD: '"bench"', 'import.meta.url': '__filename' },
} as const satisfies BuildOptions;

const LOADER = `export { COMPILED, headOf, loader } from './packaging/load.ts';`;

/** Runs what `entry` exports as `run` with the arguments. */
const STARTED = `
loading.loader({ directory: __dirname + '/chunks', require })('./part.cjs')
  .run(process.argv.slice(2))
  .catch((error) => { console.error(error); process.exitCode = 1; });
`;

/**
 * Compiles what loading needs, and no more: when a package is installed nothing is extracted either, so that what does
 * that work is compiled while it runs.
 */
const COMPILING = `
const fs = require('node:fs');
const scripts = new Map();
const seen = (name, script) => scripts.set(name, script);
loading.loader({ directory: __dirname + '/chunks', require, seen })('./part.cjs');
for (const [name, script] of scripts) {
  const code = script.createCachedData();
  const bytes = Buffer.concat([Buffer.from(loading.headOf(code) + '\\n'), code]);
  fs.writeFileSync(__dirname + '/chunks/' + loading.COMPILED + '/' + name, bytes);
}
`;

/** Builds the part of the program that starts in `entry` (TypeScript, exports `run`); gives the script to be run by `node`. */
export async function installedPart(entry: string, directory: string, node: string): Promise<string> {
  mkdirSync(path.join(directory, 'chunks', 'compiled'), { recursive: true });
  const external = ['unbzip2-stream/*', 'zstddec/*'];
  const part = await build({ ...COMMON, entryPoints: [entry], external, supported: { 'dynamic-import': false } });
  const stdin = { contents: LOADER, resolveDir: top };
  const loader = await build({ ...COMMON, stdin, format: 'iife', globalName: 'loading' });
  const loading = loader.outputFiles[0]?.text ?? '';
  const put = (name: string, text: string): string => {
    const file = path.join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  put('chunks/part.cjs', part.outputFiles[0]?.text ?? '');
  const compile = spawnSync(node, [put('compile.cjs', loading + COMPILING)], { encoding: 'utf8', env: ENV });
  if (compile.status !== 0) throw new Error(compile.stderr);
  return put('run.cjs', loading + STARTED);
}

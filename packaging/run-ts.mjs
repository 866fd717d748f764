// Runs one TypeScript file of the project: node packaging/run-ts.mjs FILE.ts [ARG...]
// Builders, the demonstration and the benchmark are TypeScript too; Node 20 cannot run it without this step.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const top = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [file, ...args] = process.argv.slice(2);
if (!file) {
  console.error('usage: node packaging/run-ts.mjs FILE.ts [ARG...]');
  process.exit(2);
}
// Below node_modules, so that the bundle still finds the packages it leaves external.
mkdirSync(path.join(top, 'node_modules', '.cache'), { recursive: true });
const scratch = mkdtempSync(path.join(top, 'node_modules', '.cache', 'run-ts-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const outfile = path.join(scratch, `${path.basename(file, '.ts')}.mjs`);
await build({
  entryPoints: [path.resolve(file)],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
  define: { 'import.meta.url': JSON.stringify(pathToFileURL(path.resolve(file)).href) },
});
process.argv = [process.argv[0], path.resolve(file), ...args];
await import(pathToFileURL(outfile).href);

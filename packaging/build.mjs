// Bundles src/bin.ts into dist/kpatch-pm.mjs (and lazily loaded chunks beside it), or into the directory given.
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const top = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const finished = path.resolve(process.argv[2] ?? path.join(top, 'dist'));
// Built aside and moved into place whole: whoever runs the program meanwhile has the old one or the new one.
const dist = `${finished}.${process.pid}`;
const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8'));
await build({
  absWorkingDir: top,
  entryPoints: { 'kpatch-pm': 'src/bin.ts' },
  outdir: dist,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  minifySyntax: true,
  legalComments: 'linked',
  define: { KPATCH_PM_VERSION: JSON.stringify(version) },
  // CommonJS packages inside an ES module bundle ask for require and __dirname at run time (sql.js finds its .wasm by it).
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      "import { fileURLToPath as __fileURLToPath } from 'node:url';",
      'const require = __createRequire(import.meta.url);',
      // On the global object: some modules of the bundle declare these names themselves.
      'globalThis.__filename ??= __fileURLToPath(import.meta.url);',
      "globalThis.__dirname ??= __fileURLToPath(new URL('.', import.meta.url));",
    ].join(' '),
  },
  logLevel: 'warning',
});
// @snyk/rpm-parser reads sqlite through sql.js, which loads this file from beside the code that asks for it.
const require = createRequire(import.meta.url);
const sqlJs = createRequire(require.resolve('@snyk/rpm-parser')).resolve('sql.js/dist/sql-wasm.wasm');
copyFileSync(sqlJs, path.join(dist, 'sql-wasm.wasm'));
copyFileSync(sqlJs, path.join(dist, 'chunks', 'sql-wasm.wasm'));
chmodSync(path.join(dist, 'kpatch-pm.mjs'), 0o755);
const old = `${finished}.old.${process.pid}`;
if (existsSync(finished)) renameSync(finished, old);
renameSync(dist, finished);
rmSync(old, { recursive: true, force: true });

// Bundles src/bin.ts into dist/kpatch-pm.mjs (and what it loads into chunks/ beside it), or into the directory given.
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const top = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const finished = path.resolve(process.argv[2] ?? path.join(top, 'dist'));
// Built aside and moved into place whole: whoever runs the program meanwhile has the old one or the new one.
const dist = `${finished}.${process.pid}`;
const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8'));
const common = {
  absWorkingDir: top,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  minifySyntax: true,
  legalComments: 'linked',
  outExtension: { '.js': '.mjs' },
  define: { KPATCH_PM_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
};
// CommonJS packages inside an ES module bundle ask for require and __dirname at run time (sql.js finds its .wasm by it).
const forCommonJs = {
  js: [
    "import { createRequire as __createRequire } from 'node:module';",
    "import { fileURLToPath as __fileURLToPath } from 'node:url';",
    'const require = __createRequire(import.meta.url);',
    // On the global object: some modules of the bundle declare these names themselves.
    'globalThis.__filename ??= __fileURLToPath(import.meta.url);',
    "globalThis.__dirname ??= __fileURLToPath(new URL('.', import.meta.url));",
  ].join(' '),
};

// Each file that is loaded costs a millisecond or two, each module in it nearly nothing: so the program is one file, and
// only what most runs do not need lies beside it (docs/performance.md).
/** Modules of ours that stand for a heavy package; packages that are loaded lazily are found by themselves. */
const STAND_INS = ['src/net/undici.ts', 'src/observe/repo/saxes.ts', 'src/observe/system/snyk.ts'];
/** Packages that may be in the file that every run loads. */
const LIGHT = ['yargs-parser', 'picocolors'];

/**
 * What `status` loads lazily is loaded with the program; what is loaded lazily beyond that makes up one second file, so
 * that a look at the machine need not load what changes it.
 */
const AT_ONCE = ['arguments', 'surroundings', 'ui', 'context', 'commands/status'].map((name) => `src/cli/${name}.ts`);
// Not those in the place of a type: import('./lock.ts').LockedState
const LAZY_IMPORT = /\bimport\('(\.[^']+\.ts)'\)(?!\.[A-Z])/g;
const nameOf = (inside) => `m_${inside.replace(/\W/g, '_')}`;
const inSecond = new Set();
for (const name of readdirSync(path.join(top, 'src'), { recursive: true })) {
  if (!name.endsWith('.ts') || name === 'bin.ts') continue;
  const file = path.join(top, 'src', name);
  for (const [, wanted] of readFileSync(file, 'utf8').matchAll(LAZY_IMPORT)) {
    const inside = path.relative(top, path.resolve(path.dirname(file), wanted));
    if (![...STAND_INS, ...AT_ONCE].includes(inside)) inSecond.add(inside);
  }
}
const halves = {
  name: 'halves',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path: file }) => {
      const statics = [];
      const contents = readFileSync(file, 'utf8').replace(LAZY_IMPORT, (whole, wanted) => {
        const inside = path.relative(top, path.resolve(path.dirname(file), wanted));
        const name = nameOf(inside);
        if (inSecond.has(inside)) return `import('second:').then((second) => second.${name})`;
        if (!AT_ONCE.includes(inside)) return whole;
        statics.push(`import * as ${name} from '${wanted}';`);
        return `Promise.resolve(${name})`;
      });
      return { contents: [...statics, contents].join(' '), loader: 'ts' };
    });
    onResolve({ filter: /^second:$/ }, () => ({ path: './second.mjs', external: true }));
    onResolve({ filter: /^entry:/ }, ({ path: entry }) => ({ path: entry, namespace: 'entry' }));
    onLoad({ filter: /./, namespace: 'entry' }, ({ path: entry }) => ({
      contents:
        entry === 'entry:program'
          ? "export { main } from './src/cli/main.ts';\nexport { realSurroundings } from './src/cli/real.ts';\n"
          : [...inSecond].map((inside) => `export * as ${nameOf(inside)} from './${inside}';`).join('\n'),
      resolveDir: top,
    }));
  },
};

/** Path -> name of its file. */
const beside = new Map();
const lazy = {
  name: 'lazy',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async (args) => {
      if (args.kind !== 'dynamic-import' || args.pluginData === lazy || args.path.startsWith('node:')) return undefined;
      const { resolveDir, importer, kind } = args;
      const found = await resolve(args.path, { resolveDir, importer, kind, pluginData: lazy });
      const inside = path.relative(top, found.path);
      if (!inside.includes('node_modules') && !STAND_INS.includes(inside)) return undefined;
      const name = args.path.replace(/^\.\//, '').replace(/\.ts$/, '').replaceAll('/', '-');
      beside.set(found.path, name);
      return { path: `./${name}.mjs`, external: true };
    });
  },
};
/**
 * Modules of node that cost milliseconds to load and that a warm run may not need at all: loaded when first used.
 * What is imported from them by name becomes a stand-in that asks node at its first use.
 */
const LATE = ['child_process', 'crypto', 'net', 'stream', 'tls', 'zlib'];
const late = {
  name: 'late',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^node:(${LATE.join('|')})$`) }, ({ kind, path: wanted }) =>
      kind === 'import-statement' ? { path: wanted, namespace: 'late' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'late' }, ({ path: wanted }) => ({
      contents: [
        `import { standIn } from './packaging/late.ts';`,
        `const load = () => process.getBuiltinModule('${wanted}');`,
        'export default /* @__PURE__ */ standIn(load);',
        ...Object.keys(process.getBuiltinModule(wanted)).map(
          (name) => `export const ${name} = /* @__PURE__ */ standIn(() => load().${name});`,
        ),
      ].join('\n'),
      resolveDir: top,
    }));
  },
};
/** The first file answers --version and --help, or loads the program. */
const program = {
  name: 'program',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/cli\/(main|real|at-once)\.ts$/ }, ({ kind, path: wanted }) => {
      if (kind !== 'dynamic-import') return undefined;
      const file = wanted.endsWith('at-once.ts') ? 'at-once' : 'program';
      return { path: `./chunks/${file}.mjs`, external: true };
    });
  },
};

await build({ ...common, entryPoints: { 'kpatch-pm': 'src/bin.ts' }, outdir: dist, plugins: [program] });
await build({ ...common, entryPoints: { 'at-once': 'src/cli/at-once.ts' }, outdir: path.join(dist, 'chunks') });
const { metafile } = await build({
  ...common,
  entryPoints: { program: 'entry:program', second: 'entry:second' },
  outdir: path.join(dist, 'chunks'),
  chunkNames: '[name]-[hash]',
  splitting: true,
  plugins: [lazy, late, halves],
  metafile: true,
});
for (const input of Object.keys(metafile.inputs)) {
  const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
  if (name && !LIGHT.includes(name)) throw new Error(`${input} is part of what every run loads: import it lazily`);
}
await build({
  ...common,
  entryPoints: Object.fromEntries([...beside].map(([file, name]) => [name, file])),
  outdir: path.join(dist, 'chunks'),
  banner: forCommonJs,
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

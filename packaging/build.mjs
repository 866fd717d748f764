// Bundles src/bin.ts into dist/kpatch-pm.cjs and what it loads into dist/chunks/, or into the directory given.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const top = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const finished = path.resolve(process.argv[2] ?? path.join(top, 'dist'));
// Built aside and moved into place whole: whoever runs the program meanwhile has the old one or the new one.
const dist = `${finished}.${process.pid}`;
const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8'));
// Scripts, not modules: node needs ten milliseconds to get modules going (docs/performance.md). A module that is imported
// lazily lies in the same file and runs when it is asked for: each further file costs more than its bytes.
const common = {
  absWorkingDir: top,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  minifySyntax: true,
  legalComments: 'linked',
  outExtension: { '.js': '.cjs' },
  define: {
    KPATCH_PM_VERSION: JSON.stringify(version),
    // For packages that make themselves a `require`.
    'import.meta.url': '__filename',
  },
  logLevel: 'warning',
  write: false,
  metafile: true,
};

/** Modules of ours that stand for a heavy package; packages that are loaded lazily are found by themselves. */
const STAND_INS = ['src/net/undici.ts', 'src/observe/repo/saxes.ts', 'src/observe/system/snyk.ts'];
/** Packages that may be in the file that every run loads. */
const LIGHT = ['yargs-parser'];

/** Path -> name of its file. */
const beside = new Map();
/** What is heavy and imported lazily is a file of its own, whose name says that it is to have node's own `require`. */
const heavy = {
  name: 'heavy',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async (args) => {
      if (args.kind !== 'dynamic-import' || args.pluginData === heavy || args.path.startsWith('node:'))
        return undefined;
      const { resolveDir, importer, kind } = args;
      const found = await resolve(args.path, { resolveDir, importer, kind, pluginData: heavy });
      const inside = path.relative(top, found.path);
      if (!inside.includes('node_modules') && !STAND_INS.includes(inside)) return undefined;
      const name = `package-${args.path
        .replace(/^\.\//, '')
        .replace(/\.[jt]s$/, '')
        .replaceAll('/', '-')}`;
      beside.set(found.path, name);
      return { path: `./${name}.cjs`, external: true };
    });
  },
};
/** The entry answers --version and --help from a file of their own, or loads the program. */
const parts = {
  name: 'parts',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/cli\/(main|real|at-once)\.ts$/ }, ({ kind, path: wanted }) => {
      if (kind !== 'dynamic-import') return undefined;
      const [, name] = /(\w[\w-]*)\.ts$/.exec(wanted);
      return { path: name === 'at-once' ? './at-once.cjs' : `./program.cjs#${name}`, external: true };
    });
  },
};
/** What is imported lazily goes through the loader too: packaging/load.ts. */
const asScript = { supported: { 'dynamic-import': false } };

// The program is two files, so that a look at the machine need not read what changes it: what `status` needs, and all that
// is imported lazily beyond that.
const FIRST = "export * as main from './src/cli/main.ts';\nexport * as real from './src/cli/real.ts';\n";
const stdin = (contents, sourcefile) => ({ contents, resolveDir: top, sourcefile, loader: 'ts' });
const { metafile: whatever } = await build({
  ...common,
  stdin: stdin(FIRST, 'program.ts'),
  outfile: 'program.cjs',
  plugins: [heavy],
});
const lazily = Object.values(whatever.inputs).flatMap(({ imports }) =>
  imports.filter(({ kind, external }) => kind === 'dynamic-import' && !external).map(({ path: file }) => file),
);
const second = new Map([...new Set(lazily)].sort().map((file, n) => [path.join(top, file), `m${n}`]));
const halves = {
  name: 'halves',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^half:/ }, ({ path: half }) => ({ path: half, namespace: 'half' }));
    onLoad({ filter: /./, namespace: 'half' }, ({ path: half }) => ({
      contents:
        half === 'half:program'
          ? FIRST
          : [...second].map(([file, name]) => `export * as ${name} from ${JSON.stringify(file)};`).join('\n'),
      resolveDir: top,
      loader: 'ts',
    }));
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, async (args) => {
      if (args.kind !== 'dynamic-import') return undefined;
      const file = path.resolve(args.resolveDir, args.path);
      return second.has(file) ? { path: `./second.cjs#${second.get(file)}`, external: true } : undefined;
    });
  },
};
const { outputFiles: split, metafile } = await build({
  ...common,
  format: 'esm',
  splitting: true,
  entryPoints: { program: 'half:program', second: 'half:second' },
  outdir: path.join(dist, 'chunks'),
  chunkNames: 'shared-[hash]',
  plugins: [heavy, halves],
});
// esbuild splits modules only: scripts are made of them afterwards. That takes the comments away by which it marks files.
const scripts = split.map(async ({ path: file, text, contents }) => {
  if (!file.endsWith('.cjs')) return { path: file, contents };
  const { inputs } = metafile.outputs[path.relative(top, file)];
  const foreign = Object.keys(inputs).filter((name) => name.startsWith('node_modules/'));
  const { code } = await transform(text, { ...asScript, platform: 'node', format: 'cjs', target: common.target });
  return { path: file, contents: Buffer.from([...foreign.map((name) => `// ${name}`), code].join('\n')) };
});
const results = [{ metafile, outputFiles: await Promise.all(scripts) }];
for (const input of Object.keys(results[0].metafile.inputs)) {
  const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
  if (name && !LIGHT.includes(name)) throw new Error(`${input} is part of what every run loads: import it lazily`);
}
results.push(
  await build({
    ...common,
    ...asScript,
    entryPoints: {
      ...Object.fromEntries([...beside].map(([file, name]) => [name, file])),
      'at-once': 'src/cli/at-once.ts',
    },
    outdir: path.join(dist, 'chunks'),
  }),
);
// In one order: esbuild finds the heavy packages in whichever order it gets to them.
const chunks = results.flatMap(({ outputFiles }) => outputFiles).sort((one, two) => (one.path < two.path ? -1 : 1));
const whole = createHash('sha256');
for (const file of chunks) whole.update(file.contents);
const ours = { ...common, define: { ...common.define, KPATCH_PM_BUILD: JSON.stringify(whole.digest('hex')) } };
const { outputFiles } = await build({
  ...ours,
  target: 'node12',
  entryPoints: ['packaging/load.ts'],
  format: 'iife',
  globalName: 'loading',
  legalComments: 'none',
});
const [{ text: loader }] = outputFiles;
const entry = await build({
  ...ours,
  ...asScript,
  // So plain that older nodes can read it and say what they lack.
  target: 'node12',
  entryPoints: { 'kpatch-pm': 'src/bin.ts' },
  outdir: dist,
  plugins: [parts],
  banner: { js: `${loader}\n((require) => {` },
  footer: { js: "})(loading.loader({ directory: __dirname + '/chunks', require }));" },
});
const compile = await build({ ...ours, entryPoints: ['packaging/compile.ts'], outdir: dist });

mkdirSync(path.join(dist, 'chunks'), { recursive: true });
for (const file of [...chunks, ...entry.outputFiles, ...compile.outputFiles]) writeFileSync(file.path, file.contents);
// @snyk/rpm-parser reads sqlite through sql.js, which loads this file from beside the code that asks for it.
const require = createRequire(import.meta.url);
const sqlJs = createRequire(require.resolve('@snyk/rpm-parser')).resolve('sql.js/dist/sql-wasm.wasm');
copyFileSync(sqlJs, path.join(dist, 'chunks', 'sql-wasm.wasm'));
chmodSync(path.join(dist, 'kpatch-pm.cjs'), 0o755);
const old = `${finished}.old.${process.pid}`;
if (existsSync(finished)) renameSync(finished, old);
renameSync(dist, finished);
rmSync(old, { recursive: true, force: true });

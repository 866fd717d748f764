// How the built program loads its own files: as scripts, which takes a tenth of what modules take (docs/performance.md),
// with V8's compiled code where compile.ts has left some beside them. The build puts it in front of src/bin.ts; it must
// stay so plain that older nodes can read it.
import type { Script } from 'node:vm';

/** Identifies the files that were built together; set by the build. */
declare const KPATCH_PM_BUILD: string;

/** Modules of node that cost milliseconds and that a run may not need at all: loaded when first touched. */
const LATE = ['child_process', 'crypto', 'net', 'stream', 'tls', 'v8', 'zlib'].map((name) => `node:${name}`);

/** Directory of compiled code, below that of the files. */
export const COMPILED = 'compiled';

type Require = (wanted: string) => object;

export interface Loading {
  /** Holds the files. */
  readonly directory: string;
  /** Of the file that loads: for what belongs to node. */
  readonly require: Require;
  /** Called with each script before it runs; compiled code is not used then. */
  readonly seen?: (name: string, script: Script) => void;
}

/** Gives a `require` for the program: `./FILE`, `./FILE#EXPORT` and modules of node. A file is run once. */
export function loader({ directory, require, seen }: Loading): Require {
  const made = new Map<string, { exports: object }>();
  const load = (wanted: string): object => {
    const [name = '', part] = wanted.split('#');
    const { exports } = made.get(name) ?? begin(name);
    return part === undefined ? exports : (exports as Record<string, object>)[part]!;
  };
  const begin = (name: string): { exports: object } => {
    const module = { exports: {} };
    made.set(name, module);
    if (name.startsWith('./')) script(name.slice(2), module);
    // Older nodes do not know the prefix.
    else
      module.exports = LATE.includes(name) ? late(() => require(name)) : asModule(require(name.replace('node:', '')));
    return module;
  };
  const script = (name: string, module: { exports: object }): void => {
    const fs = require('node:fs') as typeof import('node:fs');
    const vm = require('node:vm') as typeof import('node:vm');
    const filename = `${directory}/${name}`;
    const source = `(function (exports, require, module, __filename, __dirname) {${fs.readFileSync(filename, 'utf8')}\n})`;
    const code = seen ? null : compiledCode(directory, name, require);
    const compiled = new vm.Script(source, code === null ? { filename } : { filename, cachedData: code });
    if (seen) seen(name, compiled);
    // Other people's packages use node's modules in every way there is.
    const given = name.startsWith('package-') ? require : load;
    compiled.runInThisContext()(module.exports, given, module, filename, directory);
  };
  return load;
}

/**
 * The first line of a file of compiled code: which files it was made of, which node made it with everything in that, and
 * how long it is. V8 itself refuses the code of another V8 and of other options. There is no checksum, as there is none of
 * the program's own text: who can change the one can change the other.
 */
export const headOf = (code: Buffer): string =>
  `${KPATCH_PM_BUILD} ${process.arch} ${JSON.stringify(process.versions)} ${code.length}`;

/** The compiled code of a file; null where there is none, where it is not for these files and this node, or cut off. */
function compiledCode(directory: string, name: string, require: Require): Buffer | null {
  const fs = require('node:fs') as typeof import('node:fs');
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(`${directory}/${COMPILED}/${name}`);
  } catch {
    // Nobody has compiled it: it works without.
    return null;
  }
  const end = bytes.indexOf(10);
  const code = bytes.subarray(end + 1);
  return bytes.toString('latin1', 0, Math.max(end, 0)) === headOf(code) ? code : null;
}

/** A module of node as esbuild's own code for imports takes it: with a default, and without copying every name. */
function asModule(real: object): object {
  return Object.create(real, { __esModule: { value: true }, default: { value: real, enumerable: true } });
}

/** The same for a module that is not loaded yet: the first name that is asked for loads it. */
export function late(find: () => object): object {
  let found: object | null = null;
  const real = (): object => {
    found ??= find();
    return found;
  };
  const names = new Proxy(Object.create(null) as object, {
    get: (_, name) => Reflect.get(real(), name),
    has: (_, name) => Reflect.has(real(), name),
  });
  return Object.create(names, { __esModule: { value: true }, default: { get: real, enumerable: true } });
}

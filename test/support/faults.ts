// System calls that fail: every synchronous call of node:fs that concerns a directory, and fsync(2) in either form, is counted,
// and the n-th one (or all from there on) gives an errno in place of doing its work. What is tested is the program as it is; only the kernel "fails".
import fs from 'node:fs';

/** Calls that change something, and calls that only look. */
const CHANGING = [
  'writeSync',
  'writeFileSync',
  'fsyncSync',
  'fsync',
  'renameSync',
  'linkSync',
  'unlinkSync',
  'rmdirSync',
  'mkdirSync',
  'fchmodSync',
  'futimesSync',
  'fchownSync',
  'symlinkSync',
  'ftruncateSync',
] as const;
const LOOKING = [
  'readSync',
  'lstatSync',
  'statSync',
  'fstatSync',
  'readlinkSync',
  'readdirSync',
  'statfsSync',
  'accessSync',
] as const;

export type Errno = 'ENOSPC' | 'EROFS' | 'EIO' | 'EACCES';
const WORDS: Readonly<Record<Errno, string>> = {
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  EIO: 'i/o error',
  EACCES: 'permission denied',
};

export interface Fault {
  /** Which call fails, counted from 1 among the calls of its kind. */
  readonly at: number;
  readonly errno: Errno;
  readonly kind: 'change' | 'look';
  /** Whether all later calls of the kind fail too, as on a disk that stays full. */
  readonly lasting: boolean;
  /** Only calls that read so count: `unlinkSync /var/cache/...`, the path below the directory. */
  readonly only?: RegExp;
}

type Call = (...args: unknown[]) => unknown;
const calls = fs as unknown as Record<string, Call>;
const { readlinkSync, realpathSync } = fs;

/** The file behind a path or a descriptor, as far as it can be told. */
function fileOf(subject: unknown): string {
  try {
    if (typeof subject === 'number') return readlinkSync(`/proc/self/fd/${subject}`);
    const text = String(subject);
    const through = /^\/proc\/self\/fd\/\d+/.exec(text)?.[0];
    return through ? readlinkSync(through) + text.slice(through.length) : text;
  } catch {
    return '';
  }
}

function kindOf(name: string, args: readonly unknown[]): Fault['kind'] {
  if (name !== 'openSync') return (CHANGING as readonly string[]).includes(name) ? 'change' : 'look';
  const flags = args[1] ?? 'r';
  const changes =
    typeof flags === 'string'
      ? /[wax+]/.test(flags)
      : (Number(flags) & (fs.constants.O_CREAT | fs.constants.O_WRONLY)) !== 0;
  return changes ? 'change' : 'look';
}

/** Does `work` with a fault in it. Gives how many calls of the kind there were, and which call failed first (null: none). */
export async function withFault<T>(
  directory: string,
  fault: Fault,
  work: () => Promise<T>,
): Promise<{
  readonly calls: number;
  readonly failed: string | null;
  readonly ended: { value: T } | { error: unknown };
}> {
  const top = realpathSync(directory);
  const names = ['openSync', ...CHANGING, ...LOOKING];
  const originals = new Map(names.map((name) => [name, calls[name] as Call]));
  let count = 0;
  let failed: string | null = null;
  for (const [name, original] of originals) {
    calls[name] = (...args) => {
      const file = fileOf(args[0]);
      // That a place is closed is what access(2) is there to tell; only its failing is a fault.
      if (name === 'accessSync' && fault.errno !== 'EIO') return original.apply(fs, args);
      const reads = `${name} ${file.slice(top.length)}`;
      const concerns =
        (file === top || file.startsWith(`${top}/`)) &&
        kindOf(name, args) === fault.kind &&
        (fault.only === undefined || fault.only.test(reads));
      if (concerns) count++;
      if (!concerns || count < fault.at || (count > fault.at && !fault.lasting)) return original.apply(fs, args);
      failed ??= reads;
      const call = name.replace(/Sync$/, '');
      const error = Object.assign(new Error(`${fault.errno}: ${WORDS[fault.errno]}, ${call} '${file}'`), {
        code: fault.errno,
        syscall: call,
      });
      const told = args.at(-1);
      if (typeof told !== 'function') throw error;
      setImmediate(told as (error: unknown) => void, error);
      return undefined;
    };
  }
  try {
    const value = await work();
    return { calls: count, failed, ended: { value } };
  } catch (error) {
    return { calls: count, failed, ended: { error } };
  } finally {
    for (const [name, original] of originals) calls[name] = original;
  }
}

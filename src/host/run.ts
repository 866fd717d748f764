// Run: the only way to start another program. Absolute paths, argument vectors, a clean environment, limits; never a shell.
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { hasErrno, KpmError } from '../errors.ts';
import { reasonOf } from './failure.ts';
import { socketPair } from './pair.ts';

const PLACES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** Milliseconds a killed program gets to end. */
const GRACE = 5_000;
/** The whole environment a child sees. LC_ALL=C: texts we read must not be translated. */
const CLEAN_ENV = { PATH: PLACES.join(':'), LC_ALL: 'C', LANG: 'C', HOME: '/root' };

export interface RunOptions {
  /** Milliseconds until the program is killed. */
  readonly timeout?: number;
  /** Most bytes kept of stdout (and of stderr); more kills the program. */
  readonly maxOutput?: number;
  readonly input?: Buffer;
  /** Descriptors the child inherits as 3, 4 ... */
  readonly inherit?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunResult {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Run {
  /** Absolute path of a program in the system's directories; null when absent. */
  which(program: string): string | null;
  /**
   * Runs it to the end. Raises `program-missing`; `program-failed` on time-out or too much output, not on exit status;
   * `program-stuck` when it hangs in the kernel and cannot even be killed.
   */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Pipes `source` through a program. Raises `program-missing`, `program-failed` (non-zero exit). */
  filter(
    program: string,
    args: readonly string[],
    source: AsyncIterable<Uint8Array>,
    options?: FilterOptions,
  ): AsyncIterable<Buffer>;
}

export interface FilterOptions {
  /** Each piece is valid only until the next is asked for: cheaper by far for who only looks at them, or copies. */
  readonly passing?: boolean;
  /** Bytes that will probably come: the pieces, which may be kept, then lie side by side as far as that can be had. */
  readonly expected?: number;
}

/** The real thing. */
export const realRun: Run = { which, run, filter };

function which(program: string): string | null {
  if (program.startsWith('/')) return fs.existsSync(program) ? program : null;
  for (const place of PLACES) {
    const candidate = `${place}/${program}`;
    try {
      fs.accessSync(candidate, fs.constants.X_OK);
      return candidate;
    } catch {
      // Not here: the next place is looked at.
    }
  }
  return null;
}

function found(program: string): string {
  const absolute = which(program);
  if (absolute === null) {
    throw new KpmError('program-missing', {
      text: `The program ${program} is needed and not installed.`,
      subject: program,
      hint: `Install the package that brings ${program} and run the same command again.`,
    });
  }
  return absolute;
}

function failed(program: string, why: string): KpmError {
  return new KpmError('program-failed', { text: `${program} ${why}.`, subject: program });
}

function notStarted(program: string, cause: Error): KpmError {
  return new KpmError('program-failed', {
    text: `${program} could not be started: ${reasonOf(cause)}.`,
    subject: program,
    cause,
  });
}

/** Kills a program and all it started (it leads its own process group, see `detached`). Only before its 'close'. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const absolute = found(program);
  const limit = options.maxOutput ?? 64 * 1024 * 1024;
  const timeout = options.timeout ?? 60_000;
  return new Promise((resolve, reject) => {
    const child = spawn(absolute, args, {
      env: options.env ?? CLEAN_ENV,
      cwd: '/',
      // A group of its own: a time-out also ends what a script has started, and ^C at the terminal does not break off
      // an rpm or insmod in the middle.
      detached: true,
      stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe', ...(options.inherit ?? [])],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let bytes = 0;
    let stopped: string | null = null;
    let patience: NodeJS.Timeout | undefined;
    const stop = (why: string): void => {
      if (stopped !== null) return;
      stopped = why;
      killGroup(child);
      // A task that hangs in the kernel does not die; nobody waits for it for ever.
      patience = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        child.unref();
        reject(
          new KpmError('program-stuck', {
            text: `${program} ${why}, but it hangs in the kernel and cannot be ended.`,
            subject: program,
            hint: 'See where it hangs: dmesg | tail. Only a reboot ends it.',
          }),
        );
      }, GRACE);
    };
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) stop(`printed more than ${limit} bytes and was stopped`);
      else into.push(chunk);
    };
    const timer = setTimeout(() => stop(`did not end within ${timeout / 1000} s and was stopped`), timeout);
    child.stdout?.on('data', collect(out));
    child.stderr?.on('data', collect(err));
    child.stdin?.on('error', () => {
      // The program may stop reading early; its exit status says what that means.
    });
    child.stdin?.end(options.input);
    child.on('error', (cause) => {
      clearTimeout(timer);
      clearTimeout(patience);
      reject(notStarted(program, cause));
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      clearTimeout(patience);
      if (stopped !== null) reject(failed(program, stopped));
      else resolve({ status, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') });
    });
  });
}

async function* filter(
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  { passing = false, expected }: FilterOptions = {},
): AsyncIterable<Buffer> {
  const absolute = found(program);
  const pair = passing || expected !== undefined ? await socketPair(passing ? null : expected) : null;
  const child = ((): ChildProcess => {
    try {
      const stdio = ['pipe' as const, pair?.theirs ?? ('pipe' as const), 'pipe' as const];
      return spawn(absolute, args, { env: CLEAN_ENV, cwd: '/', detached: true, stdio });
    } finally {
      // The child has its own: with ours open the end would never be seen.
      pair?.theirs.destroy();
    }
  })();
  const { stdin, stderr: complaints } = child as ChildProcess & { stdin: Writable; stderr: Readable };
  let stderr = '';
  complaints.on('data', (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString('utf8');
  });
  const ended = new Promise<{ status: number | null; signal: string | null; cause: Error | null }>((resolve) => {
    child.on('error', (cause) => resolve({ status: null, signal: null, cause }));
    child.on('close', (status, signal) => resolve({ status, signal, cause: null }));
  });
  let closed = false;
  child.on('close', () => {
    closed = true;
  });
  let feedError: unknown = null;
  const fed = feed(stdin, source).catch((error: unknown) => {
    feedError = error;
    if (!closed) killGroup(child);
  });
  try {
    for await (const chunk of pair?.pieces ?? (child.stdout as Readable)) yield chunk as Buffer;
    const { status, signal, cause } = await ended;
    // A program that failed is not waited for on behalf of its source, which may be slow.
    if (status === 0) await fed;
    if (feedError !== null) throw feedError;
    if (cause !== null) throw notStarted(program, cause);
    if (status !== 0) {
      const how = signal === null ? `status ${status}` : `killed by ${signal}`;
      throw failed(program, `failed (${how}): ${stderr.trim().split('\n')[0] || 'it says nothing'}`);
    }
  } finally {
    pair?.close();
    if (!closed) killGroup(child);
  }
}

/** Writes everything to a child's stdin; a child that stops reading (EPIPE) is not an error here, its status tells. */
async function feed(stdin: Writable, source: AsyncIterable<Uint8Array>): Promise<void> {
  stdin.on('error', () => {
    // Told by `destroyed` below.
  });
  for await (const chunk of source) {
    if (stdin.destroyed) return;
    if (stdin.write(chunk) || stdin.destroyed) continue;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of ['drain', 'close', 'error']) stdin.off(event, done);
        resolve();
      };
      for (const event of ['drain', 'close', 'error']) stdin.on(event, done);
    });
  }
  stdin.end();
}

// Run: the only way to start another program. Absolute paths, argument vectors, a clean environment, limits; never a shell.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { KpmError } from '../errors.ts';

const PLACES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
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
  /** Runs it to the end. Raises `program-missing`; `program-failed` on time-out or too much output, not on exit status. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Pipes `source` through a program. Raises `program-missing`, `program-failed` (non-zero exit). */
  filter(program: string, args: readonly string[], source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer>;
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

function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const absolute = found(program);
  const limit = options.maxOutput ?? 64 * 1024 * 1024;
  const timeout = options.timeout ?? 60_000;
  return new Promise((resolve, reject) => {
    const child = spawn(absolute, args, {
      env: options.env ?? CLEAN_ENV,
      cwd: '/',
      stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe', ...(options.inherit ?? [])],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let bytes = 0;
    let stopped: string | null = null;
    const stop = (why: string): void => {
      stopped ??= why;
      child.kill('SIGKILL');
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
      reject(
        new KpmError('program-failed', {
          text: `${program} could not be started: ${cause.message}.`,
          subject: program,
          cause,
        }),
      );
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      if (stopped) reject(failed(program, stopped));
      else resolve({ status, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') });
    });
  });
}

async function* filter(
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
): AsyncIterable<Buffer> {
  const child = spawn(found(program), args, { env: CLEAN_ENV, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString('utf8');
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  let feedError: unknown = null;
  const fed = feed(child.stdin, source).catch((error: unknown) => {
    feedError = error;
    child.kill('SIGKILL');
  });
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    await fed;
    if (feedError) throw feedError;
    const status = await ended;
    if (status !== 0) throw failed(program, `failed (status ${status}): ${stderr.trim().split('\n')[0] ?? ''}`);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Writes everything to a child's stdin; a child that stops reading (EPIPE) is not an error here, its status tells. */
async function feed(stdin: NodeJS.WritableStream, source: AsyncIterable<Uint8Array>): Promise<void> {
  let broken = false;
  stdin.on('error', () => {
    broken = true;
  });
  for await (const chunk of source) {
    if (broken) return;
    if (!stdin.write(chunk)) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          stdin.off('drain', done);
          stdin.off('close', done);
          stdin.off('error', done);
          resolve();
        };
        stdin.on('drain', done);
        stdin.on('close', done);
        stdin.on('error', done);
      });
    }
  }
  stdin.end();
}

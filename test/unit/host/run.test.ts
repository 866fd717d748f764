import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { realRun } from '../../../src/host/run.ts';
import { removeTrees, tree } from '../../support/config-root.ts';

afterAll(removeTrees);

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof KpmError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no failure';
}

async function* chunks(...texts: string[]): AsyncIterable<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

async function collect(source: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of source) all.push(Buffer.from(chunk));
  return Buffer.concat(all).toString('utf8');
}

/** Processes whose command line holds this text. */
function running(text: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      // Ended meanwhile.
      return false;
    }
  }).length;
}

/** Resolves when none runs any more. One that stays lets the test run out of its time: a busy machine may take long to end it. */
async function gone(text: string): Promise<boolean> {
  while (running(text) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  return true;
}

/** The whole of the argument, so that 12 is not taken for the beginning of another test's 123. */
const sleeping = (mark: string): string => `sleep\0${mark}\0`;

const sh = (script: string, options = {}) => realRun.run('sh', ['-c', script], options);

describe('run', () => {
  test('status, both outputs, input', async () => {
    const { status, signal, stdout, stderr } = await sh('cat; echo err >&2; exit 3', { input: Buffer.from('in') });
    expect([status, signal, stdout.toString(), stderr]).toEqual([3, null, 'in', 'err\n']);
  });

  test('arguments are arguments, never a shell line', async () => {
    const { stdout } = await realRun.run('echo', ['$HOME; `id`', '* "']);
    expect(stdout.toString()).toBe('$HOME; `id` * "\n');
  });

  test('a clean environment, whatever ours is', async () => {
    process.env.KPATCH_PM_TEST_LEAK = 'yes';
    process.env.NODE_OPTIONS = '';
    try {
      const { stdout } = await realRun.run('env', []);
      const names = stdout
        .toString()
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0]);
      expect(names.sort()).toEqual(['HOME', 'LANG', 'LC_ALL', 'PATH']);
    } finally {
      delete process.env.KPATCH_PM_TEST_LEAK;
      delete process.env.NODE_OPTIONS;
    }
  });

  test('a signal is told', async () => {
    expect(await sh('kill -TERM $$')).toMatchObject({ status: null, signal: 'SIGTERM' });
  });

  test('a program that is not there', async () => {
    expect(await failure(realRun.run('kpatch-pm-no-such-program', []))).toMatch(/^program-missing: /);
    expect(realRun.which('kpatch-pm-no-such-program')).toBeNull();
    expect(realRun.which('sh')).toMatch(/^\/(usr\/)?bin\/sh$/);
  });

  test('what cannot be executed is told in words', async () => {
    const file = path.join(tree({}), 'script');
    writeFileSync(file, 'x', { mode: 0o644 });
    expect(await failure(realRun.run(file, []))).toMatch(
      /^program-failed: .*could not be started: (permission denied|spawn)/,
    );
  });

  test('too slow: it is ended, with all it started', async () => {
    const mark = `987${process.pid}`;
    expect(await failure(sh(`sleep ${mark} & sleep ${mark}`, { timeout: 200 }))).toMatch(
      /^program-failed: sh did not end within 0\.2 s/,
    );
    expect(await gone(sleeping(mark))).toBe(true);
  });

  test('a child that outlives the program and holds its output does not hold us', async () => {
    const mark = `986${process.pid}`;
    expect(await failure(sh(`sleep ${mark} & exit 0`, { timeout: 200 }))).toMatch(/^program-failed: /);
    expect(await gone(sleeping(mark))).toBe(true);
  });

  test('too much output: it is ended', async () => {
    expect(await failure(sh('exec cat /dev/zero', { maxOutput: 100_000 }))).toMatch(/^program-failed: .*100000 bytes/);
  });

  test('input that is not read is no error', async () => {
    expect(await sh('exit 0', { input: Buffer.alloc(1_000_000) })).toMatchObject({ status: 0 });
  });
});

describe.each([
  ['pieces to keep', {}],
  ['pieces that are passing', { passing: true }],
  ['a piece of memory of the right size', { expected: 13_107_201 }],
  ['a piece of memory that is too small', { expected: 1 }],
])('filter with %s', (_, options) => {
  const filter = (program: string, args: readonly string[], source: AsyncIterable<Uint8Array>) =>
    realRun.filter(program, args, source, options);

  test('bytes in, bytes out', async () => {
    expect(await collect(filter('tr', ['a-z', 'A-Z'], chunks('ab', 'cd')))).toBe('ABCD');
  });

  test('more than the pipes hold', async () => {
    async function* much(): AsyncIterable<Buffer> {
      for (let n = 0; n < 200; n++) yield Buffer.alloc(65_536, 'x');
    }
    let bytes = 0;
    for await (const chunk of filter('cat', [], much())) bytes += chunk.length;
    expect(bytes).toBe(200 * 65_536);
  });

  test('every byte in its place, however fast or slow they are taken', async () => {
    const numbers = Buffer.from(Uint32Array.from({ length: 500_000 }, (_, n) => n).buffer);
    async function* source(): AsyncIterable<Buffer> {
      for (let at = 0; at < numbers.length; at += 50_000) yield numbers.subarray(at, at + 50_000);
    }
    let at = 0;
    for await (const chunk of filter('cat', [], source())) {
      if (at % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      expect(chunk.equals(numbers.subarray(at, at + chunk.length))).toBe(true);
      at += chunk.length;
    }
    expect(at).toBe(numbers.length);
  });

  test('many small writes', async () => {
    const script = 'n=0; while [ $n -lt 2000 ]; do echo $n; n=$((n+1)); done';
    const wanted = Array.from({ length: 2000 }, (_, n) => `${n}\n`).join('');
    expect(await collect(filter('sh', ['-c', script], chunks()))).toBe(wanted);
  });

  test('a quick writer of small pieces', async () => {
    const numbers = Buffer.from(Uint32Array.from({ length: 2_000_000 }, (_, n) => n).buffer);
    async function* source(): AsyncIterable<Buffer> {
      yield numbers;
    }
    let at = 0;
    for await (const chunk of filter('dd', ['bs=8192', 'iflag=fullblock', 'status=none'], source())) {
      expect(chunk.equals(numbers.subarray(at, at + chunk.length))).toBe(true);
      at += chunk.length;
    }
    expect(at).toBe(numbers.length);
  });

  test('nothing comes of nothing', async () => {
    expect(await collect(filter('cat', [], chunks()))).toBe('');
    expect(await collect(filter('true', [], chunks('x')))).toBe('');
  });

  test('a failing program raises after its output, with its first line', async () => {
    expect(await failure(collect(filter('sh', ['-c', 'echo out; echo broken stream >&2; exit 2'], chunks('x'))))).toBe(
      'program-failed: sh failed (status 2): broken stream.',
    );
    expect(await failure(collect(filter('sh', ['-c', 'kill -SEGV $$'], chunks('x'))))).toMatch(/killed by SIGSEGV/);
  });

  test('a program that fails early is told although its source goes on and on', async () => {
    let stopped = false;
    async function* slow(): AsyncIterable<Buffer> {
      try {
        for (;;) {
          yield Buffer.alloc(65_536);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        stopped = true;
      }
    }
    expect(await failure(collect(filter('sh', ['-c', 'exit 1'], slow())))).toMatch(/status 1/);
    // Where it never is, the test runs out of its time.
    while (!stopped) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test('an error of the source comes through as it is', async () => {
    const error = new KpmError('aborted', { text: 'source' });
    async function* bad(): AsyncIterable<Buffer> {
      yield Buffer.from('x');
      throw error;
    }
    await expect(collect(filter('cat', [], bad()))).rejects.toBe(error);
  });

  test('who stops reading ends the program', async () => {
    const mark = `985${process.pid}`;
    for await (const _chunk of filter('sh', ['-c', `echo x; sleep ${mark}`], chunks('x'))) break;
    expect(await gone(sleeping(mark))).toBe(true);
  });

  test('a program that is not there', async () => {
    expect(await failure(collect(filter('kpatch-pm-no-such-program', [], chunks())))).toMatch(/^program-missing: /);
  });
});

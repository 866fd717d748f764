// Surroundings of a run inside the test process: the host is a directory, the streams are kept, the clock stands still.
import { PassThrough } from 'node:stream';
import type { Sink } from '../../src/cli/output.ts';
import type { Surroundings } from '../../src/cli/surroundings.ts';
import { KpmError } from '../../src/errors.ts';
import { type Run, realRun } from '../../src/host/run.ts';

export interface Captured extends Sink {
  text: string;
}

/** A stream that keeps what is written; with `columns`, a terminal of that width. */
export function captured(columns?: number): Captured {
  return {
    text: '',
    isTTY: columns !== undefined,
    columns,
    write(text: string) {
      this.text += text;
      return true;
    },
  };
}

/** Programs that would change the kernel this test runs on. */
const KERNEL_TOOLS = ['insmod', 'rmmod', 'modprobe', 'kpatch'];

/** The real thing, but for what changes the running kernel: that counts as not installed. */
const harmlessRun: Run = {
  ...realRun,
  which: (program) => (KERNEL_TOOLS.includes(program) ? null : realRun.which(program)),
  run: (program, args, options) => {
    if (!KERNEL_TOOLS.includes(program)) return realRun.run(program, args, options);
    return Promise.reject(new KpmError('program-missing', { text: `${program} is not for tests.`, subject: program }));
  },
};

export interface Told {
  /** Directory that plays the running system. */
  readonly hostPath: string;
  /** '/' unless said. */
  readonly directory?: string;
  readonly uname?: string;
  readonly now?: string;
  readonly env?: Record<string, string>;
  /** A terminal of this many columns, on which these lines are typed; without it, pipes. */
  readonly terminal?: number;
  readonly typed?: readonly string[];
  readonly interrupt?: AbortSignal;
  readonly interruptAgain?: AbortSignal;
}

export interface TestSurroundings extends Surroundings {
  readonly stdout: Captured;
  readonly stderr: Captured;
}

export function surroundings(told: Told): TestSurroundings {
  const stdin = new PassThrough();
  for (const line of told.typed ?? []) stdin.write(`${line}\n`);
  stdin.end();
  return {
    hostPath: told.hostPath,
    directory: told.directory ?? '/',
    run: harmlessRun,
    now: () => new Date(told.now ?? '2026-01-01T00:01:00Z'),
    env: told.env ?? { LANG: 'C.UTF-8' },
    uname: told.uname ?? '5.14.0-1.el9.x86_64',
    arch: 'x86_64',
    uid: process.getuid?.() ?? 0,
    nodeVersion: '20.19.0',
    ownOpenssl: true,
    stdin: Object.assign(stdin, { isTTY: told.terminal !== undefined }),
    stdout: captured(told.terminal),
    stderr: captured(told.terminal),
    interrupt: told.interrupt ?? new AbortController().signal,
    interruptAgain: told.interruptAgain ?? new AbortController().signal,
  };
}

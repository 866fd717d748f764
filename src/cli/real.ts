// The real surroundings of the process. Only bin.ts uses this.
import os from 'node:os';
import { realRun } from '../host/run.ts';
import type { Surroundings } from './surroundings.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The machine this process runs on. A first signal ends the run in order, a second one at once. */
export function realSurroundings(): Surroundings {
  const stop = new AbortController();
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      // The terminal shows ^C where the cursor was.
      if (process.stderr.isTTY) process.stderr.write('\n');
      stop.abort(signal);
    });
  }
  return {
    hostPath: '/',
    // It may be gone; only verbs that name files look.
    get directory() {
      return process.cwd();
    },
    run: realRun,
    now: () => new Date(),
    env: process.env,
    uname: os.release(),
    arch: os.machine(),
    uid: process.getuid?.() ?? 0,
    // Opening them costs time that --version need not pay.
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    interrupt: stop.signal,
  };
}

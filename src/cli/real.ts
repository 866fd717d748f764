// The real surroundings of the process. Only bin.ts uses this.
import os from 'node:os';
import { realRun } from '../host/run.ts';
import type { StandardStream } from '../host/standard.ts';
import type { Surroundings } from './surroundings.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One ^C reaches a program more than once where somebody passes it on (sudo, our own fresh start), and so does a hangup. */
const SAME_MS = 400;

/** The machine this process runs on. A first signal ends the run in order, a second one soon, a third one as the system does it. */
export function realSurroundings(stdout: StandardStream, stderr: StandardStream): Surroundings {
  const [stop, again] = [new AbortController(), new AbortController()];
  let last = Number.NEGATIVE_INFINITY;
  const hear = (signal: NodeJS.Signals): void => {
    const since = performance.now() - last;
    last = performance.now();
    if (since < SAME_MS) return;
    // The terminal shows ^C where the cursor was.
    if (stderr.isTTY) stderr.write('\n');
    if (stop.signal.aborted) {
      for (const one of SIGNALS) process.off(one, hear);
      again.abort(signal);
    } else stop.abort(signal);
  };
  for (const signal of SIGNALS) process.on(signal, hear);
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
    nodeVersion: process.versions.node,
    get ownOpenssl() {
      return (process.config.variables as { node_shared_openssl?: boolean }).node_shared_openssl !== true;
    },
    // Opening it costs time, and few runs ask.
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    interrupt: stop.signal,
    interruptAgain: again.signal,
  };
}

// How long a load may take, in milliseconds. All of it can be set; the defaults follow the kernel and the kpatch utility.

export interface LoadTimes {
  /** How often an insert is tried while another transition runs (the utility: 5). */
  readonly busyAttempts: number;
  /** Pause between these attempts (the utility: 2 s). */
  readonly busyPause: number;
  /** After this the tasks in the way are signalled, where the kernel does not do that by itself (it does after 15 s). */
  readonly signal: number;
  /** After this, counted from the insert, a transition counts as stalled (the utility: 75 s). */
  readonly giveUp: number;
  /** Wait for a reversed or disabled patch to leave (measured 1 to 4 s). */
  readonly reverse: number;
  /** Wait for a module's reference count to fall to 0 (the utility: 15 s). */
  readonly refcount: number;
  /** Wait for the module of a replaced patch to become removable; staying is no error. */
  readonly leftover: number;
  /** Limit for one run of insmod or rmmod. */
  readonly program: number;
  /** Limit for one run of the kpatch utility, which waits 15 s, 60 s and for the reversal by itself. */
  readonly utility: number;
}

export const DEFAULT_TIMES: LoadTimes = {
  busyAttempts: 5,
  busyPause: 2_000,
  signal: 30_000,
  giveUp: 90_000,
  reverse: 60_000,
  refcount: 15_000,
  leftover: 2_000,
  program: 120_000,
  utility: 300_000,
};

/** Monotonic milliseconds and a way to wait; wall-clock time may jump in the middle of a transition. */
export interface Stopwatch {
  now(): number;
  /** Returns after `ms`, or as soon as `until` is aborted. */
  sleep(ms: number, until?: AbortSignal): Promise<void>;
}

export const realStopwatch: Stopwatch = {
  now: () => performance.now(),
  sleep: (ms, until) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        until?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      until?.addEventListener('abort', done);
    }),
};

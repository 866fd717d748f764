// What a body may do: bytes at most, and progress. dnf's rule: slower than `minrate` for `timeout` seconds is given up
// (dnf.conf(5), minrate and timeout). Time that the reader itself needs does not count.
import type { Readable } from 'node:stream';
import { KpmError } from '../errors.ts';
import { transferFailure } from './failure.ts';

export interface Pace {
  readonly maxBytes: number;
  /** Seconds; 0: never. */
  readonly timeout: number;
  /** Bytes a second. */
  readonly minrate: number;
  /** Bytes a second; 0: no limit. */
  readonly throttle: number;
  readonly what: string;
  /** As shown to people. */
  readonly url: string;
}

/** The refusal of a body that is longer than allowed. */
export function tooLarge(what: string, url: string, maxBytes: number): KpmError {
  return new KpmError('too-large', {
    text: `${what}: ${url} is larger than the ${maxBytes} bytes it may have.`,
    subject: url,
    hint: 'The server sends something else than it announces; try again later or tell whoever runs it.',
  });
}

/** Hands on the chunks of a body under its limits. Raises `too-large`, `net-timeout`, and what the transfer itself meets. */
export async function* paced(body: Readable, pace: Pace): AsyncGenerator<Buffer> {
  const slow = new KpmError('net-timeout', {
    text: `${pace.what}: ${pace.url} sent less than ${pace.minrate} bytes a second for ${pace.timeout} s.`,
    subject: pace.url,
    hint: 'The server or the way to it is too slow; try again, or raise timeout= for that repository.',
  });
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const started = performance.now();
  let total = 0;
  // One window of patience: how long we have waited in it, and what came.
  let waited = 0;
  let came = 0;
  const limit = pace.timeout * 1000;
  const timer = limit > 0 ? setTimeout(() => body.destroy(slow), limit) : null;
  try {
    for (;;) {
      const since = performance.now();
      timer?.refresh();
      const next = await chunks.next();
      if (next.done) return;
      const chunk = next.value;
      total += chunk.length;
      if (total > pace.maxBytes) throw tooLarge(pace.what, pace.url, pace.maxBytes);
      waited += performance.now() - since;
      came += chunk.length;
      if (limit > 0 && waited >= limit) {
        if (came < (pace.minrate * waited) / 1000) throw slow;
        waited = 0;
        came = 0;
      }
      if (pace.throttle > 0) await throttled(total, pace.throttle, started);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof KpmError ? error : transferFailure(error, pace.what, pace.url);
  } finally {
    if (timer) clearTimeout(timer);
    body.destroy();
  }
}

async function throttled(total: number, rate: number, started: number): Promise<void> {
  const ahead = (total / rate) * 1000 - (performance.now() - started);
  if (ahead > 5) await new Promise((resolve) => setTimeout(resolve, ahead));
}

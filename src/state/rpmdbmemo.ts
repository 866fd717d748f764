// rpm's last answer about the packages of a root, kept in the cache so that rpm is started only when its database changed.
import { KpmError } from '../errors.ts';
import { type Cache, readCached, writeCached } from './cache.ts';

const MAX_ANSWER = 64 * 1024 * 1024;

/** What readRpmdb takes as memory: one answer (of one question, `name`), under the key of the database's state. */
export function rpmdbMemo(
  cache: Cache,
  name: 'answer' | 'keys' = 'answer',
): {
  get(key: string): string | null;
  put(key: string, answer: string): void;
} {
  const file = `rpmdb/${name}`;
  // Nobody waits for the disk. What a power cut leaves of a file is cut off or has zeros where something was: the length and
  // the absence of zeros, which no answer has, prove that it is whole.
  const line = (key: string, length: number): string => `${key.replaceAll('\n', ' ')} ${length}\n`;
  return {
    get(key) {
      for (const place of [cache.own, cache.shared]) {
        const text = readCached(place, file, MAX_ANSWER)?.toString('utf8');
        if (text === undefined) continue;
        const answer = text.slice(text.indexOf('\n') + 1);
        if (text.startsWith(line(key, answer.length)) && !answer.includes('\0')) return answer;
      }
      return null;
    },
    put(key, answer) {
      try {
        writeCached(cache, file, line(key, answer.length) + answer, { durable: false });
      } catch (error) {
        // A full disk costs the next run some milliseconds; that is no reason to fail this one.
        if (!(error instanceof KpmError)) throw error;
      }
    },
  };
}

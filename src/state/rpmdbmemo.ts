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
  const line = (key: string): string => `${key.replaceAll('\n', ' ')}\n`;
  return {
    get(key) {
      for (const place of [cache.own, cache.shared]) {
        const text = readCached(place, file, MAX_ANSWER)?.toString('utf8');
        if (text?.startsWith(line(key))) return text.slice(line(key).length);
      }
      return null;
    },
    put(key, answer) {
      try {
        writeCached(cache, file, line(key) + answer);
      } catch (error) {
        // A full disk costs the next run some milliseconds; that is no reason to fail this one.
        if (!(error instanceof KpmError)) throw error;
      }
    },
  };
}

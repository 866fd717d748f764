// Work for several packages at once, as far as memory allows: a package is held in memory whole while it is fetched, and
// again while it is verified and read out.
import { MAX_PACKAGE_BYTES } from '../formats/rpm/package.ts';

/**
 * Does work for each item, begun in their order, `workers` at a time; fewer where `sizeOf` (bytes) adds up to more than the
 * largest package. After an error nothing more is begun; it is raised when all that was begun has ended.
 */
export async function sideBySide<T>(
  items: readonly T[],
  workers: number,
  sizeOf: (item: T) => number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let taken = 0;
  const errors: unknown[] = [];
  for (const item of items) {
    // What is larger than all the room is done alone.
    const size = Math.min(sizeOf(item), MAX_PACKAGE_BYTES);
    while (running.size > 0 && (running.size >= workers || taken + size > MAX_PACKAGE_BYTES))
      await Promise.race(running);
    if (errors.length > 0) break;
    taken += size;
    const one = work(item)
      .catch((error: unknown) => {
        errors.push(error);
      })
      .finally(() => {
        taken -= size;
        running.delete(one);
      });
    running.add(one);
  }
  await Promise.all(running);
  if (errors.length > 0) throw errors[0];
}

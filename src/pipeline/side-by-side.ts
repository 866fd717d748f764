// Work for several packages at once, as far as memory allows: a package is held in memory whole while it is fetched, and
// again while it is verified and read out.
import { MAX_PACKAGE_BYTES } from '../formats/rpm/package.ts';

/** Does work for each item in their order, `workers` at a time; fewer where `sizeOf` (bytes) adds up to more than the largest package. */
export async function sideBySide<T>(
  items: readonly T[],
  workers: number,
  sizeOf: (item: T) => number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const waiting: (() => void)[] = [];
  let taken = 0;
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      // What is larger than all the room is done alone.
      const size = Math.min(sizeOf(item), MAX_PACKAGE_BYTES);
      while (taken + size > MAX_PACKAGE_BYTES) await new Promise<void>((resolve) => waiting.push(resolve));
      taken += size;
      try {
        await work(item);
      } finally {
        taken -= size;
        for (const go of waiting.splice(0)) go();
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

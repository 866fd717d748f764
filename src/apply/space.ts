// Whether what is to be written fits, asked before anything is: per file system, whatever lies on it.
import { KpmError } from '../errors.ts';
import { roomAt } from '../host/room.ts';
import type { Root } from '../host/root.ts';

/** Bytes (and files) that will lie below a directory, which need not exist yet. */
export interface Need {
  readonly root: Root;
  readonly path: string;
  readonly bytes: number;
  readonly files: number;
}

interface Sum {
  readonly places: Set<string>;
  readonly free: { readonly bytes: number; readonly files: number | null };
  bytes: number;
  files: number;
}

/** A file takes whole blocks; four kibibytes is what the usual file systems have. */
const BLOCK = 4096;

/**
 * Raises `no-space` when a file system has not the room for all that was named for it. `undone`: the end of the hint, what
 * did not happen.
 */
export function checkSpace(needs: readonly Need[], undone = 'nothing was changed'): void {
  const pools = new Map<string, Sum>();
  for (const { root, path, bytes, files } of needs) {
    if (bytes === 0 && files === 0) continue;
    const { pool, ...free } = roomAt(root, path);
    const sum = pools.get(pool) ?? { places: new Set(), free, bytes: 0, files: 0 };
    sum.places.add(root.show(path));
    sum.bytes += bytes + files * BLOCK;
    sum.files += files;
    pools.set(pool, sum);
  }
  const lacking = [...pools.values()].filter(lacks);
  const [first] = lacking;
  if (!first) return;
  const where = [...first.places];
  throw new KpmError('no-space', {
    text: `Not enough room: ${lacking.map(sentence).join('; ')}.`,
    subject: where[0],
    hint: `Free ${lacking.map(missing).join(', and ')} and run the same command again; ${undone}.`,
  });
}

const lacks = ({ bytes, files, free }: Sum): boolean =>
  bytes > free.bytes || (free.files !== null && files > free.files);

const joined = (places: ReadonlySet<string>): string => {
  const all = [...places];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
};

function sentence({ places, bytes, files, free }: Sum): string {
  const what = places.size === 1 ? 'needs' : 'together need';
  if (bytes > free.bytes) return `${joined(places)} ${what} ${size(bytes)}, and ${size(free.bytes)} are free there`;
  return `${joined(places)} ${what} ${files} new files, and the file system takes only ${free.files} more`;
}

function missing({ places, bytes, files, free }: Sum): string {
  const [where] = places;
  if (bytes > free.bytes) return `${size(bytes - free.bytes)} on the file system of ${where}`;
  return `${files - (free.files ?? 0)} files on the file system of ${where}`;
}

/** Rounded up to what people count in, so that freeing as much as is said is enough. */
function size(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} KiB`;
  return `${(Math.ceil((bytes / 1024 / 1024) * 10) / 10).toFixed(1)} MiB`;
}

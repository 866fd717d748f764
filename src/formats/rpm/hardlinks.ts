// Hard links in a package: several names, one content, which travels with the last of them; the others are empty.
// Which names belong together the header says by device and inode. Source: rpm's format_v6 document, cpio(5).
import type { CpioEntry } from './cpio.ts';
import { type HeaderFile, isRegular } from './files.ts';

export interface HardLinks {
  /** Whether this file's entry carries the content (stripped archives: the last name in the header's order). */
  carrier(index: number): boolean;
  /** The content of a file, which may be with another name of its set. */
  content(index: number, found: ReadonlyMap<number, CpioEntry>): Buffer;
}

const EMPTY = Buffer.alloc(0);

/** Groups the regular files of a header (without ghosts) by inode. */
export function hardLinks(files: readonly HeaderFile[]): HardLinks {
  const sets = new Map<string, number[]>();
  for (const [index, file] of files.entries()) {
    if (file.inode === null || file.ghost || !isRegular(file.mode)) continue;
    const set = sets.get(file.inode);
    if (set === undefined) sets.set(file.inode, [index]);
    else set.push(index);
  }
  const setOf = (index: number): readonly number[] => {
    const inode = files[index]?.inode;
    return (inode && sets.get(inode)) || [index];
  };
  return {
    carrier: (index) => setOf(index).at(-1) === index,
    content(index, found) {
      const own = found.get(index)?.data ?? EMPTY;
      if (own.length > 0 || files[index]?.size === 0) return own;
      for (const other of setOf(index)) {
        const data = found.get(other)?.data;
        if (data !== undefined && data.length > 0) return data;
      }
      return own;
    },
  };
}

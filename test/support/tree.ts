// A directory as text, to be compared byte for byte.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** One line per entry: path, kind, mode, for files also time (seconds) and SHA-256. Directories that `skip` names are left out. */
export function treeOf(directory: string, skip: readonly string[] = []): string[] {
  const lines: string[] = [];
  const walk = (relative: string): void => {
    for (const name of readdirSync(path.join(directory, relative)).sort()) {
      const here = path.posix.join(relative, name);
      if (skip.includes(here)) continue;
      const stat = lstatSync(path.join(directory, here));
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) lines.push(`${here} -> ${readlinkSync(path.join(directory, here))}`);
      else if (stat.isDirectory()) {
        lines.push(`${here}/ ${mode}`);
        walk(here);
      } else {
        const hash = createHash('sha256')
          .update(readFileSync(path.join(directory, here)))
          .digest('hex');
        // Times of module files are the package's; those of our own files are the clock's.
        const time = here.endsWith('.ko') ? Math.floor(stat.mtimeMs / 1000) : '-';
        lines.push(`${here} ${mode} ${time} ${stat.size} ${hash.slice(0, 16)}`);
      }
    }
  };
  walk('');
  return lines;
}

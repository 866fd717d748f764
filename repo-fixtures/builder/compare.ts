// Byte-for-byte comparison of two directory trees.
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

function listing(top: string): string[] {
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((name) => !lstatSync(path.join(top, name)).isDirectory())
    .sort();
}

function read(file: string): Buffer {
  return lstatSync(file).isSymbolicLink() ? Buffer.from(`-> ${readlinkSync(file)}`) : readFileSync(file);
}

/** One line for every file that is missing, new or different; `except` names files compared in another way. */
export function differences(expected: string, actual: string, except: (name: string) => boolean): string[] {
  const before = listing(expected).filter((name) => !except(name));
  const after = new Set(listing(actual).filter((name) => !except(name)));
  const lines: string[] = [];
  for (const name of before) {
    if (!after.delete(name)) lines.push(`only in the checked-in tree: ${name}`);
    else {
      const [left, right] = [read(path.join(expected, name)), read(path.join(actual, name))];
      if (left.equals(right)) continue;
      let at = 0;
      while (at < Math.min(left.length, right.length) && left[at] === right[at]) at++;
      lines.push(`differs from byte ${at}: ${name} (${left.length} bytes checked in, ${right.length} rebuilt)`);
    }
  }
  for (const name of after) lines.push(`only in the rebuilt tree: ${name}`);
  return lines;
}

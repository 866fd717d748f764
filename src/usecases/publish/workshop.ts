// A private directory for what is made on the way; nothing of it stays.
import { randomBytes } from 'node:crypto';
import type { Root } from '../../host/root.ts';

const PREFIX = '.kpatch-pm-';

/** Whether a file of that name is such a directory. */
export const isWorkshop = (name: string): boolean => name.startsWith(PREFIX);

/** Makes a directory (path below the root) that only this user may enter, has it used, and removes it with all it holds. */
export async function inWorkshop<T>(host: Root, parent: string, use: (directory: string) => Promise<T>): Promise<T> {
  const directory = `${parent}/${PREFIX}${randomBytes(12).toString('hex')}`;
  host.mkdirs(directory, 0o700, false);
  try {
    return await use(directory);
  } finally {
    removeTree(host, directory);
  }
}

/** Removes those that runs left which were ended in the middle. To be called where no other run can be at work. */
export function sweepWorkshops(host: Root, parent: string): void {
  for (const name of host.list(parent)) if (isWorkshop(name)) removeTree(host, `${parent}/${name}`);
}

/** Removes a directory with everything below it; links are removed, not followed. */
function removeTree(host: Root, directory: string): void {
  for (const name of host.list(directory)) {
    const entry = `${directory}/${name}`;
    if (host.lstat(entry)?.isDirectory()) removeTree(host, entry);
    else host.remove(entry);
  }
  host.removeEmptyDir(directory);
}

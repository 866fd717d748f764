// What of our state belongs to this one machine, and not to the system that is installed on it: a template image must not
// hand it on. Receipts, keys, pins, holds, quarantine and history are about the system and stay.
import type { Root } from '../host/root.ts';
import { ATTEMPTS } from './attempts.ts';
import type { Cache } from './cache.ts';
import { RETIRED } from './directory.ts';
import { QUEUE } from './queue.ts';
import { UNATTENDED } from './unattended.ts';

export interface BoundItem {
  /** A file, or the folder of a cache, below the root it lies in. */
  readonly path: string;
  readonly root: Root;
  readonly what: string;
}

const KINDS: readonly (readonly [string, string])[] = [
  [UNATTENDED, 'who allowed unattended loading on this machine'],
  [ATTEMPTS, 'what was being loaded here, and what proved healthy here'],
  [QUEUE, 'kernels that came or went and wait for the service'],
  [RETIRED, 'a level that was kept until its successor had proven itself here'],
];

/** The files of our state that belong to this machine. */
export function boundFiles(root: Root): BoundItem[] {
  return KINDS.flatMap(([place, what]) => filesBelow(root, place).map((path) => ({ path, root, what })));
}

function filesBelow(root: Root, place: string): string[] {
  const stat = root.lstat(place);
  if (stat === null) return [];
  return stat.isDirectory() ? root.list(place).flatMap((name) => filesBelow(root, `${place}/${name}`)) : [place];
}

/** Removes them, and the directories they leave empty. True when there was anything. */
export function removeBound(root: Root): boolean {
  const found = boundFiles(root);
  for (const { path } of found) root.remove(path);
  for (const [place] of KINDS) removeEmpty(root, place);
  return found.length > 0;
}

function removeEmpty(root: Root, place: string): void {
  if (!root.lstat(place)?.isDirectory()) return;
  for (const name of root.list(place)) removeEmpty(root, `${place}/${name}`);
  root.removeEmptyDir(place);
}

/** Everything in the cache, the newest metadata that was seen among it, as one item. */
export function boundCache({ own }: Cache): BoundItem[] {
  if (own === null || filesBelow(own.root, own.base).length === 0) return [];
  return [{ path: own.base, root: own.root, what: 'metadata, its age, packages, and what rpm answered' }];
}

/** Removes everything in the cache; `clean` leaves the floors, this does not. */
export function removeBoundCache({ own }: Cache): void {
  if (own === null) return;
  for (const file of filesBelow(own.root, own.base)) own.root.remove(file);
  for (const name of own.root.list(own.base)) removeEmpty(own.root, `${own.base}/${name}`);
}

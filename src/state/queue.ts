// The queue: one small file per kernel that came or went. kernel-install's hook writes them inside an rpm transaction,
// without our lock; the service works them off. A file is replaced whole, so the last event of a kernel counts.
import { randomBytes } from 'node:crypto';
import { type KernelRelease, kernelRelease } from '../domain/kernel.ts';
import type { Root } from '../host/root.ts';
import { checkState, STATE, type State } from './directory.ts';
import { type FileFormat, type Notice, readState, stateText, tolerant } from './format.ts';

export const QUEUE = `${STATE}/queue`;

export type KernelEvent = 'add' | 'remove';

interface QueueFile {
  readonly format: 1;
  readonly event: KernelEvent;
  readonly since: string;
  /** Tells two events of the same second apart. */
  readonly id: string;
}

export interface Queued extends Omit<QueueFile, 'format'> {
  readonly kernel: KernelRelease;
}

const FORMAT: FileFormat<QueueFile> = {
  what: 'queue entry',
  current: 1,
  migrations: {},
  check: (fields) =>
    (fields.event === 'add' || fields.event === 'remove') &&
    typeof fields.since === 'string' &&
    typeof fields.id === 'string'
      ? (fields as unknown as QueueFile)
      : null,
};

const fileOf = (kernel: KernelRelease): string => `${QUEUE}/${kernel}.json`;

/** Notes that a kernel came or went. Takes no lock. Raises what writing raises. */
export function enqueue({ root }: State, kernel: KernelRelease, event: KernelEvent, now: Date): void {
  root.mkdirs(QUEUE, 0o700);
  const id = randomBytes(6).toString('hex');
  root.write(fileOf(kernel), stateText({ format: 1, event, since: now.toISOString(), id } satisfies QueueFile), {
    mode: 0o600,
  });
}

/** What waits, oldest first. Damaged entries are told and left out; without `notice` they raise. */
export function readQueue(root: Root, uid: number, notice?: Notice): Queued[] {
  return tolerant(notice, [], () => {
    checkState(root, uid);
    const found = root.list(QUEUE).flatMap((file) => {
      const kernel = file.endsWith('.json') ? kernelRelease(file.slice(0, -'.json'.length)) : null;
      if (kernel === null) return [];
      return tolerant(notice, [], () => {
        const entry = readState(root, fileOf(kernel), FORMAT);
        return entry === null ? [] : [{ kernel, event: entry.event, since: entry.since, id: entry.id }];
      });
    });
    return found.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : a.kernel < b.kernel ? -1 : 1));
  });
}

/** Takes an entry out, unless a newer event of the same kernel has taken its place meanwhile. */
export function dequeue(root: Root, entry: Queued): boolean {
  const now = readState(root, fileOf(entry.kernel), FORMAT);
  if (now === null || now.id !== entry.id) return false;
  return root.remove(fileOf(entry.kernel));
}

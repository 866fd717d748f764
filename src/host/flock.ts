// flock(2) on what is open here. node cannot take such a lock, so flock(1) takes it on the open file description it inherits
// from us. It stays when flock(1) has ended, for such locks belong to the description, not to a process (flock(2)), and
// the kernel drops it when our process dies, however it dies.
import fs from 'node:fs';
import { KpmError } from '../errors.ts';
import type { Run } from './run.ts';

/** Exit status flock(1) is told to use when somebody else has the lock. */
const BUSY = 75;

/**
 * Takes the lock of an open file or directory; false when somebody else has it, after `wait` seconds. Raises `program-failed`
 * where that cannot be locked (a directory on NFS, for one).
 */
export async function takeFlock({ run }: { readonly run: Run }, fd: number, wait: number): Promise<boolean> {
  const how = wait > 0 ? ['--wait', String(wait)] : ['--nonblock'];
  const { status, stderr } = await run.run('flock', [...how, '--conflict-exit-code', String(BUSY), '3'], {
    inherit: [fd],
    timeout: (wait + 30) * 1000,
  });
  if (status === 0) return true;
  if (status === BUSY) return false;
  throw new KpmError('program-failed', { text: `flock failed: ${stderr.trim()}.`, subject: 'flock' });
}

/** Whether what is open still is what its name leads to (`named`; null: nothing): what was removed meanwhile locks nothing. */
export function stillNamed(fd: number, named: fs.Stats | null): boolean {
  const open = fs.fstatSync(fd);
  return named !== null && open.ino === named.ino && open.dev === named.dev;
}

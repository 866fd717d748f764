// One writer per root: who has the lock of our lock file (host/flock.ts).
import fs from 'node:fs';
import { momentText } from '../domain/time.ts';
import { hasErrno, KpmError } from '../errors.ts';
import { unwritable } from '../host/failure.ts';
import { stillNamed, takeFlock } from '../host/flock.ts';
import type { Machine } from '../host/machine.ts';
import type { Root } from '../host/root.ts';
import { STATE, type State } from './directory.ts';
import type { Holder, LockOptions } from './holder.ts';
import { takeOwnership } from './ownership.ts';

export const LOCK = `${STATE}/lock`;

declare const held: unique symbol;
/** Our directory, locked: what a transaction needs. */
export interface LockedState {
  readonly state: State;
  readonly command: string;
  release(): void;
  readonly [held]: true;
}

function readHolder(fd: number): Holder | null {
  const bytes = Buffer.alloc(4096);
  return parseHolder(bytes.toString('utf8', 0, fs.readSync(fd, bytes, 0, bytes.length, 0)));
}

/** Who took the lock last and did not say that it is free again: holding it still, or killed since. */
export function lastHolder(root: Root): Holder | null {
  return parseHolder(root.readText(LOCK, 4096) ?? '');
}

function parseHolder(text: string): Holder | null {
  try {
    const { pid, command, since } = JSON.parse(text);
    return typeof pid === 'number' ? { pid, command: String(command), since: String(since) } : null;
  } catch {
    // Not written yet, or just released: somebody, but we cannot say who.
    return null;
  }
}

function busy(root: string, holder: Holder | null): KpmError {
  const who = holder ? `pid ${holder.pid} (${holder.command}), since ${momentText(holder.since)}` : 'another kpatch-pm';
  return new KpmError('locked', {
    text: `The lock of ${root} is held by ${who}.`,
    subject: root,
    hint: 'Wait for it to end, or wait on the command line: --lock-timeout 60',
  });
}

/** Writes who holds the lock. It holds without: a full or failing disk must neither keep a run away nor hide its own error. */
function sign(fd: number, text: string): void {
  try {
    fs.ftruncateSync(fd, 0);
    if (text !== '') fs.writeSync(fd, text, 0);
  } catch (error) {
    if (!hasErrno(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM')) throw error;
  }
}

/**
 * Takes the lock of a root. Raises `locked` (exit 200) when somebody else has it and the wait was in vain.
 * Where flock(1) is missing, see ownership.ts.
 */
export async function lockState(
  machine: Pick<Machine, 'run' | 'now' | 'host'>,
  state: State,
  options: LockOptions,
): Promise<LockedState> {
  const me = { pid: process.pid, command: options.command, since: machine.now().toISOString() };
  if (machine.run.which('flock') === null) {
    const giveUp = await takeOwnership(machine.host, state, me, options, (holder) => busy(state.root.path, holder));
    return { state, command: options.command, release: giveUp } as LockedState;
  }
  const fd = state.root.openReadWrite(LOCK, 0o600);
  try {
    if (!(await takeFlock(machine, fd, 0))) {
      const holder = readHolder(fd);
      if (options.timeout <= 0) throw busy(state.root.path, holder);
      options.onWait?.(holder);
      if (!(await takeFlock(machine, fd, options.timeout))) throw busy(state.root.path, readHolder(fd));
    }
    if (!stillNamed(fd, state.root.lstat(LOCK))) throw busy(state.root.path, null);
    sign(fd, `${JSON.stringify(me)}\n`);
  } catch (error) {
    fs.closeSync(fd);
    throw error instanceof KpmError ? error : unwritable(state.root.show(LOCK), error);
  }
  let open = true;
  const release = (): void => {
    if (!open) return;
    open = false;
    sign(fd, '');
    fs.closeSync(fd);
  };
  return { state, command: options.command, release } as LockedState;
}

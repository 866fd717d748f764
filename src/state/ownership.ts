// The lock where flock(1) is missing: numbered owner files. Whoever creates `lock.owners/N+1` while N is the highest and
// its owner gone, owns the root. The highest file is never deleted, only emptied, so two can never both be the highest;
// who created a number and then sees a higher one has lost. An owner is gone when its process is: pid and start time as
// /proc shows them, and the boot it belongs to, so a recycled pid or a reboot is not taken for a live owner.
// What this cannot see: owners in other pid namespaces (a container sharing the root). flock(1) is the better way.
import { randomBytes } from 'node:crypto';
import type { KpmError } from '../errors.ts';
import type { Root } from '../host/root.ts';
import { STATE, type State } from './directory.ts';
import type { Holder, LockOptions } from './holder.ts';

const OWNERS = `${STATE}/lock.owners`;

interface Owner extends Holder {
  readonly started: string | null;
  readonly boot: string | null;
}

/**
 * Start time of a process in clock ticks since boot; null when it is gone, or dead and only not yet waited for by its parent,
 * as it may stay in a container for good. Source: proc_pid_stat(5), fields 3 and 22.
 */
export function startOf(host: Root, pid: number): string | null {
  const stat = host.readText(`proc/${pid}/stat`) ?? '';
  const [state = 'X', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 'ZXx'.includes(state) ? null : (rest[18] ?? null);
}

const thisBoot = (host: Root): string | null => host.readText('proc/sys/kernel/random/boot_id')?.trim() ?? null;

function numbers(state: State): number[] {
  return state.root
    .list(OWNERS)
    .filter((name) => /^\d{1,12}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Who is in an owner file, when that process lives; null when it is empty (given up) or its process is gone. */
function living(host: Root, state: State, number: number): Owner | null {
  try {
    const owner = JSON.parse(state.root.readText(`${OWNERS}/${number}`) ?? '') as Owner;
    const alive = owner.boot === thisBoot(host) && owner.started !== null && startOf(host, owner.pid) === owner.started;
    return alive ? owner : null;
  } catch {
    // Empty or not JSON: files appear complete, so this one was emptied by its owner.
    return null;
  }
}

function tryOnce(host: Root, state: State, me: Holder): { owns: number } | { holder: Holder | null } {
  const highest = numbers(state).at(-1) ?? 0;
  const holder = highest > 0 ? living(host, state, highest) : null;
  if (holder) return { holder };
  const owner: Owner = { ...me, started: startOf(host, me.pid), boot: thisBoot(host) };
  const mine = highest + 1;
  const scratch = `${OWNERS}/.${randomBytes(6).toString('hex')}.tmp`;
  state.root.write(scratch, JSON.stringify(owner), { mode: 0o600 });
  const created = state.root.renameNew(scratch, `${OWNERS}/${mine}`);
  if (!created) return { holder: living(host, state, mine) };
  if (numbers(state).at(-1) !== mine) {
    state.root.remove(`${OWNERS}/${mine}`);
    return { holder: null };
  }
  for (const old of numbers(state)) if (old < mine) state.root.remove(`${OWNERS}/${old}`);
  return { owns: mine };
}

/** Takes the root by an owner file; gives what releases it. `refuse` makes the error when somebody else has it. */
export async function takeOwnership(
  host: Root,
  state: State,
  me: Holder,
  options: LockOptions,
  refuse: (holder: Holder | null) => KpmError,
): Promise<() => void> {
  state.root.mkdirs(OWNERS, 0o700);
  let waited = 0;
  for (;;) {
    const answer = tryOnce(host, state, me);
    if ('owns' in answer) return () => state.root.write(`${OWNERS}/${answer.owns}`, '', { mode: 0o600 });
    if (waited >= options.timeout * 1000) throw refuse(answer.holder);
    if (waited === 0) options.onWait?.(answer.holder);
    await new Promise((resolve) => setTimeout(resolve, 200));
    waited += 200;
  }
}

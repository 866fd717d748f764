// What kpatch-pm keeps, as far as this user may see it: directory, lock, keys, receipts.
import type { HostFacts } from '../../domain/host-facts.ts';
import { sameNevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import type { Machine } from '../../host/machine.ts';
import type { Config } from '../../observe/config/types.ts';
import type { Observed } from '../../pipeline/observed.ts';
import { checkState, STATE } from '../../state/directory.ts';
import { trustedKeys } from '../../state/keys.ts';
import { LOCK } from '../../state/lock.ts';
import { startOf } from '../../state/ownership.ts';
import { readReceipts } from '../../state/receipts.ts';
import { readUnattended } from '../../state/unattended.ts';

type Facts = Pick<HostFacts, 'seesState' | 'state' | 'lock' | 'keys' | 'keyFiles' | 'unregistered' | 'agreed'>;

export async function stateFacts(machine: Machine, observed: Observed | null): Promise<Facts> {
  const { root, uid } = machine;
  const state = unsafe(machine);
  const directory = root.lstat(STATE);
  const sees = state === null && (directory === null || uid === 0 || directory.uid === uid);
  return {
    seesState: sees,
    state,
    lock: sees ? holder(machine) : null,
    keys: await keyCount(machine),
    keyFiles: observed === null ? [] : keyFiles(machine, observed.config),
    unregistered: sees && observed !== null ? unregistered(machine, observed) : [],
    agreed: sees ? readUnattended(root, uid, () => undefined) !== null : null,
  };
}

function unsafe({ root, uid }: Machine): Facts['state'] {
  try {
    checkState(root, uid);
    return null;
  } catch (error) {
    if (!(error instanceof KpmError) || error.code !== 'state-unsafe') throw error;
    return { code: error.code, text: error.message, mend: error.hint };
  }
}

/** Whoever wrote into the lock file: whoever gives the lock back empties it. */
function holder({ root, host }: Machine): Facts['lock'] {
  try {
    const { pid, command, since } = JSON.parse(root.readText(LOCK) ?? '');
    if (typeof pid !== 'number') return null;
    return { pid, command: String(command), since: String(since), alive: startOf(host, pid) !== null };
  } catch {
    // Empty, or being written: nobody whom it could name.
    return null;
  }
}

async function keyCount({ root, run }: Machine): Promise<number | null> {
  try {
    const { keys, notices } = await trustedKeys(root, run);
    const unread = notices.some(({ code }) => code === 'rpmdb-unreadable' || code === 'file-unreadable');
    return keys.length === 0 && unread ? null : keys.length;
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}

/** As in dnf, such paths are the running system's. */
function keyFiles({ host }: Machine, { repos }: Config): string[] {
  const paths = repos.flatMap(({ gpgkey }) => gpgkey).flatMap((url) => /^file:\/\/(\/.+)$/.exec(url)?.[1] ?? []);
  return [...new Set(paths)].filter((path) => host.stat(path.slice(1))?.isFile());
}

function unregistered({ root, uid }: Machine, { rpmdb }: Observed): string[] {
  if (rpmdb.how === 'none') return [];
  const unknown = readReceipts(root, uid, () => undefined).filter(
    (receipt) => !rpmdb.packages.some(({ nevra }) => sameNevra(nevra, receipt.package)),
  );
  return [...new Set(unknown.map((receipt) => receipt.package.name))].sort();
}

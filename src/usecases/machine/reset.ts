// `machine reset`: takes out of a system what belongs to this one machine, so that an image can be made of it.
import { recover, runTransaction } from '../../apply/install.ts';
import { openRecord } from '../../apply/record.ts';
import { KpmError } from '../../errors.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { readConfig } from '../../observe/config/config.ts';
import { resetAction } from '../../pipeline/record.ts';
import { lock, type Request } from '../../pipeline.ts';
import { openCache } from '../../state/cache.ts';
import { type BoundItem, boundCache, boundFiles, removeBoundCache } from '../../state/machine-bound.ts';

/** What a reset found, and whether it was removed. */
export interface Reset {
  readonly items: readonly { readonly path: string; readonly what: string }[];
  readonly removed: boolean;
}

/**
 * Removes what is machine bound. `approve` is shown what that is; it is not asked when there is nothing. What an earlier run
 * left unfinished is finished first. Raises `aborted` when the answer is no, `needs-root`, `locked`, and the errors of a transaction.
 */
export async function resetMachine(
  machine: Machine,
  request: Request,
  ui: Ui,
  approve: (items: Reset['items']) => Promise<boolean>,
): Promise<Reset> {
  const cache = openCache(machine, cachePlace(machine, request));
  const look = (): BoundItem[] => [...boundFiles(machine.root), ...boundCache(cache)];
  if (request.dryRun) return { items: look().map(shown), removed: false };
  const locked = await lock(machine, request, ui);
  try {
    await recover(machine, locked, ui);
    const items = look().map(shown);
    if (items.length === 0) return { items, removed: false };
    if (!(await approve(items))) throw new KpmError('aborted', { text: 'Operation aborted.' });
    // First what can be had again: a run that is killed here has only cleaned a cache.
    removeBoundCache(cache);
    const of = openRecord(machine, locked, request.commandLine ?? 'machine reset', [resetAction]);
    const { notices } = await runTransaction(machine, locked, [{ do: 'reset' }], new Map(), {
      record: { of, ends: [0] },
    });
    for (const { text } of notices) ui.warn(text);
    of.close(0);
    return { items, removed: true };
  } finally {
    locked.release();
  }
}

const shown = ({ path, root, what }: BoundItem): Reset['items'][number] => ({ path: root.show(path), what });

function cachePlace({ root, host, env, arch }: Machine, { config }: Request) {
  return readConfig(root, { ...config, hostRoot: host, env, arch, releaseOf: () => null }).main;
}

// Observe: configuration, repositories and this machine become one World.
import type { Problem } from '../domain/because.ts';
import type { World } from '../domain/world.ts';
import type { Machine, Ui } from '../host/machine.ts';
import type { Net } from '../net/access.ts';
import { openNet } from '../net/net.ts';
import { readConfig } from '../observe/config/config.ts';
import { type KpatchConf, readKpatchConf } from '../observe/config/kpatchconf.ts';
import type { Config } from '../observe/config/types.ts';
import { refreshRepositories, type Snapshot } from '../observe/repo/refresh.ts';
import { installedPatches } from '../observe/system/installed.ts';
import { installedKernels } from '../observe/system/kernels.ts';
import { loadedPatches } from '../observe/system/loaded.ts';
import { releaseVersion } from '../observe/system/release.ts';
import { type Rpmdb, readRpmdb } from '../observe/system/rpmdb.ts';
import { installedUtility } from '../observe/system/utility.ts';
import { type Cache, openCache } from '../state/cache.ts';
import { readHolds } from '../state/holds.ts';
import { readReceipts } from '../state/receipts.ts';
import { rpmdbMemo } from '../state/rpmdbmemo.ts';
import type { Request } from './request.ts';

/** The World, and the means by which it was seen: applying needs them again. */
export interface Observed {
  readonly machine: Machine;
  readonly config: Config;
  readonly kpatchConf: KpatchConf;
  readonly rpmdb: Rpmdb;
  readonly snapshots: readonly Snapshot[];
  readonly net: Net;
  readonly cache: Cache;
  readonly world: World;
}

/** Verbs that only show: a repository that cannot be read is a problem to be shown, not the end. */
const TOLERANT: readonly Request['verb'][] = ['status', 'kernels'];
/** Verbs that only write a setting: no repository is asked. */
const SETTING_ONLY: readonly Request['verb'][] = ['manual', 'auto-filter', 'no-filter'];

/**
 * Looks at everything once. Raises the errors of a configuration that cannot be read at all and, unless the verb only
 * shows, of a repository that failed and may not be skipped. The caller closes `net`.
 */
export async function look(machine: Machine, request: Request, ui: Ui): Promise<Observed> {
  const { root, run } = machine;
  const notices: Problem[] = [];
  const cache = openCache(machine);
  const rpmdb = await readRpmdb(root, run, rpmdbMemo(cache));
  const config = readConfig(root, {
    ...request.config,
    hostRoot: machine.host,
    env: machine.env,
    arch: machine.arch,
    releaseOf: () => releaseVersion(rpmdb),
  });
  const kpatchConf = readKpatchConf(root, config.main.pluginconfpath);
  for (const { text } of config.details) ui.detail(text);
  const net = openNet({ host: machine.host, env: machine.env, version: machine.version });
  const snapshots = SETTING_ONLY.includes(request.verb)
    ? []
    : await refreshRepositories(config, cache, net, {
        refresh: request.refresh,
        cacheOnly: request.cacheOnly,
        tolerant: TOLERANT.includes(request.verb),
        now: machine.now(),
        pipe: run.filter,
        progress: (label, total) => ui.progress(label, total),
      });
  const receipts = readReceipts(root, machine.uid, (notice) => notices.push(notice));
  const kernels = installedKernels(root, rpmdb, machine);
  const world: World = {
    time: machine.now().toISOString(),
    machine: root.readText('etc/machine-id')?.trim() || null,
    root: root.path,
    live: machine.live,
    settings: { autoupdate: kpatchConf.autoupdate, autofilter: kpatchConf.autofilter },
    kernels,
    repositories: snapshots.map(({ state }) => state),
    offered: snapshots.flatMap(({ packages }) => packages),
    offeredKernels: snapshots.flatMap((snapshot) => snapshot.kernels),
    installed: installedPatches(
      root,
      rpmdb,
      receipts,
      kernels.map(({ release }) => release),
    ),
    loaded: machine.live ? loadedPatches(machine.host) : [],
    utility: installedUtility(root, rpmdb),
    holds: readHolds(root, machine.uid, (notice) => notices.push(notice)),
    notices: [...config.notices, ...kpatchConf.notices, ...rpmdb.notices, ...notices],
  };
  return { machine, config, kpatchConf, rpmdb, snapshots, net, cache, world };
}

// Observe: configuration, repositories and this machine become one World.
import type { Problem } from '../domain/because.ts';
import type { QuarantinedModule } from '../domain/crashguard.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { Receipt } from '../domain/receipt.ts';
import { isStaged } from '../domain/rollout.ts';
import type { Hold, UnitState, World } from '../domain/world.ts';
import type { Machine, Ui } from '../host/machine.ts';
import type { Root } from '../host/root.ts';
import { unitState } from '../host/systemd.ts';
import { openNet, withoutNetwork } from '../net/net.ts';
import { readConfig } from '../observe/config/config.ts';
import { editKpatchConf, type KpatchConf, readKpatchConf } from '../observe/config/kpatchconf.ts';
import type { Config } from '../observe/config/types.ts';
import { heldBy } from '../observe/config/versionlock.ts';
import { refreshRepositories } from '../observe/repo/refresh.ts';
import { installedPatches } from '../observe/system/installed.ts';
import { installedKernels } from '../observe/system/kernels.ts';
import { loadedPatches } from '../observe/system/loaded.ts';
import { releaseVersion } from '../observe/system/release.ts';
import { readRpmdb } from '../observe/system/rpmdb.ts';
import { installedUtility } from '../observe/system/utility.ts';
import { openCache } from '../state/cache.ts';
import { STATE } from '../state/directory.ts';
import { readHolds } from '../state/holds.ts';
import { readQuarantine } from '../state/quarantine.ts';
import { readReceipts } from '../state/receipts.ts';
import { rpmdbMemo } from '../state/rpmdbmemo.ts';
import { maySeeState } from './holds.ts';
import { keyNotices } from './key-expiry.ts';
import { meanwhile } from './meanwhile.ts';
import { metadataTrust } from './metadata-trust.ts';
import type { Observed } from './observed.ts';
import type { Request } from './request.ts';
import { rolloutFor } from './rollout.ts';

/** Verbs that only show: a repository that cannot be read is a problem to be shown, not the end. */
const TOLERANT: readonly Request['verb'][] = [
  'status',
  'kernels',
  'list',
  'info',
  'search',
  'provides',
  'repolist',
  'repoinfo',
  'verify',
  'cves',
  'updateinfo',
  'needs-reboot',
  'metrics',
  'doctor',
];
/** Verbs that take by themselves, or tell what would be taken. A rollout asks advisories when a level was published. */
const STAGED: readonly Request['verb'][] = [
  'auto',
  'install',
  'upgrade',
  'check-update',
  'status',
  'verify',
  'metrics',
];
/** Verbs that warn before the last key for live patches ends. */
const TELLS_OF_KEYS: readonly Request['verb'][] = ['status', 'metrics', 'doctor'];
/** Verbs that only write a setting: no repository is asked. */
export const SETTING_ONLY: readonly Request['verb'][] = ['manual', 'auto-filter', 'no-filter'];

/**
 * Looks at everything once. Raises the errors of a configuration that cannot be read at all and, unless the verb only
 * shows, of a repository that failed and may not be skipped. The caller closes `net`.
 */
export async function look(machine: Machine, request: Request, ui: Ui): Promise<Observed> {
  const { root, run } = machine;
  const notices: Problem[] = [];
  const rpm = meanwhile(readRpmdb(root, run, rpmdbMemo(openCache(machine))));
  const config = await rpm.early(() =>
    readConfig(root, {
      ...request.config,
      hostRoot: machine.host,
      env: machine.env,
      arch: machine.arch,
      releaseOf: () => releaseVersion(rpm.now()),
    }),
  );
  const cache = openCache(machine, config.main);
  const kpatchConf = readKpatchConf(root, config.main.pluginconfpath);
  for (const { text } of config.details) ui.detail(text);
  const online = openNet({ host: machine.host, env: machine.env, version: machine.version });
  // The lists of mirrors that servers send may name the release too.
  if (config.repos.some(({ mirrorlist, metalink }) => mirrorlist !== null || metalink !== null)) await rpm.late();
  const net = request.instead ?? (request.offline ? withoutNetwork(online) : online);
  const snapshots = SETTING_ONLY.includes(request.verb)
    ? []
    : await rpm.beside(() =>
        refreshRepositories(config, cache, net, {
          refresh: request.refresh,
          cacheOnly: request.cacheOnly,
          allowOlder: request.allowOlder ?? false,
          advisories: request.advisories ?? (isStaged(config.kpm.rollout) && STAGED.includes(request.verb)),
          tolerant: TOLERANT.includes(request.verb),
          now: machine.now(),
          pipe: run.filter,
          progress: (label, total) => ui.progress(label, total),
          trust: metadataTrust(machine, request, ui),
        }),
      );
  const rpmdb = await rpm.late();
  notices.push(...snapshots.flatMap((snapshot) => snapshot.notices));
  const own = ownState(machine, notices);
  const kernels = installedKernels(root, rpmdb, machine);
  const installed = installedPatches(
    root,
    rpmdb,
    own.receipts,
    kernels.map(({ release }) => release),
  );
  if (TELLS_OF_KEYS.includes(request.verb))
    notices.push(...(await keyNotices({ machine, config }, own.receipts, cache)));
  const machineId = root.readText('etc/machine-id')?.trim() || null;
  const offered = snapshots.flatMap(({ packages }) => packages).map(locker(config));
  const rollout = SETTING_ONLY.includes(request.verb)
    ? {}
    : rolloutFor(config.kpm.rollout, machineId, offered, notices);
  const world: World = {
    time: machine.now().toISOString(),
    machine: machineId,
    root: root.path,
    live: machine.live,
    settings: { autoupdate: kpatchConf.autoupdate, autofilter: kpatchConf.autofilter },
    kernels,
    repositories: snapshots.map(({ state }) => state),
    offered,
    ...rollout,
    offeredKernels: snapshots.flatMap((snapshot) => snapshot.kernels),
    advisories: snapshots.flatMap(({ advisories }) => advisories),
    advisoryStates: snapshots.flatMap(({ advisoryState }) => advisoryState ?? []),
    installed,
    loaded: machine.live ? loadedPatches(machine.host) : [],
    utility: installedUtility(root, rpmdb),
    holds: own.holds,
    quarantined: own.quarantined,
    ...bootUnits(root),
    settingsToMend: toMend(machine, kpatchConf),
    receiptsHidden: own.hidden && (rpmdb.how !== 'rpm' || installed.some((patch) => patch.package === null)),
    notices: distinct([...config.notices, ...kpatchConf.notices, ...rpmdb.notices, ...notices]),
  };
  return { machine, config, kpatchConf, rpmdb, snapshots, net, cache, world };
}

/** Each notice once: several readers may stumble over the same thing. */
function distinct(notices: readonly Problem[]): Problem[] {
  return [...new Map(notices.map((notice) => [`${notice.code} ${notice.text}`, notice])).values()];
}

/** Marks what versionlock holds back. */
function locker({ versionlocks }: Config): (pkg: OfferedPackage) => OfferedPackage {
  if (versionlocks.length === 0) return (pkg) => pkg;
  const held = heldBy(versionlocks);
  return (pkg) => {
    const rule = held(pkg);
    if (rule === null) return pkg;
    const { file, line } = rule.origin;
    return { ...pkg, lockedBy: `${rule.text} in ${file} line ${line}` };
  };
}

interface OwnState {
  readonly receipts: readonly Receipt[];
  readonly holds: readonly Hold[];
  readonly quarantined: readonly QuarantinedModule[];
  /** This user may not look into our directory. */
  readonly hidden: boolean;
}

function ownState({ root, uid }: Machine, notices: Problem[]): OwnState {
  if (!maySeeState({ root, uid })) {
    notices.push({ code: 'needs-root', text: `Receipts and holds in ${root.show(STATE)} can be read by root only.` });
    return { receipts: [], holds: [], quarantined: [], hidden: true };
  }
  const tell = (notice: Problem): void => void notices.push(notice);
  return {
    receipts: readReceipts(root, uid, tell),
    holds: readHolds(root, uid, tell),
    quarantined: readQuarantine(root, uid, tell),
    hidden: false,
  };
}

/** Which units will load at the next boot; nothing where the root has no systemd. */
export function bootUnits(root: Root): Pick<World, 'boot'> {
  if (!['usr/lib/systemd/system', 'lib/systemd/system'].some((place) => root.stat(place)?.isDirectory())) return {};
  const [utility, own, timer] = ['kpatch.service', 'kpatch-pm-boot.service', 'kpatch-pm.timer'].map((unit) =>
    unitState(root, unit),
  ) as [UnitState, UnitState, UnitState];
  return { boot: { utility, own, timer } };
}

/** Settings that writing their value in force would change: the line is odd, missing, or not as its other readers need it. */
function toMend({ root }: Machine, conf: KpatchConf): (keyof World['settings'])[] {
  const text = root.read(conf.path)?.toString('latin1') ?? null;
  const values = { autoupdate: conf.autoupdate, autofilter: conf.autofilter };
  return (['autoupdate', 'autofilter'] as const).filter(
    (name) => editKpatchConf(text, { [name]: values[name] }) !== text,
  );
}

// What kpatch-pm works with and keeps: repositories, keys, its directory, what is installed, its units.
import { formatNevra } from '../../domain/nevra.ts';
import type { RepositoryState } from '../../domain/world.ts';
import { bootLoader } from '../boot.ts';
import { isSubscription } from '../installed.ts';
import { quarantinedPackage } from '../quarantined.ts';
import { fault, type Judgement, note, ok, type Sight, unknown, unstopped, warning } from './finding.ts';

export function repositories({ world }: Sight): Judgement[] {
  if (world === null) return [];
  const { repositories: all } = world;
  if (all.length === 0) {
    // What a file that may not be read says is not known.
    const blind = world.notices.some(({ code }) => code === 'file-unreadable');
    return blind
      ? [unknown('none is enabled in the files that this user may read', 'sudo kpatch-pm doctor')]
      : [fault('no repository is enabled', 'kpatch-pm repolist --all')];
  }
  const found = all.flatMap((repo): Judgement[] => {
    if (!repo.used) return [unread(repo)];
    if (repo.stale)
      return [warning(`the metadata of ${repo.id} is past its expiry${why(repo.problem)}`, 'kpatch-pm makecache')];
    return [];
  });
  return found.length > 0
    ? found
    : [ok(`${all.length} with metadata in the cache: ${all.map(({ id }) => id).join(', ')}`)];
}

const why = (problem: { readonly text: string } | null): string =>
  problem === null ? '' : `: ${problem.text.replace(/\.$/, '')}`;

/** Fetching mends an empty cache; where the file of the repository is wrong, the command tells which one it is. */
function unread({ id, problem }: RepositoryState): Judgement {
  if (problem === null || problem.code === 'cache-missing')
    return fault(`nothing usable of ${id} is in the cache`, 'kpatch-pm makecache');
  const mend = problem.code === 'repo-misconfigured' ? `kpatch-pm repoinfo ${id}` : 'kpatch-pm makecache';
  return fault(unstopped(problem.text), mend);
}

export function keys({ host, world }: Sight): Judgement[] {
  const about = (world?.notices ?? []).filter(({ code }) => code.startsWith('key-'));
  const told = about.map(({ text }) => warning(unstopped(text), 'kpatch-pm keys'));
  if (host.keys === null) return [...told, unknown('which keys are trusted could not be read', 'kpatch-pm keys')];
  if (host.keys > 0) return told.length > 0 ? told : [ok(`${host.keys} trusted`)];
  const [file] = host.keyFiles;
  const mend = `kpatch-pm keys import ${file ?? 'FILE-OR-URL'}`;
  return [...told, fault('no key is trusted, so no package can be verified', mend)];
}

/** Codes of files in our directory that cannot be used. */
const DAMAGE = ['state-damaged', 'state-newer'];

/** Notices of these codes, each once. */
function texts(world: Sight['world'], wanted: (code: string) => boolean): string[] {
  const notices = (world?.notices ?? []).filter(({ code }) => wanted(code));
  return [...new Set(notices.map(({ text }) => unstopped(text)))];
}

/** The user may not look: what root would see is then not claimed. */
const hidden = (): Judgement[] => [unknown('can be read by root only', 'sudo kpatch-pm doctor')];

export function state({ host, world }: Sight): Judgement[] {
  if (host.state !== null) return [fault(unstopped(host.state.text), host.state.mend)];
  const damaged = texts(world, (code) => DAMAGE.includes(code));
  if (damaged.length > 0) return damaged.map((text) => fault(text, null));
  return host.seesState ? [ok('only its owner can write to it')] : hidden();
}

export function journal({ host, world }: Sight): Judgement[] {
  if (world === null) return [];
  const open = world?.notices.find(({ code }) => code === 'unfinished');
  if (open) return [warning(unstopped(open.text), 'kpatch-pm install')];
  // What cannot be trusted, or read, is told above.
  if (host.state !== null || world.notices.some(({ code }) => DAMAGE.includes(code))) return [];
  return host.seesState ? [ok('nothing is left unfinished')] : hidden();
}

export function lock({ host }: Sight): Judgement[] {
  if (host.lock === null) return [];
  const { pid, command, since, alive } = host.lock;
  return [
    alive
      ? note(`held by pid ${pid} (${command}) since ${since}`)
      : note(`pid ${pid} (${command}) ended without giving it back; that keeps nobody away`),
  ];
}

export function registration({ host, world }: Sight): Judgement[] {
  if (world?.notices.some(({ code }) => code === 'rpmdb-missing')) {
    return [note('there is no rpm database: kernels are taken from /lib/modules')];
  }
  if (host.state !== null) return [];
  if (!host.seesState) return hidden();
  if (host.unregistered.length === 0) return [];
  const which = host.unregistered.join(', ');
  const text = `the rpm database does not know of ${which}: scanners and dnf do not see it`;
  if (world?.utility.path === null)
    return [warning(`${text}; the packages require the kpatch utility`, 'dnf install kpatch')];
  return [warning(text, `kpatch-pm reinstall ${host.unregistered.join(' ')}`)];
}

/** Installed levels whose module is not there to be loaded at the next boot. */
export function modules({ world }: Sight): Judgement[] {
  if (world === null) return [];
  return world.installed.flatMap((patch): Judgement[] => {
    const { package: pkg, kernel, file, changed } = patch;
    const missing = pkg !== null && !isSubscription(patch) && (file === null || changed === true);
    if (!missing || quarantinedPackage(pkg, kernel, world) !== null) return [];
    const what = file === null ? 'is gone' : 'is not the one that was installed';
    return [fault(`the module of ${formatNevra(pkg)} for ${kernel} ${what}`, `kpatch-pm reinstall ${pkg.name}`)];
  });
}

export function quarantine({ world }: Sight): Judgement[] {
  return (world?.quarantined ?? []).map(({ module, since, why: because }) =>
    fault(`${module} is out of use since ${since.slice(0, 10)}: ${because}`, `kpatch-pm quarantine clear ${module}`),
  );
}

export function boot({ world, host }: Sight): Judgement[] {
  if (!world?.boot) return [];
  const { boot: units } = world;
  const failed = host.failedUnits.map((unit) => fault(`${unit} failed`, `journalctl -b -u ${unit}`));
  const loader = bootLoader(units);
  const installed = world.installed.some(({ module }) => module !== null);
  if (loader.by !== null) return failed.length > 0 ? failed : [ok(`${loader.by} loads what is installed`)];
  const unit = units.utility === 'disabled' || units.utility === 'masked' ? 'kpatch.service' : 'kpatch-pm-boot.service';
  const state = unit === 'kpatch.service' ? units.utility : units.own;
  const mend = state === 'masked' ? `systemctl unmask ${unit}` : state === 'absent' ? null : `systemctl enable ${unit}`;
  const text = `nothing is loaded at boot: ${loader.why}`;
  return [...failed, installed ? fault(text, mend) : note(`${text}; the first installation changes that`)];
}

export function timer({ world, host }: Sight): Judgement[] {
  if (!world?.boot) return [];
  const on = world.boot.timer === 'enabled';
  if (world.settings.autoupdate && !on) {
    const text = `the setting is auto, but kpatch-pm.timer is ${world.boot.timer}: nothing comes by itself`;
    return [warning(text, world.boot.timer === 'masked' ? 'systemctl unmask kpatch-pm.timer' : 'kpatch-pm auto')];
  }
  if (!world.settings.autoupdate) {
    return [
      on
        ? warning('kpatch-pm.timer runs, but the setting is manual: it does nothing', 'kpatch-pm manual')
        : ok('off, as the setting says'),
    ];
  }
  if (host.agreed === false) {
    return [
      warning(
        'nobody typed `kpatch-pm auto` on this machine: patches come, but are not loaded by themselves',
        'kpatch-pm auto',
      ),
    ];
  }
  return [ok('on, as the setting says')];
}

/** What reading the configuration had to remark, and is told nowhere above. */
export function remarks({ world }: Sight): Judgement[] {
  const above = ['unfinished', 'needs-root', 'rpmdb-missing', 'state-unsafe', ...DAMAGE];
  return texts(world, (code) => !code.startsWith('key-') && !above.includes(code)).map((text) => warning(text, null));
}

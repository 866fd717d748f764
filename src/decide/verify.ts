// Layer by layer from the repository to the running kernel: the first that is broken is why a kernel is not protected.
import { compareEvr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import { type Inspected, LAYERS, type Layer, type LayerName } from '../domain/layers.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { World } from '../domain/world.ts';
import { installedLevel, isSubscription, moduleOf, type PackagedPatch } from './installed.ts';
import { candidatesFor } from './match.ts';
import { stageLevels } from './rollout.ts';

/** `ready`: it does not run now; its next boot will be protected. */
export type Proof = 'protected' | 'ready' | 'not-protected' | 'cannot-tell';

export interface Verification {
  readonly release: string;
  readonly running: boolean;
  readonly proof: Proof;
  readonly layers: readonly Layer[];
  /** The first broken layer, else the first that is not known; null when all is well. */
  readonly first: Layer | null;
}

interface Facts {
  readonly kernel: InstalledKernel;
  readonly world: World;
  readonly seen: Inspected;
  readonly installed: PackagedPatch | null;
  readonly best: OfferedPackage | null;
}

type Judgement = Omit<Layer, 'name'>;

const ok = (text: string): Judgement => ({ state: 'ok', text, mend: null });
const broken = (text: string, mend: string | null): Judgement => ({ state: 'broken', text, mend });
const unknown = (text: string, mend: string | null): Judgement => ({ state: 'unknown', text, mend });
const skipped = (text: string): Judgement => ({ state: 'skipped', text, mend: null });

const JUDGES: Record<LayerName, (facts: Facts) => Judgement> = {
  repository,
  rpmdb,
  receipt,
  file,
  label,
  boot,
  kernel: inKernel,
  functions,
};

/** Judges one kernel. It is protected when no layer is broken and none that applies is unknown. */
export function verifyKernel(kernel: InstalledKernel, world: World, seen: Inspected): Verification {
  const installed = installedLevel(kernel, world);
  const best = candidatesFor(kernel, world).usable[0] ?? null;
  const facts: Facts = { kernel, world, seen, installed, best };
  const layers = (Object.keys(LAYERS) as LayerName[]).map((name): Layer => ({ name, ...JUDGES[name](facts) }));
  const first =
    layers.find(({ state }) => state === 'broken') ?? layers.find(({ state }) => state === 'unknown') ?? null;
  const sound = kernel.running && world.live ? 'protected' : 'ready';
  const proof = first === null ? sound : first.state === 'broken' ? 'not-protected' : 'cannot-tell';
  return { release: kernel.release, running: kernel.running, proof, layers, first };
}

const INSTALL = 'kpatch-pm install';
const REFRESH = 'kpatch-pm verify --refresh';

/** What is there for a kernel without a package: nothing, or modules that no package accounts for. */
function bare({ kernel, world }: Facts): string {
  const here = world.installed.filter((patch) => patch.kernel === kernel.release && patch.package === null);
  const names = here.flatMap(({ module, file }) => module ?? file ?? []);
  if (names.length === 0) return 'nothing is installed';
  return `no package is installed, only the module${names.length === 1 ? '' : 's'} ${listed(names)}`;
}

function repository(facts: Facts): Judgement {
  const { kernel, world, installed, best } = facts;
  const unused = world.repositories.filter(({ used }) => !used).map(({ id }) => id);
  const stale = world.repositories.filter((repo) => repo.used && repo.stale).map(({ id }) => id);
  if (best && (installed === null || compareEvr(best, installed.package) > 0)) {
    const held = world.holds.find((hold) => hold.kernel === kernel.release);
    const why = held ? ` (held: ${held.why})` : '';
    const has = installed === null ? bare(facts) : `${formatNevra(installed.package)} is installed`;
    const [wait] = stageLevels([best], installed?.package ?? null, world).waiting;
    const text = `${formatNevra(best)} is on offer, ${has}${why}`;
    // Kept back on purpose is still not the newest level: its fixes are not there.
    const byName = `${INSTALL} ${best.name}`;
    if (wait) return broken(`${text}; it ${wait.because.text}`, byName);
    // Without a name a hold is obeyed.
    return broken(text, held ? byName : INSTALL);
  }
  if (world.repositories.length === 0) return unknown('no repository is enabled', null);
  if (unused.length > 0) return unknown(`no metadata of ${unused.join(', ')}`, REFRESH);
  if (stale.length > 0) return unknown(`the metadata of ${stale.join(', ')} is past its expiry`, REFRESH);
  if (installed && isSubscription(installed)) {
    return broken(`subscribed by ${formatNevra(installed.package)}, no fixes have been published`, null);
  }
  if (installed) return ok(`${formatNevra(installed.package)} is the newest known level`);
  return broken(`no live patch is on offer for this kernel, and ${bare(facts)}`, 'kpatch-pm kernels --advise');
}

/** The layers below ask for a package with a module; why they do not apply where there is none. */
function without(facts: Facts): Judgement | null {
  const { installed } = facts;
  if (installed === null) return skipped(bare(facts));
  return isSubscription(installed) ? skipped('the installed package has no module') : null;
}

function rpmdb(facts: Facts): Judgement {
  const { installed, seen } = facts;
  if (installed === null) return skipped(bare(facts));
  const name = formatNevra(installed.package);
  if (seen.rpmdb === 'none') return skipped('there is no rpm database that can be read');
  if (seen.registered.includes(name)) return ok(`has ${name}`);
  const other = seen.registered.find((one) => one.startsWith(`${installed.package.name}-`));
  if (other !== undefined) return broken(`has ${other}, but ${name} is installed`, reinstall(installed));
  const record = seen.receipts.find(({ nevra }) => nevra === name);
  return record && !record.registered
    ? skipped(`${name} is not registered: scanners and dnf do not see it`)
    : broken(`does not know ${name}`, reinstall(installed));
}

const reinstall = ({ package: pkg }: PackagedPatch): string => `kpatch-pm reinstall ${pkg.name}`;

function receipt(facts: Facts): Judgement {
  const { installed, seen, world, kernel } = facts;
  if (installed === null) return skipped(bare(facts));
  const name = formatNevra(installed.package);
  const found = seen.receipts.find((one) => one.nevra === name && one.kernel === kernel.release);
  if (found) {
    const by = found.signer === null ? 'nobody signed it' : `signed by ${found.signer}`;
    return ok(`${name}, installed ${found.when.slice(0, 10)}, ${by}`);
  }
  if (world.receiptsHidden) return unknown('only root may read it', 'sudo kpatch-pm verify');
  const unread = (seen.unread ?? []).find(
    ({ hidden, text }) => hidden || text.includes(`/${kernel.release}/${installed.package.name}.json`),
  );
  // Who installed it is not known then; the package itself is, by rpm.
  if (unread) return unread.hidden ? skipped('only root may read it') : unknown(unread.text, reinstall(installed));
  return installed.source === 'kpatch-pm'
    ? unknown('it could not be read', 'kpatch-pm verify -v')
    : skipped(`${name} was installed by rpm or dnf`);
}

function file(facts: Facts): Judgement {
  const none = without(facts);
  const installed = facts.installed as PackagedPatch;
  if (none) return none;
  const aside = facts.world.quarantined?.find(
    (one) => one.kernel === facts.kernel.release && one.module === moduleOf(installed),
  );
  if (aside)
    return broken(`${aside.module} was set aside on ${aside.since.slice(0, 10)}: ${aside.why}`, 'kpatch-pm quarantine');
  if (installed.file === null) return broken(`the file of ${moduleOf(installed)} is gone`, reinstall(installed));
  if (installed.changed) return broken(`/${installed.file} is not the file that was installed`, reinstall(installed));
  return ok(`/${installed.file}${installed.changed === null ? '' : ', unchanged'}`);
}

/** The type the vendor's own scriptlets give, and the one the policy has for modules. */
const LABEL = /:modules_object_t(?::|$)/;

function label(facts: Facts): Judgement {
  const none = without(facts);
  if (none) return none;
  const { labels } = facts.seen;
  const path = facts.installed?.file ?? null;
  if (labels === null || path === null)
    return skipped(path === null ? 'there is no file' : 'SELinux does not run here');
  const found = labels.get(path) ?? null;
  if (found === null) return unknown(`the label of /${path} could not be read`, null);
  const mend = `chcon -t modules_object_t /${path}`;
  return LABEL.test(found)
    ? ok(found)
    : broken(`/${path} is labelled ${found}: SELinux may keep it from being loaded`, mend);
}

function boot(facts: Facts): Judgement {
  const none = without(facts);
  if (none) return none;
  const { world, seen } = facts;
  if (seen.switchedOff !== null) {
    return broken(`${seen.switchedOff} on the kernel command line switches loading off`, null);
  }
  if (world.boot === undefined) return skipped('no systemd here');
  const { utility, own } = world.boot;
  if (utility === 'enabled' || own === 'enabled') {
    return ok(`${utility === 'enabled' ? 'kpatch.service' : 'kpatch-pm-boot.service'} is enabled`);
  }
  const unit = own === 'disabled' ? 'kpatch-pm-boot.service' : 'kpatch.service';
  if (utility === 'absent' && own === 'absent') return broken('no unit is installed that loads it at boot', null);
  return broken(`no unit that loads it at boot is enabled`, `systemctl enable ${unit}`);
}

/** Why nothing can be said of the kernel itself; null where it runs and can be seen. */
function unseen({ kernel, world }: Facts): Judgement | null {
  if (!world.live) return skipped(`${world.root} is not the running system`);
  return kernel.running ? null : skipped('this kernel does not run');
}

function inKernel(facts: Facts): Judgement {
  const none = without(facts) ?? unseen(facts);
  if (none) return none;
  const installed = facts.installed as PackagedPatch;
  const module = moduleOf(installed);
  const loaded = facts.world.loaded.find((patch) => patch.module === module);
  if (!loaded) return broken(`${module} is not loaded`, INSTALL);
  if (loaded.transition) return broken(`the transition of ${module} has not finished`, 'kpatch-pm status --watch');
  if (!loaded.enabled) return broken(`${module} is loaded but disabled`, INSTALL);
  const [inMemory, onDisk] = [loaded.buildId ?? null, installed.buildId ?? null];
  if (inMemory !== null && onDisk !== null && inMemory !== onDisk) {
    return broken(`the loaded ${module} is not the file on disk: their build ids differ`, 'systemctl reboot');
  }
  const same = inMemory !== null && onDisk !== null ? ', build id equal to the file' : '';
  return ok(`${module}: enabled 1, transition 0${same}`);
}

function functions(facts: Facts): Judgement {
  const none = without(facts) ?? unseen(facts);
  if (none) return none;
  const module = moduleOf(facts.installed as PackagedPatch);
  if (!facts.world.loaded.some((patch) => patch.module === module)) return skipped('it is not loaded');
  const proof = facts.seen.functions.get(module);
  if (!proof || proof.expected === 0) return skipped('the module does not name the functions it patches');
  if (proof.missing.length > 0) {
    return broken(`sysfs does not list ${listed(proof.missing)} below ${module}`, 'kpatch-pm status');
  }
  const all = `${proof.expected} of ${proof.expected} functions patched`;
  if (proof.unhooked === null) return ok(`${all} (sysfs; the function tracer cannot be read)`);
  if (proof.unhooked.length > 0) return broken(`not redirected: ${listed(proof.unhooked)}`, 'systemctl reboot');
  return ok(`${all}, each redirected (function tracer)`);
}

const listed = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');

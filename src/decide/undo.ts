// The opposite of a recorded run, against the machine as it is now. Pure. What a kernel has loaded it keeps: vendors do not
// support unloading, so a lower level, or none, takes effect with the next reboot.
import { type Because, because } from '../domain/because.ts';
import type { HistoryRecord, RecordedAction } from '../domain/history.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import { formatNevra, type Nevra, sameNevra } from '../domain/nevra.ts';
import type {
  Action,
  HoldAction,
  LoadAction,
  Plan,
  RemoveAction,
  SettingAction,
  UnholdAction,
  Unmatched,
} from '../domain/plan.ts';
import type { Hold, World } from '../domain/world.ts';
import { lifted, take } from './asked.ts';
import { activeLevel, type PackagedPatch } from './installed.ts';
import { candidatesFor } from './match.ts';
import { loadAction } from './policy.ts';
import { removeActions } from './removal.ts';

export interface UndoGoal {
  readonly record: HistoryRecord;
  /** Empty: every kernel of the record. */
  readonly kernels: readonly string[];
  readonly load: boolean;
}

/** What undoing comes to: actions, or why it cannot be done. */
export interface Undoing {
  readonly actions: Plan['actions'];
  /** Not empty: then nothing of it is done. */
  readonly unmatched: readonly Unmatched[];
  /** Why a kernel of the record is left as it is. */
  readonly reasons: ReadonlyMap<string, Because>;
}

type Part =
  | { readonly actions: readonly Action[] }
  | { readonly refused: string }
  | { readonly reason: Because; readonly kernel: string };

/** Plans the opposite of everything the run really did, the last first. */
export function undoOf(goal: UndoGoal, world: World): Undoing {
  const { record, kernels } = goal;
  const done = record.actions.filter(
    ({ outcome, kernel }) =>
      outcome === 'done' && (kernels.length === 0 || (kernel !== null && kernels.includes(kernel))),
  );
  const parts = [...done].reverse().map((action) => opposite(action, done, goal, world));
  const actions = parts.flatMap((part) => ('actions' in part ? part.actions : []));
  const refused = parts.flatMap((part) => ('refused' in part ? [part.refused] : []));
  const reasons = parts.flatMap((part): [string, Because][] => ('reason' in part ? [[part.kernel, part.reason]] : []));
  if (actions.length === 0 && refused.length === 0 && reasons.length === 0) refused.push(nothingIn(record, done));
  const spec = String(record.id);
  return {
    actions: inOrder(actions),
    unmatched: [...new Set(refused)].map((text) => ({ spec, text })),
    reasons: new Map(reasons),
  };
}

function nothingIn({ id }: HistoryRecord, done: readonly RecordedAction[]): string {
  const loaded = done.find((action) => action.do === 'load');
  return loaded
    ? `Transaction ${id} only loaded ${loaded.module ?? 'a module'}, which stays in the running kernel until the next reboot: vendors do not support unloading.`
    : `Transaction ${id} did nothing that could be undone.`;
}

/** Packages, then holds, settings, loads: the order of every plan. */
function inOrder(actions: readonly Action[]): Action[] {
  const rank = (action: Action): number =>
    action.do === 'load' ? 3 : action.do === 'setting' ? 2 : action.do === 'hold' || action.do === 'unhold' ? 1 : 0;
  return [...actions].sort((a, b) => rank(a) - rank(b));
}

function opposite(action: RecordedAction, all: readonly RecordedAction[], goal: UndoGoal, world: World): Part {
  const { id } = goal.record;
  switch (action.do) {
    case 'install':
    case 'upgrade':
    case 'downgrade':
    case 'remove':
      return oppositePackage(action, goal, world);
    case 'reinstall':
      return nothing(action, 'a level that was only installed again stays');
    case 'unhold': {
      // Taking the package back, or away, holds it anyway.
      if (all.some((other) => other.kernel === action.kernel && ['install', 'upgrade'].includes(other.do))) return none;
      return { actions: holdAgain(action, world) };
    }
    case 'hold':
      return { actions: letGo(action, world) };
    case 'setting':
      return { actions: settingBack(action, world) };
    case 'load':
    case 'unload':
    case 'register':
      return none;
    case 'module-install':
      return {
        refused: `${action.module} was a module of your own; to take it away: kpatch-pm module uninstall -k ${action.kernel} ${action.module}`,
      };
    case 'module-remove':
      return { refused: `The module ${action.module} belonged to no package, and its file was not kept.` };
    case 'key-import':
    case 'key-remove':
    case 'pin':
    case 'unpin':
      return { refused: `What is trusted is not changed by undoing. ${trustBack(action)}` };
    case 'clear-quarantine':
      return { refused: `${action.module} was given another chance; only another crash takes it out of use again.` };
    case 'reset':
      return { refused: `Transaction ${id} prepared a template image; what it removed is not kept.` };
  }
}

/** The command that takes a change of trust back. */
function trustBack({ do: verb, key }: RecordedAction): string {
  const { fingerprint = '', stream = '', repo = null } = key ?? {};
  const keys = `kpatch-pm keys${repo === null ? '' : ` --metadata ${repo}`}`;
  if (verb === 'key-import') return `To take the key away: ${keys} remove ${fingerprint}`;
  if (verb === 'key-remove')
    return `The key ${fingerprint} was not kept; to trust it again: ${keys} import FILE-OR-URL`;
  return `To change it back: ${keys} ${verb === 'pin' ? 'unpin' : 'pin'} ${stream} ${fingerprint}`;
}

const none: Part = { actions: [] };

const nothing = ({ kernel }: RecordedAction, text: string): Part => ({
  kernel: kernel ?? '',
  reason: because('up-to-date', text),
});

const show = (nevra: Nevra | null): string => (nevra === null ? 'not installed' : formatNevra(nevra));

function oppositePackage(action: RecordedAction, goal: UndoGoal, world: World): Part {
  const { id } = goal.record;
  const pkg = action.package;
  if (pkg === null || action.kernel === null) return none;
  const removed = action.do === 'remove';
  const before = removed ? pkg : action.replaces;
  const after = removed ? null : pkg;
  const patch = installedOf(action.kernel, pkg.name, world);
  const now = patch?.package ?? null;
  // The hold that went with it may be left: a run that was interrupted in between.
  const held = letGo(action, world);
  if (equal(now, before) && held.length > 0) return { actions: held };
  if (equal(now, before)) return nothing(action, `${pkg.name} is as it was before transaction ${id}: ${show(now)}`);
  if (!equal(now, after)) {
    const other = before === null ? `remove ${pkg.name}` : `install ${show(before)}`;
    return {
      refused: `${pkg.name} is ${show(now)} now; transaction ${id} left it ${show(after)}. Undo what came later first, or say what you want instead: kpatch-pm ${other}`,
    };
  }
  if (before === null) return { actions: patch ? supported(takenAway(patch, world)) : [] };
  return back(before, action.kernel, patch, goal, world);
}

/** Taking a level away; another one of its stream may be what the kernel runs. */
function takenAway(patch: PackagedPatch, world: World): RemoveAction[] {
  const runs = world.live && world.kernels.some((kernel) => kernel.running && kernel.release === patch.kernel);
  const active = runs ? activeLevel(patch.package.name, world) : null;
  const stays = active && because('asked-for', `${active.patch.module} stays active in the running kernel ${UNTIL}`);
  return removeActions([patch], true, world).map((action) => (stays ? { ...action, because: stays } : action));
}

/** How the reasons of `take` and `removeActions` end where the kernel keeps what it has. */
const UNTIL = 'until the next reboot';

const equal = (a: Nevra | null, b: Nevra | null): boolean => (a === null || b === null ? a === b : sameNevra(a, b));

function installedOf(kernel: string, name: string, world: World): PackagedPatch | null {
  const patches = world.installed.filter((one): one is PackagedPatch => one.package !== null);
  return patches.find((one) => one.kernel === kernel && one.package.name === name) ?? null;
}

/** The level before, from what is on offer. */
function back(level: Nevra, release: string, installed: PackagedPatch | null, { load }: UndoGoal, world: World): Part {
  const nevra = formatNevra(level);
  const kernel = world.kernels.find((one) => one.release === release);
  if (!kernel) return { refused: `${nevra} is for the kernel ${release}, which is not installed.` };
  const candidates = candidatesFor(kernel, world);
  const offer = candidates.usable.find((pkg) => sameNevra(pkg, level));
  if (!offer) {
    const rejected = candidates.rejected.find((one) => one.nevra === nevra);
    return {
      refused: rejected
        ? `${nevra} cannot be used: ${rejected.because.text}.`
        : `${nevra} is not to be had: no enabled repository offers it, and it is not in the cache.`,
    };
  }
  const install = { ...take('install', kernel, offer, installed, candidates, world), fallbacks: [], rejected: [] };
  const loads = load && world.live && kernel.running ? loadAction(kernel, install, installed, world) : null;
  const freed = install.do === 'downgrade' ? [] : lifted(kernel, install, world);
  return { actions: [...supported([install]), ...freed, ...(loads ? [loads satisfies LoadAction] : [])] };
}

/** Says why what is loaded stays. */
function supported<T extends Action>(actions: readonly T[]): T[] {
  return actions.map((action) =>
    action.because.text.endsWith(UNTIL)
      ? { ...action, because: { ...action.because, text: `${action.because.text}: vendors do not support unloading` } }
      : action,
  );
}

const sameHold = (a: Pick<Hold, 'kernel' | 'name'>, b: Pick<Hold, 'kernel' | 'name'>): boolean =>
  a.kernel === b.kernel && a.name === b.name;

function holdAgain({ hold, kernel }: RecordedAction, world: World): HoldAction[] {
  if (hold === null || !('why' in hold) || world.holds.some((one) => sameHold(one, hold))) return [];
  const reason = because('asked-for', `held again: ${hold.why}`);
  return [{ do: 'hold', kernel: kernel as KernelRelease, hold, because: reason, rejected: [] }];
}

function letGo({ hold, kernel }: RecordedAction, world: World): UnholdAction[] {
  const held = hold && world.holds.find((one) => sameHold(one, hold));
  if (!held) return [];
  return [{ do: 'unhold', kernel: kernel as KernelRelease, hold: held, because: because('hold-lifted'), rejected: [] }];
}

function settingBack({ setting }: RecordedAction, world: World): SettingAction[] {
  if (setting === null || world.settings[setting.name] === setting.before) return [];
  const { name, before: value } = setting;
  return [{ do: 'setting', setting: { name, value }, because: because('setting-requested'), rejected: [] }];
}

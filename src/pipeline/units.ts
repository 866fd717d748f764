// `auto` and `manual` on the running system also switch its timer, and what loads at boot.
import type { Action } from '../domain/plan.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { systemctl, systemdRuns, unitState } from '../host/systemd.ts';
import type { Result } from '../pipeline.ts';
import { openState } from '../state/directory.ts';
import { writeUnattended } from '../state/unattended.ts';
import { afterPackages } from './profile.ts';

const TIMER = 'kpatch-pm.timer';
const BOOT = 'kpatch-pm-boot.service';
const UTILITY = 'kpatch.service';

/** Whether a setting typed here concerns the running system: elsewhere no unit is touched. */
const concerns = ({ root, live }: Machine): boolean => root.isHost && live;

/** What became of a verb that was typed: settings and packages, and with them the units. Only on the running system. */
export async function afterVerb(
  machine: Machine,
  verb: string,
  { world, plan, report }: Result,
  ui: Ui,
): Promise<void> {
  if (!concerns(machine)) return;
  const done = (wanted: (action: Action) => boolean): boolean =>
    plan.actions.some((action, n) => wanted(action) && report?.outcomes[n]?.outcome === 'done');
  const set = (value: boolean): boolean =>
    done((action) => action.do === 'setting' && action.setting.name === 'autoupdate') ||
    world.settings.autoupdate === value;
  if (done((action) => action.do === 'install' || action.do === 'upgrade' || action.do === 'own'))
    await ensureBoot(machine, ui);
  // Undoing `auto`, or `manual`: the units follow the setting.
  const undone = (value: boolean): boolean =>
    verb === 'history' &&
    done(
      ({ do: what, ...rest }) =>
        what === 'setting' && 'setting' in rest && rest.setting.name === 'autoupdate' && rest.setting.value === value,
    );
  if (undone(true)) await switchUnattended(machine, true, ui);
  if (undone(false)) await switchUnattended(machine, false, ui);
  if (verb === 'auto' && set(true)) await switchUnattended(machine, true, ui);
  if (verb === 'manual' && set(false)) await switchUnattended(machine, false, ui);
  await afterPackages(machine, { world, plan, report }, ui);
}

/** After `auto` (on) or `manual` (off): the agreement, the timer, and for `auto` the unit that loads at boot. */
export async function switchUnattended(machine: Machine, on: boolean, ui: Ui): Promise<void> {
  if (!concerns(machine)) return;
  const since = machine.now().toISOString();
  writeUnattended(openState(machine), on ? { since, by: machine.user } : null);
  if (on) {
    await enableOwn(machine, ui);
    await change(machine, ui, ['enable', '--now', TIMER], 'Unattended runs are on');
  } else if (unitState(machine.root, TIMER) !== 'absent') {
    await change(machine, ui, ['disable', '--now', TIMER], 'Unattended runs are off');
  }
}

/**
 * After something was installed: it must be loaded at the next boot. The scriptlets of the vendor's packages, which never
 * run here, enable kpatch.service each time (kpatch install does); a unit that somebody masked stays masked.
 */
export async function ensureBoot(machine: Machine, ui: Ui): Promise<void> {
  if (!concerns(machine)) return;
  await enableOwn(machine, ui);
  if (unitState(machine.root, UTILITY) === 'disabled') {
    await change(machine, ui, ['enable', UTILITY], 'Installed live patches are loaded at boot');
  }
}

async function enableOwn(machine: Machine, ui: Ui): Promise<void> {
  if (unitState(machine.root, BOOT) === 'disabled') {
    await change(machine, ui, ['enable', BOOT], 'Installed live patches are looked after at boot');
  }
}

async function change(machine: Machine, ui: Ui, args: readonly string[], done: string): Promise<void> {
  const unit = args.at(-1) as string;
  const cost = args[0] === 'enable' ? 'nothing will happen by itself' : 'unattended runs may go on';
  if (!systemdRuns(machine.host)) {
    ui.note(`systemd does not run here, so ${unit} was left as it is: ${cost}.`);
    return;
  }
  const state = unitState(machine.root, unit);
  if (state === 'absent') {
    ui.warn(`${unit} is not installed: ${cost}. It comes with the package of kpatch-pm (docs/services.md).`);
    return;
  }
  if (state === 'masked') {
    ui.warn(`${unit} is masked and stays so: ${cost}. To change that: systemctl unmask ${unit}`);
    return;
  }
  const problem = await systemctl(machine.run, args);
  if (problem === null) ui.note(`${done} (${unit}).`);
  else ui.warn(`systemctl ${args.join(' ')} failed: ${problem}. Until it is done by hand, ${cost}.`);
}

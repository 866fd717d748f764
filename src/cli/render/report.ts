// What became of a plan: told after it was carried out.
import { formatNevra } from '../../domain/nevra.ts';
import type { Action, Outcome, Plan } from '../../domain/plan.ts';
import type { Settings, World } from '../../domain/world.ts';
import type { Request } from '../../pipeline.ts';
import { cleanDeep } from './clean.ts';
import { holdText, settingLine } from './plan.ts';
import { paint, type Style } from './style.ts';
import { wrap } from './width.ts';

export interface ReportView {
  readonly verb: Request['verb'];
  /** With the levels that were really taken. */
  readonly plan: Plan;
  /** Parallel to the plan's actions; null when nothing was carried out. */
  readonly outcomes: readonly Outcome[] | null;
  /** As it was before. */
  readonly world: Pick<World, 'settings' | 'installed'>;
}

/** The error of the first action that failed; null when none did. */
export function firstFailure(outcomes: readonly Outcome[] | null): Outcome['error'] {
  return outcomes?.find(({ outcome }) => outcome === 'failed')?.error ?? null;
}

/** The whole text; empty when there is nothing to tell. */
export function renderReport(view: ReportView, style: Style): string {
  const plan = cleanDeep(view.plan);
  const outcomes = cleanDeep(view.outcomes ?? []);
  const of = (wanted: Outcome['outcome']): Action[] => plan.actions.filter((_, n) => outcomes[n]?.outcome === wanted);
  const done = of('done');
  const lines: string[] = [];
  for (const [heading, has] of GROUPS) lines.push(...group(heading, done.filter(has).map(subject), style));
  const failed = plan.actions.flatMap((action, n) => {
    const error = outcomes[n]?.outcome === 'failed' ? outcomes[n]?.error : null;
    return error ? [`${subject(action)}: ${error.text}`] : [];
  });
  lines.push(...group(paint(style, 'bad', 'Failed:'), failed, style));
  const left = of('not-run');
  lines.push(...group(failed.length > 0 ? 'Not done because of that:' : 'Not done:', left.map(subject), style));
  lines.push(...settingLines(view, done));
  if (done.some((action) => action.do !== 'setting') && failed.length + left.length === 0) lines.push('Complete!');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

const GROUPS: readonly (readonly [string, (action: Action) => boolean])[] = [
  ['Installed:', (action) => action.do === 'install' && !action.empty],
  ['Installed, modules of your own:', (action) => action.do === 'own'],
  ['Upgraded:', (action) => action.do === 'upgrade' && !action.empty],
  ['Downgraded:', (action) => action.do === 'downgrade'],
  ['Reinstalled:', (action) => action.do === 'reinstall'],
  ['Subscribed:', (action) => (action.do === 'install' || action.do === 'upgrade') && action.empty],
  ['Held again:', (action) => action.do === 'hold'],
  ['No longer held:', (action) => action.do === 'unhold'],
  ['Removed:', (action) => action.do === 'remove'],
  ['Loaded and active:', (action) => action.do === 'load'],
  ['Unloaded:', (action) => action.do === 'unload'],
];

function subject(action: Action): string {
  switch (action.do) {
    case 'load':
    case 'unload':
      return `${action.module ?? (action.nevra ? formatNevra(action.nevra) : 'module')} (${action.kernel})`;
    case 'own':
      return `${action.own.module} (${action.kernel})`;
    case 'setting':
      return settingLine(action.setting);
    case 'hold':
    case 'unhold':
      return holdText(action.hold);
    default:
      return formatNevra(action.package);
  }
}

function group(heading: string, members: readonly string[], style: Style): string[] {
  if (members.length === 0) return [];
  return [heading, ...members.flatMap((text) => wrap(text, style.width - 2, '    ').map((line) => `  ${line}`)), ''];
}

/** The setting a verb is about, as it is now; other programs read this line. */
function settingLines({ verb, world, outcomes }: ReportView, done: readonly Action[]): string[] {
  if (verb === 'history') return done.flatMap((action) => (action.do === 'setting' ? [subject(action)] : []));
  const name = SETTING_OF[verb];
  if (name === undefined) return [];
  const changed = done.find((action) => action.do === 'setting' && action.setting.name === name);
  const value = changed?.do === 'setting' ? changed.setting.value : world.settings[name];
  const line = settingLine({ name, value });
  const keeps = verb === 'manual' && world.installed.length > 0 && firstFailure(outcomes) === null;
  return keeps ? [line, 'Installed live patches stay installed, loaded ones stay loaded.'] : [line];
}

const SETTING_OF: Partial<Record<Request['verb'], keyof Settings>> = {
  auto: 'autoupdate',
  manual: 'autoupdate',
  'auto-filter': 'autofilter',
  'no-filter': 'autofilter',
};

// A plan as people read it before they say yes: dnf's transaction table, then what else will happen and why.

import { REASON_CODES, type ReasonCode } from '../../domain/because.ts';
import { type Evr, formatEvr } from '../../domain/evr.ts';
import { formatNevra } from '../../domain/nevra.ts';
import { COMMAND_LINE } from '../../domain/package.ts';
import {
  type Action,
  type HoldAction,
  type InstallAction,
  isTake,
  type LoadAction,
  type OwnModuleAction,
  type Plan,
  type Rejection,
  type RemoveAction,
  type SettingAction,
  type Skipped,
  type UnholdAction,
} from '../../domain/plan.ts';
import type { Hold } from '../../domain/world.ts';
import { cleanDeep } from './clean.ts';
import { humanSize } from './size.ts';
import type { Style, Tone } from './style.ts';
import { type Column, type Row, rule, table } from './table.ts';
import { wrap } from './width.ts';

const COLUMNS: readonly Column[] = [
  { head: 'Package' },
  { head: 'Arch' },
  { head: 'Version' },
  { head: 'Repository' },
  { head: 'Size', align: 'right' },
];

interface Group {
  readonly heading: string;
  /** As counted in the summary. */
  readonly word: string;
  /** What is counted; packages unless said. */
  readonly noun?: string;
  readonly tone: Tone;
  readonly has: (action: Action) => boolean;
}

const GROUPS: readonly Group[] = [
  { heading: 'Installing:', word: 'Install', tone: 'good', has: (a) => a.do === 'install' && !a.empty },
  {
    heading: 'Installing, modules of your own:',
    word: 'Install',
    noun: 'Module',
    tone: 'wait',
    has: (a) => a.do === 'own',
  },
  { heading: 'Upgrading:', word: 'Upgrade', tone: 'good', has: (a) => a.do === 'upgrade' && !a.empty },
  { heading: 'Reinstalling:', word: 'Reinstall', tone: 'plain', has: (a) => a.do === 'reinstall' },
  {
    heading: 'Subscribing (no fixes published yet):',
    word: 'Subscribe',
    tone: 'plain',
    has: (a) => (a.do === 'install' || a.do === 'upgrade') && a.empty,
  },
  { heading: 'Downgrading:', word: 'Downgrade', tone: 'wait', has: (a) => a.do === 'downgrade' },
  { heading: 'Removing:', word: 'Remove', tone: 'bad', has: (a) => a.do === 'remove' },
];

/** Whether a person is asked before this is done: packages or the kernel change, not only a setting. */
export function needsConsent(plan: Plan): boolean {
  return plan.actions.some((action) => action.do !== 'setting');
}

/** The words of a setting as `status` shows them: `Kpatch update setting: auto`. */
export function settingLine(setting: SettingAction['setting']): string {
  return setting.name === 'autoupdate'
    ? `Kpatch update setting: ${setting.value ? 'auto' : 'manual'}`
    : `Kpatch filter setting: ${setting.value ? 'auto-filter' : 'no-filter'}`;
}

/** The whole screen before the question; ends with a line break. `typed`: a sentence with its commands as they must be typed. */
export function renderPlan(foreign: Plan, style: Style, typed = (text: string): string => text): string {
  const plan = cleanDeep(foreign);
  const { actions } = plan;
  const lines = [...packageTable(actions, style), ...holdLines(actions, style), ...loadLines(actions, style)];
  lines.push(...noteLines(actions, style, typed), ...settingLines(actions));
  lines.push(...steppedDown(actions, style));
  if (actions.length === 0) lines.push(...nothingToDo(plan, style));
  else
    lines.push(...skippedLines(plan.skipped, style, needsConsent(plan) ? 'Nothing to do for:' : 'No package changes:'));
  lines.push(...summary(actions, style));
  return `${lines.join('\n')}\n`;
}

/** For a change of settings alone: why no package changes. Empty when that was not asked. */
export function renderUnchanged(foreign: Plan, style: Style): string {
  const lines = skippedLines(cleanDeep(foreign).skipped, style, 'No package changes:');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function packageTable(actions: readonly Action[], style: Style): string[] {
  const rows: Row[] = [];
  for (const group of GROUPS) {
    const members = actions
      .filter(group.has)
      .filter((a): a is Member => isTake(a) || a.do === 'own' || a.do === 'remove');
    if (members.length > 0)
      rows.push({ heading: group.heading }, ...members.map((action) => packageRow(action, group.tone)));
  }
  return rows.length > 0 ? table(COLUMNS, rows, style) : [];
}

type Member = InstallAction | OwnModuleAction | RemoveAction;

function packageRow(action: Member, tone: Tone): Row {
  if (action.do === 'own') {
    const { module, arch, size } = action.own;
    return { tone, cells: [module, arch, '-', COMMAND_LINE, humanSize(size)] };
  }
  const { package: pkg } = action;
  const offered = isTake(action) ? action.package : null;
  return {
    tone,
    cells: [
      pkg.name,
      pkg.arch,
      formatEvr(pkg),
      offered ? offered.repo : '@System',
      offered ? humanSize(offered.size) : '-',
    ],
  };
}

function loadLines(actions: readonly Action[], style: Style): string[] {
  const lines: string[] = [];
  for (const [verb, heading] of [
    ['load', 'Loading into the running kernel:'],
    ['unload', 'Unloading from the running kernel:'],
  ] as const) {
    const loads = actions.filter((action): action is LoadAction => action.do === verb);
    if (loads.length === 0) continue;
    lines.push(heading);
    for (const load of loads) {
      const what = load.module ?? (load.nevra ? formatNevra(load.nevra) : 'a module');
      lines.push(...item(`${what} (${load.kernel})`, style));
    }
  }
  return lines;
}

function settingLines(actions: readonly Action[]): string[] {
  const settings = actions.filter((action): action is SettingAction => action.do === 'setting');
  if (settings.length === 0) return [];
  return ['Changing settings:', ...settings.map((action) => ` ${settingLine(action.setting)}`)];
}

/** `kpatch-patch-5_14_0-362_8_1 for 5.14.0-362.8.1.el9_3.x86_64` */
export function holdText({ name, kernel }: Hold): string {
  return `${name ?? 'every live patch'}${kernel === null ? '' : ` for ${kernel}`}`;
}

function holdLines(actions: readonly Action[], style: Style): string[] {
  return (['hold', 'unhold'] as const).flatMap((verb) => {
    const holds = actions.filter((action): action is HoldAction | UnholdAction => action.do === verb);
    if (holds.length === 0) return [];
    const heading = verb === 'hold' ? 'Held again:' : 'No longer held:';
    return [heading, ...holds.flatMap(({ hold }) => item(`${holdText(hold)} (${hold.why})`, style))];
  });
}

/** What follows from going back or away, beyond the table. */
function noteLines(actions: readonly Action[], style: Style, typed: (text: string) => string): string[] {
  const notes = actions.flatMap((action) => {
    if (isTake(action) && action.early !== undefined) return [action.early];
    if (action.do === 'downgrade') {
      const kept = PLAIN.includes(action.because.text) ? [] : [action.because.text];
      return [
        ...kept,
        `${action.package.name} is held at this level from now on; to let go: kpatch-pm upgrade ${action.package.name}`,
      ];
    }
    if (action.do === 'own') return [ownNote(action)];
    if (action.do !== 'remove') return [];
    const left = PLAIN.includes(action.because.text) ? [] : [action.because.text];
    const back = `${action.package.name} is kept away from now on; to have it back: kpatch-pm install ${action.package.name}`;
    return action.hold ? [...left, back] : left;
  });
  return notes.length === 0 ? [] : ['Note:', ...notes.flatMap((text) => item(typed(text), style))];
}

/** What nobody else will do for a module without a package. */
const ownNote = ({ kernel, own }: OwnModuleAction): string =>
  `${own.module} is your own, for ${kernel}: nobody signed it, and no run upgrades it; to take it away: kpatch-pm module uninstall -k ${kernel} ${own.module}`;

/** Reasons that say no more than the heading does. */
const PLAIN: readonly string[] = [REASON_CODES['asked-for'], REASON_CODES['kernel-gone']];

function steppedDown(actions: readonly Action[], style: Style): string[] {
  const lines = actions.flatMap((action) => rejections(action.rejected, style));
  return lines.length > 0 ? ['Stepped over, a lower level is taken:', ...lines] : [];
}

function rejections(rejected: readonly Rejection[], style: Style): string[] {
  return rejected.flatMap(({ nevra, repo, because }) => item(`${nevra} (${repo}): ${because.text}`, style));
}

function item(text: string, style: Style, indent = ' '): string[] {
  return wrap(text, style.width - indent.length, '    ').map((line) => indent + line);
}

/** Reasons that repeat what the user has typed. */
const OBVIOUS: readonly ReasonCode[] = ['setting-only', 'not-selected', 'not-asked-for'];

/** What waits says so once, in the kernel's own sentence. */
const STAGED: readonly ReasonCode[] = ['min-age', 'later-cohort'];

/** The sentence would repeat the first of the levels that stand below it. */
const levelsBelow = ({ because, rejected }: Skipped): boolean => because.code === 'all-rejected' && rejected.length > 0;

function skippedLines(skipped: readonly Skipped[], style: Style, heading: string): string[] {
  const telling = skipped.filter(({ because }) => !OBVIOUS.includes(because.code));
  if (telling.length === 0) return [];
  const lines = telling.flatMap((skip) => [
    ...item(`${skip.kernel}: ${levelsBelow(skip) ? 'no usable level' : skip.because.text}`, style),
    ...skip.rejected
      .filter(({ because }) => !STAGED.includes(because.code) || !skip.because.text.includes(because.text))
      .flatMap(({ nevra, repo, because }) => item(`${nevra} (${repo}): ${because.text}`, style, '   ')),
  ]);
  return [heading, ...lines];
}

function summary(actions: readonly Action[], style: Style): string[] {
  const counts = GROUPS.map((group) => ({ ...group, count: actions.filter(group.has).length })).filter(
    (g) => g.count > 0,
  );
  if (counts.length === 0) return [];
  const longest = Math.max(...counts.map(({ word }) => word.length));
  const lines = ['', 'Transaction Summary', rule(style)];
  for (const { word, noun = 'Package', count } of counts) {
    lines.push(`${word.padEnd(longest)}  ${count} ${noun}${count === 1 ? '' : 's'}`);
  }
  const sizes = actions.filter(isTake).map((action) => action.package.size);
  if (sizes.length > 0) {
    const known = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    lines.push('', `Total download size: ${sizes.includes(null) ? 'at least ' : ''}${humanSize(known)}`);
  }
  return lines;
}

function nothingToDo(plan: Plan, style: Style): string[] {
  if (plan.skipped.length === 0) return ['Nothing to do: no kernel is installed in this root.'];
  return ['Nothing to do.', ...skippedLines(plan.skipped, style, '').slice(1)];
}

/** A level without its dist tag, for narrow columns: `1-3` of `1-3.el9_3`. */
export function shortLevel(evr: Evr): string {
  return formatEvr({ ...evr, release: evr.release.replace(/\.(el|fc|amzn)\d.*$/, '') });
}

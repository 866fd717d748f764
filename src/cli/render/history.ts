// The history as dnf shows its own: a table of runs, and one block a run.
import type { HistoryRecord, RecordedAction, RecordedKey, RecordedPackage } from '../../domain/history.ts';
import { formatNevra } from '../../domain/nevra.ts';
import { cleanDeep } from './clean.ts';
import { type ErrorJson, JSON_FORMAT } from './json.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { cut, padEnd, wrap } from './width.ts';

/** Name of the time zone to show times in; undefined: the system's. */
export type Zone = string | undefined;

/** A run as it is shown. */
export interface HistoryView {
  readonly record: HistoryRecord;
  /** It has not ended because it is still at it. */
  readonly running: boolean;
}

/** Words for what was done, and the letters for lists of them. Source: dnf(8), history command. */
const WORDS: Readonly<Record<RecordedAction['do'] | 'subscribe', readonly [string, string]>> = {
  install: ['Install', 'I'],
  subscribe: ['Subscribe', 'S'],
  upgrade: ['Upgrade', 'U'],
  downgrade: ['Downgrade', 'D'],
  reinstall: ['Reinstall', 'R'],
  remove: ['Removed', 'E'],
  register: ['Register', 'T'],
  hold: ['Hold', 'H'],
  unhold: ['Unhold', 'F'],
  load: ['Load', 'L'],
  unload: ['Unload', 'X'],
  setting: ['Setting', 'C'],
  'module-install': ['Module', 'M'],
  'module-remove': ['Module', 'M'],
  reset: ['Reset', 'Z'],
  'key-import': ['Key import', 'K'],
  'key-remove': ['Key removal', 'K'],
  pin: ['Pin', 'P'],
  unpin: ['Unpin', 'P'],
  'clear-quarantine': ['Out of quarantine', 'Q'],
};

const kindOf = (action: RecordedAction): keyof typeof WORDS =>
  action.empty && (action.do === 'install' || action.do === 'upgrade') ? 'subscribe' : action.do;

const isDone = ({ outcome }: RecordedAction): boolean => outcome === 'done';

/** `*` ended before it was through, `#` ended with a failure, `E` ended well and warned. Source: dnf(8), history list. */
function mark({ record, running }: HistoryView): string {
  if (record.exit === null) return running ? '>' : '*';
  return record.exit !== 0 ? '#' : record.remarks.length > 0 ? 'E' : '';
}

const ACTIONS = 14;
const TIME = 16;

/** One word where all is of one kind, two where they fit, else letters. */
function actionsCell(record: HistoryRecord): string {
  const kinds = [...new Set(record.actions.filter(isDone).map(kindOf))].map((kind) => WORDS[kind]);
  const words = [...new Set(kinds.map(([word]) => word))].join(', ');
  return words.length <= ACTIONS ? words : [...new Set(kinds.map(([, letter]) => letter))].join(', ');
}

/** The same in every row, for each root has a history of its own; in the table it would leave no room for the verb. */
const ROOT = /(?<!\S)--installroot[= ](?:'(?:[^']|'\\'')*'|\S+) ?/g;

const HEADS = ['ID', 'Command line', 'Date and time', 'Action(s)', 'Altered'] as const;
/** What dnf's form of the table needs; on a narrower screen cells are folded instead. */
const LEAST_WIDTH = 80;

/** The table; what does not fit into it, `info` tells. */
export function renderHistory(views: readonly HistoryView[], style: Style, zone: Zone): string {
  const rows = cleanDeep([...views]).map((view) => cellsOf(view, zone));
  const lines = style.width < LEAST_WIDTH ? foldedLines(rows, style) : dnfLines(rows, style.width);
  return `${lines.join('\n')}\n`;
}

function cellsOf(view: HistoryView, zone: Zone): string[] {
  const { id, command, begun, actions } = view.record;
  const altered = `${String(actions.filter(isDone).length).padStart(5)} ${mark(view)}`;
  const time = localTime(begun, zone, false);
  return [String(id).padStart(6), command.replace(ROOT, ''), time, actionsCell(view.record), altered];
}

/** One line a run; the column of command lines takes what the others leave. */
function dnfLines(rows: readonly string[][], width: number): string[] {
  const command = width - 56;
  const line = ([id = '', what = '', time = '', actions = '', altered = '']: readonly string[]): string =>
    `${id.padEnd(6)} | ${padEnd(cut(what, command)[0] ?? '', command)} | ${time.padEnd(TIME)} | ${actions.padEnd(ACTIONS)} | ${altered}`.trimEnd();
  const head = line(HEADS);
  return [head, '-'.repeat(head.length), ...rows.map(line)];
}

function foldedLines(rows: readonly string[][], style: Style): string[] {
  const columns = HEADS.map((head) => ({ head }));
  const cells = rows.map((row) => ({ cells: row.map((cell) => cell.trim()) }));
  return table(columns, cells, style, { rules: false, spread: false });
}

/** One block a run. */
export function renderHistoryInfo(views: readonly HistoryView[], style: Style, zone: Zone): string {
  return cleanDeep([...views])
    .map((view) => block(view, style, zone))
    .join(`${'-'.repeat(style.width - 1)}\n`);
}

function block({ record, running }: HistoryView, style: Style, zone: Zone): string {
  const { id, begun, ended, user, uid, exit, command, version, actions, remarks } = record;
  const seconds = ended === null ? null : Math.max(0, Math.round((Date.parse(ended) - Date.parse(begun)) / 1000));
  const unknown = running ? 'not ended yet' : 'unknown: the run was interrupted';
  const end = ended === null ? unknown : `${localTime(ended, zone, true)} (${seconds} seconds)`;
  const rows: [string, string][] = [
    ['Transaction ID', String(id)],
    ['Begin time', localTime(begun, zone, true)],
    ['End time', end],
    ['User', uid === 0 && !['root', 'uid 0'].includes(user) ? `${user} (as root)` : user],
    ['Return-Code', exit === null ? unknown : exit === 0 ? 'Success' : `Failure: ${exit}`],
    ['Version', `kpatch-pm ${version}`],
    ['Command Line', command],
  ];
  const lines = rows.flatMap(([name, text]) => entry(name.padEnd(14), text, style));
  const groups: [string, readonly RecordedAction[]][] = [
    ['Altered:', actions.filter(isDone)],
    ['Failed:', actions.filter(({ outcome }) => outcome === 'failed')],
    ['Not done:', actions.filter(({ outcome }) => outcome === 'not-run')],
  ];
  for (const [heading, members] of groups) {
    if (members.length > 0) lines.push(heading, ...members.flatMap((action) => actionLines(action, style)));
  }
  if (remarks.length > 0) {
    lines.push(
      'Warnings:',
      ...remarks.flatMap((text) => wrap(text, style.width - 4, '    ').map((one) => `    ${one}`)),
    );
  }
  return `${lines.join('\n')}\n`;
}

function entry(name: string, text: string, style: Style): string[] {
  const [first = '', ...more] = wrap(text, Math.max(20, style.width - 17));
  return [`${name} : ${first}`.trimEnd(), ...more.map((line) => `${' '.repeat(17)}${line}`)];
}

const shown = (pkg: RecordedPackage | null): string => (pkg === null ? '' : formatNevra(pkg));

function actionLines(action: RecordedAction, style: Style): string[] {
  const lines = [`${WORDS[kindOf(action)][0]} ${subject(action)}`];
  const { replaces, hold, error } = action;
  if (replaces && action.do !== 'reinstall')
    lines.push(`  in place of ${shown(replaces)}${action.adopts ? ', which dnf or rpm had installed' : ''}`);
  else if (action.adopts) lines.push('  dnf or rpm had installed it before');
  if (hold && action.do !== 'hold' && action.do !== 'unhold') lines.push('  held from then on');
  if (error) lines.push(`  ${error.text}`);
  return lines.flatMap((line) =>
    wrap(line.trimStart(), style.width - 8, '    ').map((one) => `    ${line.startsWith(' ') ? '  ' : ''}${one}`),
  );
}

function subject({ do: verb, package: pkg, repo, kernel, module, hold, setting, key }: RecordedAction): string {
  if (key) {
    const { fingerprint, owner, stream, repo: of } = key;
    const where = stream !== null ? ` for the stream ${stream}` : of !== null ? ` for the metadata of ${of}` : '';
    return `${fingerprint}${owner === '' ? '' : ` (${owner})`}${where}`;
  }
  if (setting)
    return `${setting.name} = ${setting.value ? 'True' : 'False'} (was ${setting.before ? 'True' : 'False'})`;
  const forKernel = kernel === null ? '' : ` for ${kernel}`;
  if (verb === 'hold' || verb === 'unhold') return `${hold?.name ?? 'every live patch'}${forKernel}`;
  if (verb === 'load' || verb === 'unload') return `${module ?? shown(pkg)} (${kernel})`;
  if (pkg) return `${shown(pkg)}${repo === null ? '' : ` @${repo.replace(/^@/, '')}`}${forKernel}`;
  return `${module ?? 'this machine'}${forKernel}`;
}

/** `2026-01-01 00:01` (with seconds where asked) in a zone; a zone nobody knows counts as the system's. */
function localTime(iso: string, zone: Zone, seconds: boolean): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const style = { dateStyle: 'short', timeStyle: seconds ? 'medium' : 'short' } as const;
  try {
    // Swedish writes dates as ISO 8601 does.
    return new Intl.DateTimeFormat('sv-SE', { ...style, ...(zone ? { timeZone: zone } : {}) }).format(date);
  } catch (error) {
    if (error instanceof RangeError) return new Intl.DateTimeFormat('sv-SE', style).format(date);
    throw error;
  }
}

const nevra = (pkg: RecordedPackage | null): string | null => (pkg === null ? null : formatNevra(pkg));

function actionJson({ package: pkg, replaces, hold, setting, ...action }: RecordedAction): unknown {
  return {
    do: action.do,
    kernel: action.kernel,
    nevra: nevra(pkg),
    sha256: pkg?.sha256 ?? null,
    repo: action.repo,
    empty: action.empty,
    replaces: nevra(replaces),
    adopts: action.adopts,
    module: action.module,
    holds: hold === null ? null : { kernel: hold.kernel, name: hold.name },
    setting: setting && { name: setting.name, before: setting.before, value: setting.value },
    key: keyJson(action.key ?? null),
    outcome: action.outcome,
    error: action.error && { code: action.error.code, text: action.error.text },
  };
}

const keyJson = (key: RecordedKey | null): unknown =>
  key && { fingerprint: key.fingerprint, owner: key.owner, stream: key.stream, repository: key.repo };

/** `history --json`. */
export function historyJson(views: readonly HistoryView[], error: ErrorJson | null): unknown {
  return {
    format: JSON_FORMAT,
    transactions: views.map(({ record, running }) => ({
      id: record.id,
      command: record.command,
      user: record.user,
      uid: record.uid,
      begun: record.begun,
      ended: record.ended,
      state: record.ended !== null ? 'ended' : running ? 'running' : 'interrupted',
      version: record.version,
      exit: record.exit,
      actions: record.actions.map(actionJson),
      warnings: [...record.remarks],
    })),
    error,
  };
}

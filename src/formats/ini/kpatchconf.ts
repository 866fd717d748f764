// kpatch.conf: two booleans shared with the dnf plug-in and with Cockpit. Read leniently, changed one line at a time.
// Readers beside us: Python's configparser and libdnf (both stop all of dnf on a broken file), and Cockpit's
// /autoupdate\s*=\s*True/i over the whole text: `auto` must make it match, `manual` must not leave it matching.
import { type IniDocument, type IniEntry, parseIni, unquoted } from './document.ts';
import { behindIndented, closed, endOf, linesWithEnds } from './edit.ts';

export const KPATCH_SETTINGS = ['autoupdate', 'autofilter'] as const;
export type KpatchSetting = (typeof KPATCH_SETTINGS)[number];

/** A remark about a line; `line` counts from 1. */
export interface KpatchRemark {
  readonly line: number;
  readonly text: string;
}

export interface KpatchValues {
  readonly autoupdate: boolean;
  readonly autofilter: boolean;
  readonly remarks: readonly KpatchRemark[];
}

const SECTION = 'main';
/** The third switches the plug-in itself off. Source: dnf.conf(5), pluginconfpath. */
const KNOWN: readonly string[] = [...KPATCH_SETTINGS, 'enabled'];

/** Entries of [main], and those before any section: they were meant for it. */
function settings(document: IniDocument): IniEntry[] {
  return document.sections
    .filter((section) => section.name === '' || section.name.trim().toLowerCase() === SECTION)
    .flatMap((section) => section.entries);
}

function isNamed(entry: IniEntry, name: KpatchSetting): boolean {
  return entry.key.toLowerCase() === name;
}

/** The settings in force, and what is odd about the text. Takes the text of the file; raises nothing. */
export function readKpatchValues(text: string): KpatchValues {
  const document = parseIni(text, { lenient: true });
  const remarks: KpatchRemark[] = document.faults.map(({ line, text: why }) => ({
    line,
    text: `${why}; dnf itself may refuse this file`,
  }));
  const read = (name: KpatchSetting): boolean => {
    const entries = settings(document).filter((entry) => isNamed(entry, name));
    const last = entries.at(-1);
    if (last === undefined) return false;
    if (entries.length > 1) {
      const lines = entries.map((entry) => entry.line).join(', ');
      remarks.push({ line: last.line, text: `${name} is given more than once (lines ${lines}); the last one counts` });
    }
    if (last.key !== name) {
      remarks.push({
        line: last.line,
        text: `${last.key} is taken as ${name}; the dnf plug-in's hook reads lower case only`,
      });
    }
    const word = unquoted(last.value).toLowerCase();
    if (['1', 'yes', 'true', 'on'].includes(word)) return true;
    if (!['0', 'no', 'false', 'off'].includes(word)) {
      remarks.push({
        line: last.line,
        text: `${name} = ${JSON.stringify(last.value)} is not a yes or a no; taken as off`,
      });
    }
    return false;
  };
  const values = { autoupdate: read('autoupdate'), autofilter: read('autofilter') };
  remarks.push(...unread(document));
  const misread = misreadLine(text);
  if (misread !== null && !values.autoupdate) {
    remarks.push({
      line: misread,
      text: 'Cockpit takes this line for the setting and shows automatic updates as on',
    });
  }
  return { ...values, remarks: remarks.sort((a, b) => a.line - b.line) };
}

/** Options that nobody reads: a slip in a name, or in that of the section. */
function unread(document: IniDocument): KpatchRemark[] {
  const main = settings(document);
  const slips = main.filter(({ key }) => !KNOWN.includes(key.toLowerCase()));
  const astray = document.sections
    .flatMap((section) => section.entries.map((entry) => ({ section: section.name.trim(), entry })))
    .filter(({ entry }) => !main.includes(entry) && KPATCH_SETTINGS.some((name) => isNamed(entry, name)));
  return [
    ...slips.map(({ key, line }) => ({
      line,
      text: `there is no option ${key}, only ${KPATCH_SETTINGS.join(' and ')}; it is not used`,
    })),
    ...astray.map(({ section, entry }) => ({
      line: entry.line,
      text: `${entry.key} stands in [${section}], where nobody reads it, and not in [${SECTION}]`,
    })),
  ];
}

/** The first line (a comment, another section) in which Cockpit would find autoupdate switched on; null when there is none. */
function misreadLine(text: string): number | null {
  const at = text.split('\n').findIndex((line) => /autoupdate\s*=\s*True/i.test(line));
  return at < 0 ? null : at + 1;
}

/**
 * The text with these settings, written as `True` and `False`. Only their lines change: comments, order, spelling and
 * every other byte stay. A missing file, section or line is made; a setting given twice is set in all its places, so
 * that every reader agrees; a line is mended (`:`, indentation, a missing [main]) only where the setting needs it.
 * Takes null where there is no file. Text may hold one character per byte (latin1) so that odd bytes survive.
 */
export function editKpatchConf(
  text: string | null,
  changes: Readonly<Partial<Record<KpatchSetting, boolean>>>,
): string {
  let edited = text ?? '';
  for (const name of KPATCH_SETTINGS) {
    const value = changes[name];
    if (value !== undefined) edited = set(edited, name, value ? 'True' : 'False');
  }
  return edited;
}

function set(text: string, name: KpatchSetting, value: string): string {
  const end = endOf(text);
  const lines = linesWithEnds(text);
  const document = parseIni(text, { lenient: true });
  const entries = settings(document).filter((entry) => isNamed(entry, name));
  if (entries.length === 0) {
    insert(lines, document, `${name} = ${value}`, end);
    return underMain(lines, document, end);
  }
  const edited: string[][] = [];
  let at = 0;
  for (const entry of entries) {
    edited.push(lines.slice(at, entry.line - 1), rewritten(lines, entry, value, end));
    at = entry.lastLine;
  }
  return underMain([...edited, lines.slice(at)].flat(), document, end);
}

/** The lines of an entry with another value; a remark behind the value moves to a line of its own. */
function rewritten(lines: readonly string[], entry: IniEntry, value: string, end: string): string[] {
  const line = (lines[entry.line - 1] ?? '').replace(/^(?:\uFEFF|\xEF\xBB\xBF)/, '');
  const mark = (lines[entry.line - 1] ?? '').slice(0, -line.length);
  const [, key = '', before = '', gap = '', rest = ''] =
    /^\s*([^=:\s][^=:]*?)([ \t]*)[=:]([ \t]*)([^\r\n]*)/.exec(line) ?? [];
  const ending = (lines[entry.lastLine - 1] ?? '').endsWith('\n') ? end : '';
  const remark = /[ \t]([#;].*?)[ \t]*$/.exec(rest)?.[1];
  const comments = remark === undefined ? [] : [`${remark}${end}`];
  // Comments among continuation lines stay; the lines of the old value go.
  for (let n = entry.line; n < entry.lastLine; n++) {
    const more = (lines[n] ?? '').trim();
    if (/^[#;]/.test(more)) comments.push(`${more}${end}`);
  }
  return [mark + (comments.shift() ?? ''), ...comments, `${key}${before}=${gap}${value}${ending}`].filter(
    (l) => l !== '',
  );
}

/** A new line behind the last entry of [main], or of the entries that stand before any section. */
function insert(lines: string[], document: IniDocument, line: string, end: string): void {
  const main = document.sections.findLast((section) => section.name.trim().toLowerCase() === SECTION);
  const home = main ?? document.sections.find((section) => section.name === '');
  const at = home === undefined ? null : (home.entries.at(-1)?.lastLine ?? home.line);
  if (at === null) {
    close(lines, end);
    if (lines.length > 0 && lines.at(-1)?.trim() !== '') lines.push(end);
    lines.push(`[${SECTION}]${end}`, `${line}${end}`);
    return;
  }
  const place = behindIndented(lines, at);
  if (place === lines.length) close(lines, end);
  lines.splice(place, 0, `${line}${end}`);
}

function close(lines: string[], end: string): void {
  const last = lines.at(-1);
  if (last !== undefined) lines[lines.length - 1] = closed(last, end);
}

/** Puts [main] above entries that stand before any section; without it no other reader takes the file. */
function underMain(lines: readonly string[], document: IniDocument, end: string): string {
  const first = document.sections.find((section) => section.name === '')?.entries[0];
  if (first === undefined) return lines.join('');
  const at = first.line - 1;
  const mark = at === 0 ? (/^(?:\uFEFF|\xEF\xBB\xBF)/.exec(lines[0] ?? '')?.[0] ?? '') : '';
  const after = lines.slice(at).join('').slice(mark.length);
  return `${lines.slice(0, at).join('')}${mark}[${SECTION}]${end}${after}`;
}

// Changing one option of an INI text: that line changes, every other byte stays.
import { type IniEntry, type IniStyle, parseIni } from './document.ts';

/** The text in lines with their ends, so that joining gives the text back. */
export function linesWithEnds(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The line end that the text uses; a carriage return at its very end is half of one. */
export function endOf(text: string): string {
  return /\r(?:\n|$)/.test(text) ? '\r\n' : '\n';
}

/**
 * Sets `key` of `section`. The effective (last) entry changes in place, its continuation lines go; a missing one is put
 * behind the last entry of the section; a missing section is appended. Takes and gives the whole text.
 */
export function setIniValue(text: string, section: string, key: string, value: string, style: IniStyle = {}): string {
  const document = parseIni(text, style);
  const same = document.sections.filter((candidate) => candidate.name === section);
  const found = same.flatMap((candidate) => candidate.entries).findLast((entry) => entry.key === key);
  const lines = linesWithEnds(text);
  const end = endOf(text);
  if (found !== undefined) {
    lines.splice(found.line - 1, found.lastLine - found.line + 1, replaced(lines, found, value, end));
    return lines.join('');
  }
  const last = same.at(-1);
  if (last === undefined) {
    const gap = text === '' || /\n\r?\n$/.test(text) ? '' : end;
    return `${closed(text, end)}${gap}[${section}]${end}${key} = ${value}${end}`;
  }
  const after = behindIndented(lines, last.entries.at(-1)?.lastLine ?? last.line);
  lines[after - 1] = closed(lines[after - 1] ?? '', end);
  lines.splice(after, 0, `${key} = ${value}${end}`);
  return lines.join('');
}

/** The first place from `at` on where a new line would not be continued by an indented one, or one of blanks. */
export function behindIndented(lines: readonly string[], at: number): number {
  let place = at;
  while (/^[ \t]+(?:\r?\n|$|(?!\[)[^ \t])/.test(lines[place] ?? '')) place++;
  return place;
}

/** With a line end behind it, unless it has one; half a one is made whole. */
export function closed(text: string, end: string): string {
  if (text === '' || text.endsWith('\n')) return text;
  return text.endsWith('\r') ? `${text}\n` : `${text}${end}`;
}

/** The entry's first line with another value: key, blanks and spelling stay, `:` becomes `=`. */
function replaced(lines: readonly string[], entry: IniEntry, value: string, end: string): string {
  const line = lines[entry.line - 1] ?? '';
  const [, before = '', gap = ''] = /^([^=:]*)[=:]([ \t]*)/.exec(line) ?? [];
  const ending = (lines[entry.lastLine - 1] ?? '').endsWith('\n') ? end : '';
  return `${before}=${gap}${value}${ending}`;
}

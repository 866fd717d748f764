// Texts of options to typed values, as libdnf reads them (OptionBool, OptionSeconds, OptionNumber, OptionStringList).
import type { OptionRow } from './options.ts';

/** A value that could not be read: why. */
export interface Unreadable {
  readonly why: string;
}

/** A throttle in per cent: a part of bandwidth, above 0 and at most 1. */
export interface Part {
  readonly part: number;
}

export type Value = boolean | number | string | readonly string[] | Part;

const TRUE = new Set(['1', 'yes', 'true', 'on']);
const FALSE = new Set(['0', 'no', 'false', 'off']);

/** `1 yes true on`, `0 no false off`, any case; null for anything else. */
export function readBool(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : null;
}

/** Blanks, commas and newlines part a list; a backslash keeps the next character. */
export function readList(text: string): string[] {
  const items: string[] = [];
  let item = '';
  // An empty first element (a leading comma, or nothing at all) is kept: it starts an appending list anew.
  if (/^\s*(,|$)/.test(text)) items.push('');
  for (let n = 0; n < text.length; n++) {
    const char = text[n] as string;
    const next = text[n + 1];
    if (char === '\\' && next !== undefined && ' ,\\'.includes(next)) {
      item += next;
      n++;
    } else if (/[\s,]/.test(char)) {
      if (item !== '') items.push(item);
      item = '';
    } else item += char;
  }
  if (item !== '') items.push(item);
  return items;
}

const SECONDS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86400 };
const BYTES: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function scaled(text: string, units: Record<string, number>, examples: string): number | Unreadable {
  const match = /^(\d+(?:\.\d*)?|\.\d+)([a-z]?)$/i.exec(text.trim());
  const unit = units[match?.[2]?.toLowerCase() ?? ' '];
  if (match === null || unit === undefined) return { why: `expected ${examples}` };
  return Math.floor(Number(match[1]) * unit);
}

/** `90`, `30s`, `48h`, `2d`, `1.5h`; `never` and `-1` are Infinity. */
export function readSeconds(text: string): number | Unreadable {
  if (/^\s*(?:never|-1)\s*$/i.test(text)) return Number.POSITIVE_INFINITY;
  return scaled(text, SECONDS, 'a time such as 90, 30m, 48h, 2d or never');
}

/** `1000`, `10k`, `1M`, `1.5G`: powers of 1024. */
export function readBytes(text: string): number | Unreadable {
  return scaled(text, BYTES, 'a size such as 1000, 10k or 1M');
}

function readRate(text: string): number | Part | Unreadable {
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
  if (percent === null) return readBytes(text);
  const part = Number(percent[1]) / 100;
  return part > 1 ? { why: 'more than 100%' } : { part };
}

function readInt(text: string, range: OptionRow['range']): number | Unreadable {
  const match = /^\s*([+-]?\d{1,15})\s*$/.exec(text);
  if (match === null) return { why: 'expected a whole number' };
  const value = Number(match[1]);
  if (range !== undefined && (value < range[0] || value > range[1])) {
    return { why: `expected a number from ${range[0]} to ${range[1]}` };
  }
  return value;
}

const AUTH = ['any', 'none', 'basic', 'digest', 'negotiate', 'ntlm', 'digest_ie', 'ntlm_wb'];

function oneOf(text: string, words: readonly string[]): string | Unreadable {
  const word = text.trim().toLowerCase();
  return words.includes(word) ? word : { why: `expected one of ${words.join(', ')}` };
}

/** The text of an option as its type says; never raises. */
export function readValue(row: OptionRow, text: string): Value | Unreadable {
  switch (row.type) {
    case 'bool':
      return readBool(text) ?? { why: 'expected a yes or a no (1, 0, yes, no, true, false, on, off)' };
    case 'int':
      if (row.key === 'installonly_limit') {
        if (text.trim() === '<off>') return 0;
        if (text.trim() === '1') return { why: '1 is not allowed' };
      }
      return readInt(text, row.range);
    case 'seconds':
      return readSeconds(text);
    case 'bytes':
      return readBytes(text);
    case 'rate':
      return readRate(text);
    case 'list':
    case 'urls':
      return readList(text);
    case 'ip':
      return oneOf(text, ['whatever', '4', '6', 'ipv4', 'ipv6']);
    case 'auth':
      return oneOf(text, AUTH);
    case 'string':
    case 'path':
      return text;
  }
}

export function isUnreadable(value: Value | Unreadable): value is Unreadable {
  return typeof value === 'object' && 'why' in value;
}

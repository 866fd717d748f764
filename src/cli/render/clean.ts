// Foreign text made safe to show: names, summaries and messages come from repositories, files and other programs.
// Control characters, escape sequences and characters that reorder or hide text are written out as \uXXXX.
// Source: ECMA-48 (C0, C1), Unicode Standard Annex 9 (bidirectional controls), Unicode TR36 (invisible characters).

const UNSAFE = new RegExp(
  [
    '[\\u0000-\\u001f\\u007f-\\u009f', // C0, DEL, C1
    '\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb', // invisible, line and bidi controls
    '\\ud800-\\udfff', // lone surrogates
    '\\u{e0000}-\\u{e0fff}]', // tags
  ].join(''),
  'gu',
);

function written(char: string): string {
  const code = char.codePointAt(0) as number;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** One line of text with every unsafe character written out; harmless text comes back as it was. */
export function clean(text: string): string {
  return text.replace(UNSAFE, written);
}

/** A copy of plain data with every string in it, keys too, cleaned. */
export function cleanDeep<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map(copy);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), copy(inner)]));
}

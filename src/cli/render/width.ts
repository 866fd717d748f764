// How many terminal columns a text takes, and breaking it to fit.
// Source of the wide ranges: Unicode Standard Annex 11 (East Asian Width), as wcwidth(3) treats them.

const COMBINING = /\p{M}/u;

const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

function charWidth(char: string): number {
  const code = char.codePointAt(0) as number;
  if (code < 0x300) return 1;
  if (COMBINING.test(char)) return 0;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Columns of a text without escape sequences. */
export function textWidth(text: string): number {
  let columns = 0;
  for (const char of text) columns += charWidth(char);
  return columns;
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

/** Cuts a text into pieces of at most `columns`, between any two characters. Nothing is lost. */
export function cut(text: string, columns: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const char of text) {
    const wide = charWidth(char);
    if (used + wide > columns && piece !== '') {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += char;
    used += wide;
  }
  pieces.push(piece);
  return pieces;
}

/** Breaks at spaces as far as words fit into `columns`; what is longer is cut. For cells of a table. */
export function fold(text: string, columns: number): string[] {
  return textWidth(text) <= columns ? [text] : wrap(text, columns).flatMap((line) => cut(line, columns));
}

/**
 * Breaks at spaces so that no line exceeds `columns`; a word that is longer stays whole on its own line
 * (it may be a command). A text that fits stays exactly as it is.
 */
export function wrap(text: string, columns: number, indent = ''): string[] {
  if (textWidth(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +/)) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > columns - (lines.length > 0 ? textWidth(indent) : 0)) {
      lines.push(lines.length > 0 ? indent + line : line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(lines.length > 0 ? indent + line : line);
  return lines;
}

// How the terminal wants it: colours, characters, width. Plain data, so that every screen can be tested literally.

export interface Style {
  /** Columns of the terminal; 80 where there is none. */
  readonly width: number;
  /** Escape sequences for colour and weight are wanted. */
  readonly color: boolean;
  /** A terminal in a UTF-8 locale: marks may be ✓ ✗ ⧗. Elsewhere they are words. */
  readonly symbols: boolean;
}

export type Tone = 'good' | 'bad' | 'wait' | 'plain' | 'strong';

/**
 * Colours a text. Good is cyan, waiting yellow, bad bold red: told apart without seeing red and green as different,
 * and the mark or word always says the same.
 */
export function paint(style: Style, tone: Tone, text: string): string {
  if (!style.color || tone === 'plain' || text === '') return text;
  const [on, off] = SEQUENCES[tone];
  return `${on}${text}${off}`;
}

/** Select Graphic Rendition, ECMA-48 8.3.117: 1 bold, 22 not; 31 red, 33 yellow, 36 cyan, 39 the terminal's own colour. */
const SEQUENCES: Readonly<Record<Exclude<Tone, 'plain'>, readonly [string, string]>> = {
  good: ['\u001b[36m', '\u001b[39m'],
  wait: ['\u001b[33m', '\u001b[39m'],
  bad: ['\u001b[1m\u001b[31m', '\u001b[39m\u001b[22m'],
  strong: ['\u001b[1m', '\u001b[22m'],
};

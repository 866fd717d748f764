// How the terminal wants it: colours, characters, width. Plain data, so that every screen can be tested literally.
import { createColors } from 'picocolors';

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
  const colors = createColors(true);
  if (tone === 'good') return colors.cyan(text);
  if (tone === 'wait') return colors.yellow(text);
  if (tone === 'bad') return colors.bold(colors.red(text));
  return colors.bold(text);
}

// One line of a download: how far, how fast, how long still. Pure; the terminal is written to in ui.ts.
import { clean } from './clean.ts';
import { clockTime, humanSize } from './size.ts';
import type { Style } from './style.ts';
import { cut, padEnd, textWidth } from './width.ts';

export interface ProgressView {
  readonly label: string;
  readonly done: number;
  /** Bytes in all; null while unknown. */
  readonly total: number | null;
  /** Seconds since the start. */
  readonly seconds: number;
}

const BAR = 10;

/**
 * `kpatch-patch-5_14_0-362_8_1-1-3.el9_3  45% [====      ] 1.2 MB/s | 3.4 MB   00:04 ETA`: exactly as wide as the
 * screen less one (a full last column wraps on some terminals). Without a total: what came so far.
 */
export function progressLine(view: ProgressView, style: Style): string {
  const { done, total, seconds } = view;
  const rate = seconds > 0 ? done / seconds : 0;
  const moved = `${humanSize(Math.round(rate))}/s | ${humanSize(done)}`;
  let right = `${moved} ${clockTime(seconds)}    `;
  if (total !== null && total > 0) {
    const part = Math.min(1, done / total);
    const filled = '='.repeat(Math.floor(part * BAR));
    const eta = rate > 0 ? clockTime((total - Math.min(done, total)) / rate) : '--:--';
    right = `${String(Math.floor(part * 100)).padStart(3)}% [${filled.padEnd(BAR)}] ${moved} ${eta} ETA`;
  }
  const room = style.width - 1 - textWidth(right) - 1;
  if (room < 4) return cut(right, style.width - 1)[0] as string;
  return `${padEnd(cut(clean(view.label), room)[0] as string, room)} ${right}`;
}

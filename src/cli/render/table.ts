// A table that never breaks its columns: what does not fit beside gets lines of its own. Layout as dnf's transaction table.
import { paint, type Style, type Tone } from './style.ts';
import { fold, textWidth } from './width.ts';

export interface Column {
  readonly head: string;
  readonly align?: 'right';
  /** Cells carry the tone of their row; the first column always does. */
  readonly toned?: boolean;
}

export interface Layout {
  /** Lines of `=` around the heads. */
  readonly rules: boolean;
  /** The space left over is shared, so that the last column ends at the edge of the screen. */
  readonly spread: boolean;
}

export interface Cells {
  /** One for each column. */
  readonly cells: readonly string[];
  readonly tone?: Tone;
  /** Lines printed as they are under this row. */
  readonly below?: readonly string[];
}

/** A heading across all columns (`Installing:`), or cells. */
export type Row = { readonly heading: string } | Cells;

/** Spaces before each line and between columns. */
const GAP = 1;
/** A first column is not squeezed below this; its long cells then stand on a line of their own. */
const LEAST_FIRST = 1;
/** Another column is squeezed only down to this, its cells cut over several lines. */
const LEAST = 6;

function naturalWidths(columns: readonly Column[], rows: readonly Row[]): number[] {
  return columns.map((column, i) =>
    Math.max(textWidth(column.head), ...rows.map((row) => ('cells' in row ? textWidth(row.cells[i] ?? '') : 0))),
  );
}

/** Columns of the screen that a table takes when nothing has to be squeezed. */
export function naturalWidth(columns: readonly Column[], rows: readonly Row[]): number {
  return naturalWidths(columns, rows).reduce((sum, width) => sum + width + GAP, 0);
}

/** Widths of the columns so that a line fits into `width` columns. */
function columnWidths(columns: readonly Column[], rows: readonly Row[], width: number, spread: boolean): number[] {
  const natural = naturalWidths(columns, rows);
  const total = (widths: readonly number[]): number => widths.reduce((sum, w) => sum + w + GAP, 0);
  const widths = [...natural];
  let slack = width - total(widths);
  if (slack >= 0) {
    for (let i = 0; spread && slack > 0 && columns.length > 1; i = (i + 1) % (columns.length - 1)) {
      widths[i] = (widths[i] as number) + 1;
      slack--;
    }
    return widths;
  }
  widths[0] = Math.max(LEAST_FIRST, (natural[0] as number) + slack);
  while (total(widths) > width) {
    const widest = Math.max(...widths.slice(1));
    if (widest <= LEAST) break;
    widths[widths.lastIndexOf(widest)] = widest - 1;
  }
  return widths;
}

function rowLines(
  cells: readonly string[],
  columns: readonly Column[],
  widths: readonly number[],
  tone: Tone,
  style: Style,
): string[] {
  const lines: string[] = [];
  let first = cells[0] ?? '';
  if (textWidth(first) > (widths[0] as number)) {
    lines.push(' '.repeat(GAP) + paint(style, tone, first));
    first = '';
  }
  const pieces = widths.map((width, i) => (i === 0 ? [first] : fold(cells[i] ?? '', width)));
  const height = Math.max(...pieces.map((piece) => piece.length));
  for (let n = 0; n < height; n++) {
    const line = pieces.map((piece, i) => {
      const text = piece[n] ?? '';
      const padding = ' '.repeat(Math.max(0, (widths[i] as number) - textWidth(text)));
      const shown = i === 0 || columns[i]?.toned ? paint(style, tone, text) : text;
      return columns[i]?.align === 'right' ? padding + shown : shown + padding;
    });
    lines.push((' '.repeat(GAP) + line.join(' '.repeat(GAP))).trimEnd());
  }
  return lines;
}

/** A line of `=` across the screen. */
export function rule(style: Style): string {
  return '='.repeat(style.width);
}

/** The lines of a table: heads, rows, with rules as the layout says (dnf's transaction table has them). */
export function table(
  columns: readonly Column[],
  rows: readonly Row[],
  style: Style,
  layout: Layout = { rules: true, spread: true },
): string[] {
  const widths = columnWidths(columns, rows, style.width, layout.spread);
  const rules = layout.rules ? [rule(style)] : [];
  const heads = columns.map((column) => column.head);
  const lines = [...rules, ...rowLines(heads, columns, widths, 'plain', style), ...rules];
  for (const row of rows) {
    if ('heading' in row) lines.push(row.heading);
    else lines.push(...rowLines(row.cells, columns, widths, row.tone ?? 'plain', style), ...(row.below ?? []));
  }
  return lines;
}

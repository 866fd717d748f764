// Results as Markdown.
import { type Measured, median, ratio } from './measure.ts';
import { LABELS } from './work.ts';

const ms = (value: number): string => value.toFixed(0);

/** One row per command: median, spread, ratios within the rounds, memory. */
export function resultTable(results: ReadonlyMap<string, Measured>): string {
  const floor = results.get(LABELS.node);
  const unpack = results.get(LABELS.unpack);
  const against = (one: Measured, other: Measured | undefined): string => (other ? ratio(one, other).toFixed(2) : '-');
  const lines = [
    '| command | median ms | least - most | x node -e 0 | x unpack | CPU ms | x CPU of node -e 0 | largest MB | sum MB |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const one of results.values()) {
    const { label, times, memory } = one;
    const spread = `${ms(Math.min(...times))} - ${ms(Math.max(...times))}`;
    lines.push(
      `| ${label} | ${ms(median(times))} | ${spread} | ${against(one, floor)} | ${against(one, unpack)} | ${ms(one.cpu)} | ${floor ? (one.cpu / floor.cpu).toFixed(1) : '-'} | ${ms(memory.largest)} | ${ms(memory.sum)} |`,
    );
  }
  return lines.join('\n');
}

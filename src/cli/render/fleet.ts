// report: many machines in one table, for a terminal and for programs.
import type { Fleet, FleetRow } from '../../decide/fleet.ts';
import { type Evr, formatEvr } from '../../domain/evr.ts';
import { cleanDeep } from './clean.ts';
import { JSON_FORMAT } from './json.ts';
import { shortLevel } from './plan.ts';
import { VERDICT_MARKS } from './status.ts';
import type { Style, Tone } from './style.ts';
import { type Column, type Row, table } from './table.ts';
import { wrap } from './width.ts';

const COLUMNS: readonly Column[] = [
  { head: 'Machine' },
  { head: 'Kernel' },
  { head: 'Verdict', toned: true },
  { head: 'Loaded' },
  { head: 'Inst.' },
  { head: 'Avail.' },
  { head: 'CVEs', align: 'right' },
];

const TONES: Record<string, Tone> = { done: 'good', open: 'bad', waiting: 'wait', unknown: 'wait', none: 'plain' };

export const levelText = (level: Evr | null): string => (level === null ? '-' : shortLevel(level));
export const cveCount = ({ openCves }: FleetRow): string => (openCves === null ? '-' : String(openCves.length));

/** Machines by the verdict on their running kernel. */
export function tallies(rows: readonly FleetRow[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { running, verdict } of rows) if (running) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return [...counts];
}

/** The whole screen; ends with a line break. */
export function renderFleet(foreign: Fleet, style: Style): string {
  const { rows, problems, machines } = cleanDeep(foreign);
  const body: Row[] = rows.map((row) => ({
    tone: TONES[VERDICT_MARKS[row.verdict]] ?? 'plain',
    cells: [
      row.name,
      `${row.release}${row.running ? ' *' : ''}`,
      row.verdict,
      levelText(row.loaded),
      levelText(row.installed),
      levelText(row.available),
      cveCount(row),
    ],
  }));
  const lines = body.length > 0 ? table(COLUMNS, body, style, { rules: false, spread: false }) : ['No machine.'];
  const counted = tallies(rows).map(([verdict, count]) => `${count} ${verdict}`);
  const text = `${machines} machine${machines === 1 ? '' : 's'}${counted.length > 0 ? `: ${counted.join(', ')}` : ''}. (* running)`;
  lines.push('', ...wrap(text, style.width, '  '));
  for (const { file, text: why } of problems) lines.push(...wrap(`Left out: ${file}: ${why}.`, style.width, '  '));
  return `${lines.join('\n')}\n`;
}

const evr = (level: Evr | null): string | null => (level === null ? null : formatEvr(level));

/** `report --json`. */
export function fleetJson(time: string, { rows, problems, machines }: Fleet): unknown {
  return {
    format: JSON_FORMAT,
    time,
    machines,
    kernels: rows.map((row) => ({
      machine: row.machine,
      name: row.name,
      file: row.file,
      time: row.time,
      release: row.release,
      running: row.running,
      verdict: row.verdict,
      text: row.text,
      loaded: evr(row.loaded),
      installed: evr(row.installed),
      available: evr(row.available),
      open_cves: row.openCves,
    })),
    problems: problems.map(({ file, text }) => ({ file, text })),
    error: null,
  };
}

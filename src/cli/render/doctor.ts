// doctor as people read it: one line a finding, what mends it below, and how many there are.
import type { Finding, FindingState } from '../../decide/doctor.ts';
import { cleanDeep } from './clean.ts';
import { JSON_FORMAT } from './json.ts';
import { paint, type Style, type Tone } from './style.ts';
import { padEnd, wrap } from './width.ts';

const MARKS: Record<FindingState, { symbol: string; word: string; tone: Tone }> = {
  ok: { symbol: '✓', word: 'ok', tone: 'good' },
  note: { symbol: 'i', word: 'i', tone: 'plain' },
  warning: { symbol: '!', word: '!', tone: 'wait' },
  fault: { symbol: '✗', word: 'NO', tone: 'bad' },
  unknown: { symbol: '?', word: '?', tone: 'wait' },
};
const NAME = 14;

/** The whole screen; ends with a line break. */
export function renderDoctor(foreign: readonly Finding[], quiet: boolean, style: Style): string {
  const findings = cleanDeep(foreign);
  const lines = findings.flatMap((finding) => findingLines(finding, style));
  if (!quiet) lines.push(summary(findings));
  return `${lines.join('\n')}\n`;
}

function findingLines({ check, state, text, mend }: Finding, style: Style): string[] {
  const { symbol, word, tone } = MARKS[state];
  const mark = padEnd(style.symbols ? symbol : word, style.symbols ? 1 : 2);
  const before = ` ${mark} ${check.padEnd(NAME)} `;
  const indent = ' '.repeat(before.length);
  const [first = '', ...rest] = wrap(text, Math.max(20, style.width - before.length));
  const lines = [` ${paint(style, tone, mark)} ${check.padEnd(NAME)} ${first}`, ...rest.map((line) => indent + line)];
  // A command stands on one line, whatever the width: it is to be copied.
  return mend === null ? lines : [...lines, `${indent}${paint(style, 'strong', mend)}`];
}

function summary(findings: readonly Finding[]): string {
  const count = (state: FindingState): number => findings.filter((finding) => finding.state === state).length;
  const [faults, warnings] = [count('fault'), count('warning')];
  if (faults + warnings === 0) return 'Nothing is missing.';
  const many = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  return `${many(faults, 'fault')}, ${many(warnings, 'warning')}.`;
}

/** `doctor --json`. */
export function doctorJson(time: string, root: string, findings: readonly Finding[]): unknown {
  return { format: JSON_FORMAT, time, root, findings: findings.map((finding) => ({ ...finding })), error: null };
}

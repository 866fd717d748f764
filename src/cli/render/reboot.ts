// needs-reboot for people and programs.
import type { RebootReport } from '../../decide/reboot.ts';
import { cleanDeep } from './clean.ts';
import { JSON_FORMAT } from './json.ts';
import { paint, type Style, type Tone } from './style.ts';
import { wrap } from './width.ts';

const HEADS: Record<RebootReport['answer'], { readonly words: string; readonly tone: Tone }> = {
  no: { words: 'No reboot is needed', tone: 'good' },
  'not-yet': { words: 'Not yet', tone: 'wait' },
  yes: { words: 'A reboot is needed', tone: 'bad' },
  'cannot-tell': { words: 'It cannot be told', tone: 'wait' },
};

/** CVEs shown before the rest is only counted. */
const SHOWN = 20;

/** The whole screen; ends with a line break. */
export function renderReboot(foreign: RebootReport, style: Style): string {
  const report = cleanDeep(foreign);
  const { words, tone } = HEADS[report.answer];
  const [first = '', ...rest] = wrap(`${words}: ${report.text}.`, style.width, '  ');
  const lines = [first.replace(words, paint(style, tone, words)), ...rest];
  if (report.waiting.length > 0) {
    lines.push('', 'Fixed only by a newer kernel:');
    for (const { cve, kernel, severity } of report.waiting.slice(0, SHOWN)) {
      lines.push(` ${cve}  ${severity ?? '-'}  ${kernel}`);
    }
    const more = report.waiting.length - SHOWN;
    if (more > 0) lines.push(` and ${more} more: kpatch-pm cves`);
  }
  if (report.blind !== null) lines.push('', ...wrap(`Not everything is known: ${report.blind}.`, style.width, '  '));
  if (report.next.length > 0) lines.push('', 'Next:', ...report.next.map((one) => `  ${paint(style, 'strong', one)}`));
  return `${lines.join('\n')}\n`;
}

/** `needs-reboot --json`. */
export function rebootJson(time: string, report: RebootReport): unknown {
  return {
    format: JSON_FORMAT,
    time,
    answer: report.answer,
    text: report.text,
    running: report.running,
    newer: report.newer,
    waiting: report.waiting.map(({ cve, kernel, severity }) => ({ cve, kernel, severity })),
    not_known: report.blind,
    next: [...report.next],
    error: null,
  };
}

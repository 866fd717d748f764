// cves: for people, for programs, for spreadsheets.
import { CVE_STATES, type CveReport, type CveState, type Source } from '../../decide/cves.ts';
import { clean, cleanDeep } from './clean.ts';
import { JSON_FORMAT } from './json.ts';
import type { Style, Tone } from './style.ts';
import { type Column, type Row, table } from './table.ts';
import { wrap } from './width.ts';

export interface KernelCves {
  readonly release: string;
  readonly running: boolean;
  readonly cves: readonly CveReport[];
}

export interface CvesView {
  readonly kernels: readonly KernelCves[];
  /** Whether CVEs were named: then all of them are shown. */
  readonly asked: boolean;
  /** What could not be looked into; null when everything could. */
  readonly blind: string | null;
}

const TONES: Record<CveState, Tone> = {
  fixed: 'good',
  'fixed-in-kernel': 'good',
  unproven: 'wait',
  'on-disk': 'wait',
  available: 'bad',
  reboot: 'bad',
  'out-of-reach': 'bad',
  unknown: 'plain',
};

const COLUMNS: readonly Column[] = [
  { head: 'CVE' },
  { head: 'State', toned: true },
  { head: 'Severity' },
  { head: 'Source' },
];

/** `FXSA-2024:1001, unsigned`; the first source is the one the answer rests on. */
function sourceText([first, ...more]: readonly Source[]): string {
  if (!first) return '-';
  const what = first.kind === 'updateinfo' ? first.name : 'changelog';
  const others = more.length > 0 ? ` (+${more.length})` : '';
  return `${what}, ${first.signer === null ? 'unsigned' : 'signed'}${others}`;
}

/** Old fixes of the kernel itself are thousands; without being asked for they are only counted. */
const ofKernelOnly = (report: CveReport, release: string): boolean =>
  report.state === 'fixed-in-kernel' || (report.state === 'unproven' && report.by === release);

/** The whole screen; ends with a line break. */
export function renderCves(foreign: CvesView, style: Style): string {
  const view = cleanDeep(foreign);
  if (view.kernels.length === 0) return 'No kernel is installed in this root.\n';
  const blocks = view.kernels.map((kernel) => block(kernel, view.asked, style));
  const blind =
    view.blind === null ? [] : [wrap(`Not everything is known: ${view.blind}.`, style.width, '  ').join('\n')];
  return `${[...blocks, ...blind].join('\n\n')}\n`;
}

function block({ release, running, cves }: KernelCves, asked: boolean, style: Style): string {
  const head = `Kernel ${release}${running ? ' (running)' : ''}`;
  const shown = asked ? cves : cves.filter((report) => !ofKernelOnly(report, release));
  const hidden = cves.length - shown.length;
  const rows: Row[] = shown.map((report) => ({
    tone: TONES[report.state],
    cells: [report.cve, report.state, report.severity ?? '-', sourceText(report.sources)],
    below: wrap(report.text, style.width - 3).map((line) => `   ${line}`),
  }));
  const lines =
    rows.length > 0 ? table(COLUMNS, rows, style, { rules: false, spread: false }) : [' No CVE is named for it.'];
  return [head, ...lines, ...tally(shown, hidden, style)].join('\n');
}

function tally(shown: readonly CveReport[], hidden: number, style: Style): string[] {
  const counts = (Object.keys(CVE_STATES) as CveState[])
    .map((state) => [shown.filter((report) => report.state === state).length, state] as const)
    .filter(([count]) => count > 0)
    .map(([count, state]) => `${count} ${state}`);
  const more = hidden > 0 ? [`${hidden} of the kernel itself not listed`] : [];
  const text = [...counts, ...more].join(', ');
  return text === '' ? [] : wrap(`Total: ${text}.`, style.width, '  ');
}

/** `cves --json`: every CVE, those of the kernel itself too. */
export function cvesJson(time: string, machine: string | null, { kernels, blind }: CvesView): unknown {
  return {
    format: JSON_FORMAT,
    time,
    machine,
    kernels: kernels.map(({ release, running, cves }) => ({
      release,
      running,
      cves: cves.map(({ cve, state, by, severity, text, sources }) => ({
        cve,
        state,
        by,
        severity,
        text,
        sources: sources.map(({ kind, name, repo, signer }) => ({ kind, name, repo, signer, signed: signer !== null })),
      })),
    })),
    not_known: blind,
    error: null,
  };
}

const HEADINGS = ['kernel', 'cve', 'state', 'by', 'severity', 'source', 'repository', 'signed_by', 'text'];

/** `cves --csv`: RFC 4180 with line feeds. */
export function cvesCsv({ kernels }: CvesView): string {
  const rows = kernels.flatMap(({ release, cves }) =>
    cves.map(({ cve, state, by, severity, sources, text }) => {
      const [first] = sources;
      return [
        release,
        cve,
        state,
        by ?? '',
        severity ?? '',
        first?.name ?? '',
        first?.repo ?? '',
        first?.signer ?? '',
        text,
      ];
    }),
  );
  return [HEADINGS, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

/** A spreadsheet takes a cell that begins so for a formula (OWASP, CSV Injection): an apostrophe makes it text. */
function cell(foreign: string): string {
  const text = clean(foreign);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

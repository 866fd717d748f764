// Advisories as dnf 4 prints them. Source: the output of `dnf updateinfo list|info|summary` (docs of dnf, Updateinfo Command).
import {
  type AdvisoryLine,
  labelOf,
  type Severity,
  severityOf,
  summarize,
  type Which,
} from '../../decide/updateinfo.ts';
import { formatNevra } from '../../domain/nevra.ts';
import { cleanDeep } from './clean.ts';
import { JSON_FORMAT } from './json.ts';
import { wrap } from './width.ts';

/** `ID LABEL NEVRA`, the label's column as wide as the longest; `i ` before what is installed where all are shown. */
export function renderList(foreign: readonly AdvisoryLine[], which: Which, withCve: boolean): string {
  const rows = cleanDeep(foreign).flatMap((line) => {
    const ids = withCve ? line.advisory.cves : [line.advisory.id];
    const mark = which === 'all' ? (line.installed ? 'i ' : '  ') : '';
    return ids.map((id) => ({ mark, id, label: labelOf(line.advisory), nevra: formatNevra(line.package) }));
  });
  const [id, label] = (['id', 'label'] as const).map((key) => Math.max(0, ...rows.map((row) => row[key].length)));
  return rows
    .map((row) => `${row.mark}${row.id.padEnd(id as number)} ${row.label.padEnd(label as number)} ${row.nevra}\n`)
    .join('');
}

const RULE = '='.repeat(79);

/** One block an advisory, in the order of their text. */
export function renderInfo(foreign: readonly AdvisoryLine[], which: Which, verbose: boolean): string {
  const lines = cleanDeep(foreign);
  const advisories = new Map(lines.map((line) => [line.advisory.id, line]));
  const blocks = [...advisories.values()].map((line) => block(line, lines, which, verbose));
  return blocks.length === 0 ? '' : `${[...new Set(blocks)].sort().join('\n\n')}\n`;
}

function block(
  { advisory, installed }: AdvisoryLine,
  all: readonly AdvisoryLine[],
  which: Which,
  verbose: boolean,
): string {
  const bugs = advisory.references.filter(({ type }) => type === 'bugzilla').map(({ id, title }) => `${id} - ${title}`);
  const files = all.filter((one) => one.advisory.id === advisory.id).map((one) => formatNevra(one.package));
  const fields: [string, readonly string[]][] = [
    ['Update ID', [advisory.id]],
    ['Type', [advisory.type]],
    ['Updated', [(advisory.updated ?? advisory.issued ?? '').replace(/^(\d{4}-\d\d-\d\d)$/, '$1 00:00:00')]],
    ['Bugs', bugs],
    ['CVEs', advisory.cves],
    ['Description', advisory.description === '' ? [] : wrap(advisory.description, 65)],
    ['Severity', advisory.severity === null ? [] : [advisory.severity]],
    ['Rights', verbose && advisory.rights !== '' ? [advisory.rights] : []],
    ['Files', verbose ? files : []],
    ['Installed', which === 'all' ? [installed ? 'true' : 'false'] : []],
  ];
  const text = fields.flatMap(([key, values]) =>
    values.map((value, n) => `${(n === 0 ? key : '').padStart(11)}: ${value}`),
  );
  return [RULE, `  ${advisory.title}`, RULE, ...text].join('\n');
}

const LEVELS: readonly Severity[] = ['Critical', 'Important', 'Moderate', 'Low', 'Unknown'];

/** The counts, with dnf's indentation; nothing at all where there is nothing. */
export function renderSummary(lines: readonly AdvisoryLine[], which: Which): string {
  const counts = summarize(lines);
  const security = LEVELS.reduce((sum, level) => sum + counts.security[level], 0);
  const rows: [number, number, string][] = [
    [1, counts.newpackage, 'New Package notice(s)'],
    [1, security, 'Security notice(s)'],
    ...LEVELS.map((level): [number, number, string] => [2, counts.security[level], `${level} Security notice(s)`]),
    [1, counts.bugfix, 'Bugfix notice(s)'],
    [1, counts.enhancement, 'Enhancement notice(s)'],
    [1, counts.other, 'other notice(s)'],
  ];
  const shown = rows.filter(([, count]) => count > 0);
  if (shown.length === 0) return '';
  const width = Math.max(...shown.map(([, count]) => String(count).length));
  const text = shown.map(
    ([depth, count, what]) => `${' '.repeat(4 * depth)}${String(count).padStart(width)} ${what}\n`,
  );
  return `Updates Information Summary: ${which}\n${text.join('')}`;
}

/** `updateinfo --json`: the same list whatever word was given. */
export function updateinfoJson(which: Which, lines: readonly AdvisoryLine[]): unknown {
  return {
    format: JSON_FORMAT,
    which,
    advisories: lines.map(({ advisory, package: pkg, installed }) => ({
      id: advisory.id,
      repo: advisory.repo,
      type: advisory.type,
      severity: advisory.type === 'security' ? severityOf(advisory.severity) : null,
      title: advisory.title,
      issued: advisory.issued,
      updated: advisory.updated,
      cves: [...advisory.cves],
      nevra: formatNevra(pkg),
      installed,
      signer: advisory.signer,
    })),
    error: null,
  };
}

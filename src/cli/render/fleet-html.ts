// report --html: one page that an auditor can keep. Nothing is loaded, nothing runs: no script, no link, no image; the policy
// forbids them all and allows exactly this style sheet. Every foreign text is cleaned, then escaped.
// Source: Content Security Policy Level 3 (meta element, hashes); WCAG 2.2 (contrast, never colour alone).
import { createHash } from 'node:crypto';
import type { Fleet, FleetRow } from '../../decide/fleet.ts';
import { cleanDeep } from './clean.ts';
import { cveCount, levelText, tallies } from './fleet.ts';
import { VERDICT_MARKS } from './status.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
p { margin: .3rem 0; }
ul.tally { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0; margin: 1rem 0; }
ul.tally li { border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .7rem; }
ul.tally b { font-size: 1.2rem; margin-right: .3rem; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { background: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; min-width: 9rem; }
td.number span, td.kernel { white-space: nowrap; }
td.machine { min-width: 9rem; max-width: 20rem; }
td.verdict { min-width: 14rem; }
td.code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
.mark { display: inline-block; width: 1.3em; font-weight: bold; }
.done .mark { color: #0a7f9c; } .open .mark { color: #c02020; } .waiting .mark { color: #a06a00; }
.running { font-weight: bold; }
small { display: block; opacity: .75; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } }
`;

const MARKS: Record<string, string> = { done: '✓', open: '✗', waiting: '!', none: '–', unknown: '?' };

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (one) => ESCAPES[one] as string);

/** The policy of the page. */
export function policy(): string {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}

/** The whole page. */
export function fleetHtml(time: string, foreign: Fleet, version: string): string {
  const { rows, problems, machines } = cleanDeep(foreign);
  const counted = tallies(rows).map(([verdict, count]) => `<li><b>${count}</b>${escaped(verdict)}</li>`);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kernel live patches: ${machines} machine${machines === 1 ? '' : 's'}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Kernel live patches</h1>
<p>${machines} machine${machines === 1 ? '' : 's'}, ${rows.length} kernel${rows.length === 1 ? '' : 's'}. Made ${escaped(time)} by kpatch-pm ${escaped(version)}.</p>
<ul class="tally">${counted.join('')}</ul>
<div class="wide">
<table>
<thead><tr><th>Machine</th><th>Kernel</th><th>Verdict</th><th>Loaded</th><th>Installed</th><th>Available</th><th class="number">Open CVEs</th></tr></thead>
<tbody>
${rows.map(rowHtml).join('\n')}
</tbody>
</table>
</div>
${problemsHtml(problems)}<p>Running kernels are in bold; the verdicts count them only. Open CVEs: a fix exists and this kernel does not run it; &#8211; where the machine's CVEs were not handed in.</p>
</body>
</html>
`;
}

function rowHtml(row: FleetRow): string {
  const kind = VERDICT_MARKS[row.verdict];
  const cves =
    row.openCves !== null && row.openCves.length > 0
      ? `<small>${row.openCves.map((cve) => `<span>${escaped(cve)}</span>`).join(', ')}</small>`
      : '';
  return `<tr class="${kind}"><td class="code machine">${escaped(row.name)}<small>${row.name === row.machine ? '' : `${escaped(row.machine)}<br>`}${escaped(row.time)}</small></td><td class="code kernel${row.running ? ' running' : ''}">${escaped(row.release)}</td><td class="verdict"><span class="mark">${MARKS[kind]}</span>${escaped(row.verdict)}<small>${escaped(row.text)}</small></td><td>${escaped(levelText(row.loaded))}</td><td>${escaped(levelText(row.installed))}</td><td>${escaped(levelText(row.available))}</td><td class="number">${cveCount(row)}${cves}</td></tr>`;
}

function problemsHtml(problems: Fleet['problems']): string {
  if (problems.length === 0) return '';
  const items = problems.map(({ file, text }) => `<li>${escaped(file)}: ${escaped(text)}</li>`);
  return `<h2>Left out</h2>\n<ul>${items.join('')}</ul>\n`;
}

// What a live patch fixes, as its changelog says it. Live patches are cumulative: a level fixes everything its changelog names.
// Source: the vendor's spec files: `- kernel: TEXT [BUG] {CVE-...}`; several CVEs in one pair of braces are read too.
import type { ChangelogEntry } from './facts.ts';

export interface Fix {
  /** The line without its dash, bug and CVE numbers. */
  readonly text: string;
  readonly cves: readonly string[];
  /** Numbers in square brackets: Bugzilla's (`2218332`) or Jira's (`RHEL-12345`). */
  readonly bugs: readonly string[];
}

const CVE = /\bCVE-\d{4}-\d{4,19}\b/g;
const BUG = /\[((?:[A-Z]{2,12}-)?\d{3,9})\]/g;
/** More lines than any changelog of a live patch has. */
const MAX_FIXES = 10_000;

/** Whether the fix of a line was taken back. */
const REVERTS = /^\s*-?\s*(?:kernel:\s*)?revert\b/i;

/** The lines that name a CVE or a bug, newest entry first. Lines that take a fix back are left out. */
export function changelogFixes(changelog: readonly ChangelogEntry[]): Fix[] {
  const found: Fix[] = [];
  for (const { text } of changelog) {
    for (const line of text.split('\n')) {
      const cves = [...new Set(line.match(CVE) ?? [])];
      const bugs = [...new Set([...line.matchAll(BUG)].map(([, bug]) => bug as string))];
      if (cves.length + bugs.length === 0 || REVERTS.test(line)) continue;
      if (found.length >= MAX_FIXES) return found;
      found.push({ text: bare(line), cves, bugs });
    }
  }
  return found;
}

function bare(line: string): string {
  const text = line
    .replace(/\{[^{}]*\}/g, '')
    .replace(BUG, '')
    .replace(/^\s*-\s*/, '');
  return text.replace(/\s+/g, ' ').trim();
}

/** Every CVE of the fixes once, in order of year and number. */
export function cvesOf(fixes: readonly Fix[]): string[] {
  const parts = (cve: string): [number, number] => {
    const [, year, number] = cve.split('-');
    return [Number(year), Number(number)];
  };
  return [...new Set(fixes.flatMap(({ cves }) => cves))].sort((a, b) => {
    const [one, two] = [parts(a), parts(b)];
    return one[0] - two[0] || one[1] - two[1];
  });
}

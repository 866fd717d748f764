// Advisories as `dnf updateinfo` sorts and counts them, for the packages of kernels and live patches.
// Source: dnf(8), Updateinfo Command: --available: newer than what is installed (the default); --installed: equal or older;
// --updates: newer than the newest installed version, and on offer; --all: every one of an installed package.
import type { Advisory, AdvisoryPackage } from '../domain/advisory.ts';
import { compareEvr } from '../domain/evr.ts';
import { formatNevra, type Nevra } from '../domain/nevra.ts';

export type Which = 'available' | 'installed' | 'updates' | 'all';

/** One line: an advisory and a package it lists. */
export interface AdvisoryLine {
  readonly advisory: Advisory;
  readonly package: AdvisoryPackage;
  /** True when this version or a newer one is installed. */
  readonly installed: boolean;
}

export interface Wanted {
  readonly which: Which;
  /** Ids, CVEs, package names or patterns; empty: all. */
  readonly specs: readonly ((line: AdvisoryLine) => boolean)[];
}

/** The lines in dnf's order: by package (as text), what is not installed first, date, id. Each advisory and package once. */
export function advisoryLines(
  advisories: readonly Advisory[],
  installed: readonly Nevra[],
  { which, specs }: Wanted,
): AdvisoryLine[] {
  const newest = newestOf(installed);
  const seen = new Set<string>();
  const lines: AdvisoryLine[] = [];
  for (const advisory of advisories) {
    for (const pkg of advisory.packages) {
      const have = newest.get(`${pkg.name}.${pkg.arch}`);
      if (!have) continue;
      const line = { advisory, package: pkg, installed: compareEvr(pkg, have) <= 0 };
      if (which === 'installed' && !line.installed) continue;
      if ((which === 'available' || which === 'updates') && line.installed) continue;
      if (specs.length > 0 && !specs.some((fits) => fits(line))) continue;
      const same = `${advisory.id} ${formatNevra(pkg)}`;
      if (seen.has(same)) continue;
      seen.add(same);
      lines.push(line);
    }
  }
  const key = ({ advisory, package: pkg, installed }: AdvisoryLine): string[] => [
    formatNevra(pkg),
    installed ? '1' : '0',
    advisory.updated ?? advisory.issued ?? '',
    advisory.id,
  ];
  return lines.sort((a, b) => {
    const [one, two] = [key(a), key(b)];
    for (const [n, text] of one.entries()) {
      const order = compare(text, two[n] as string);
      if (order !== 0) return order;
    }
    return 0;
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The newest installed version of each name and architecture: kernels are installed side by side. */
function newestOf(installed: readonly Nevra[]): Map<string, Nevra> {
  const newest = new Map<string, Nevra>();
  for (const pkg of installed) {
    const key = `${pkg.name}.${pkg.arch}`;
    const before = newest.get(key);
    if (!before || compareEvr(pkg, before) > 0) newest.set(key, pkg);
  }
  return newest;
}

/** dnf's word for an advisory in a list: `Important/Sec.`, `bugfix`, `newpackage`. */
export function labelOf({ type, severity }: Advisory): string {
  if (type !== 'security') return type;
  return `${severityOf(severity)}/Sec.`;
}

const SEVERITIES = ['Critical', 'Important', 'Moderate', 'Low'] as const;
export type Severity = (typeof SEVERITIES)[number] | 'Unknown';

/** The severity by its usual name, whatever the vendor's spelling: SUSE writes small letters, Oracle capitals, Amazon says medium. */
export function severityOf(text: string | null): Severity {
  const word = text?.toLowerCase();
  return word === 'medium' ? 'Moderate' : (SEVERITIES.find((one) => one.toLowerCase() === word) ?? 'Unknown');
}

export interface Summary {
  readonly security: Readonly<Record<Severity, number>>;
  readonly bugfix: number;
  readonly enhancement: number;
  readonly newpackage: number;
  readonly other: number;
}

/** How many advisories of each kind; an advisory of several packages counts once. */
export function summarize(lines: readonly AdvisoryLine[]): Summary {
  const advisories = [...new Map(lines.map(({ advisory }) => [advisory.id, advisory])).values()];
  const count = (fits: (advisory: Advisory) => boolean): number => advisories.filter(fits).length;
  const security = (severity: Severity): number =>
    count((one) => one.type === 'security' && severityOf(one.severity) === severity);
  return {
    security: {
      Critical: security('Critical'),
      Important: security('Important'),
      Moderate: security('Moderate'),
      Low: security('Low'),
      Unknown: security('Unknown'),
    },
    bugfix: count(({ type }) => type === 'bugfix'),
    enhancement: count(({ type }) => type === 'enhancement'),
    newpackage: count(({ type }) => type === 'newpackage'),
    other: count(({ type }) => type === 'unknown'),
  };
}

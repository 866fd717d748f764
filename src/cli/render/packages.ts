// Lists of live patches in dnf's form, and as JSON.

import type { Listed } from '../../decide/listing.ts';
import { candidatesFor, formatDependency } from '../../decide/match.ts';
import type { Provider } from '../../decide/provides.ts';
import type { Hits } from '../../decide/search.ts';
import { compareEvr, formatEvr } from '../../domain/evr.ts';
import { type InstalledPatch, supportOf } from '../../domain/livepatch.ts';
import { formatNevra } from '../../domain/nevra.ts';
import type { World } from '../../domain/world.ts';
import { clean, cleanDeep } from './clean.ts';
import { type ErrorJson, JSON_FORMAT } from './json.ts';
import { humanSize } from './size.ts';
import { paint, type Style } from './style.ts';
import { table } from './table.ts';
import { textWidth, wrap } from './width.ts';

const HEADINGS = {
  installed: 'Installed Packages',
  available: 'Available Packages',
  upgrade: 'Available Upgrades',
} as const;

/** Rows of `name.arch  level  repository`. On a pipe a row is one line, however long: grep and awk read it. */
export function listLines(found: readonly Listed[], style: Style, terminal: boolean): string[] {
  const rows = cleanDeep(found.map(cells)).map((row) => ({ cells: row }));
  const natural = [0, 1, 2].reduce(
    (sum, i) => sum + Math.max(0, ...rows.map((row) => textWidth(row.cells[i] ?? ''))),
    0,
  );
  const width = terminal ? style.width : Math.max(style.width, natural + 4);
  const columns = [{ head: '' }, { head: '' }, { head: '' }];
  const lines = table(columns, rows, { ...style, width: width + 1 }, { rules: false, spread: true });
  return lines.slice(1).map((line) => line.slice(1));
}

const cells = ({ nevra, repo }: Listed): string[] => [`${nevra.name}.${nevra.arch}`, formatEvr(nevra), repo];

/** The sections of `list`; ends with a line break unless empty. */
export function renderList(found: readonly Listed[], style: Style, terminal: boolean): string {
  return sections(found, (part) => listLines(part, style, terminal), style);
}

function sections(found: readonly Listed[], lines: (part: readonly Listed[]) => string[], style: Style): string {
  return (['installed', 'available', 'upgrade'] as const)
    .map((state) => ({ state, part: found.filter((one) => one.state === state) }))
    .filter(({ part }) => part.length > 0)
    .map(({ state, part }) => `${[paint(style, 'strong', HEADINGS[state]), ...lines(part)].join('\n')}\n`)
    .join('');
}

/** The blocks of `info`. `typed` gives a sentence with its command as it must be typed. */
export function renderInfo(
  found: readonly Listed[],
  world: World,
  style: Style,
  typed: (text: string) => string,
): string {
  return sections(found, (part) => part.flatMap((one) => [...block(one, world, style, typed), '']), style);
}

function block(foreign: Listed, world: World, style: Style, typed: (text: string) => string): string[] {
  const one = cleanDeep(foreign);
  const { cves, advisories } = cleanDeep(fixesOf(foreign, world));
  const { nevra, patch } = one;
  const state = stateText(foreign, world) ?? refusalText(foreign, world);
  const rows: [string, string | null][] = [
    ['Name', nevra.name],
    ['Epoch', nevra.epoch > 0 ? String(nevra.epoch) : null],
    ['Version', nevra.version],
    ['Release', nevra.release],
    ['Architecture', nevra.arch],
    ['Size', one.size === null ? null : humanSize(one.size)],
    ['Repository', patch ? '@System' : one.repo],
    ['From repo', patch && one.repo !== '@System' ? one.repo.slice(1) : null],
    ['Summary', one.summary],
    ['Kernel', kernelText(one, world)],
    ['Module', one.module ?? 'none: it only subscribes the kernel to the fixes to come'],
    ['File', patch?.file ? `/${patch.file}` : null],
    ['State', state === null ? null : typed(state)],
    ['Support', SUPPORT[isOwn(foreign) ? 'own' : (patch?.support ?? 'unknown')]],
    ['Advisories', advisories.join(', ') || null],
    ['Fixes', cves.join(', ') || null],
    ['Also fixes', fixedBelow(foreign, world).join(', ') || null],
  ];
  const label = 13;
  return rows.flatMap(([name, text]) => {
    if (text === null) return [];
    const [first = '', ...rest] = wrap(text, style.width - label - 2);
    return [`${name.padEnd(label)}: ${first}`, ...rest.map((line) => `${' '.repeat(label)}: ${line}`)];
  });
}

const SUPPORT: Record<InstalledPatch['support'], string | null> = {
  vendor: 'the vendor of its kernel: one key signed both',
  'third-party': 'another than the vendor of its kernel',
  own: "your own, not the vendor's",
  unknown: null,
};

/** Why a level on offer will not be taken for its kernel; null when nothing speaks against it, or its kernel is not here. */
function refusalText({ patch, offer, kernel }: Listed, world: World): string | null {
  const here = world.kernels.find(({ release }) => release === kernel);
  if (patch !== null || offer === null || here === undefined) return null;
  const refused = candidatesFor(here, world).rejected.find(({ nevra }) => nevra === formatNevra(offer));
  return refused ? `not usable here: ${clean(refused.because.text)}` : null;
}

/** Levels are cumulative: what advisories announced for lower levels of the same package. */
function fixedBelow(one: Listed, world: World): string[] {
  const { nevra } = one;
  const own = fixesOf(one, world).cves;
  const below = world.advisories.filter(({ packages }) =>
    packages.some((pkg) => pkg.name === nevra.name && pkg.arch === nevra.arch && compareEvr(pkg, nevra) < 0),
  );
  return cleanDeep([...new Set(below.flatMap(({ cves }) => cves))].filter((cve) => !own.includes(cve)).sort());
}

/** Whether it was made with `publish`, by its own word. */
function isOwn({ patch, offer }: Listed): boolean {
  return (patch ? patch.support : supportOf(offer?.provides ?? [])) === 'own';
}

function kernelText({ kernel }: Listed, world: World): string {
  if (kernel === null) return 'its dependencies do not say';
  const here = world.kernels.find(({ release }) => release === kernel);
  return `${kernel}${here === undefined ? ' (not installed)' : here.running ? ' (running)' : ''}`;
}

/** Whether an installed one is in the kernel. */
export function isLoaded({ patch, module }: Listed, world: World): boolean | null {
  if (patch === null || module === null || !world.live) return null;
  if (!world.kernels.some(({ running, release }) => running && release === patch.kernel)) return null;
  return world.loaded.some((one) => one.module === module && one.enabled);
}

function stateText(one: Listed, world: World): string | null {
  if (one.patch === null || one.module === null) return null;
  if (one.patch.file === null) return `its module file is gone; to mend it: kpatch-pm reinstall ${one.nevra.name}`;
  if (one.patch.changed) return `its module file was changed; to mend it: kpatch-pm reinstall ${one.nevra.name}`;
  const loaded = isLoaded(one, world);
  if (loaded === null) return 'installed for the next boot of its kernel';
  return loaded ? 'active in the running kernel' : 'not active; to load it: kpatch-pm install';
}

/** What the advisories say of exactly this level. */
export function fixesOf({ nevra }: Listed, world: World): { cves: string[]; advisories: string[] } {
  const wanted = formatNevra(nevra);
  const about = world.advisories.filter(({ packages }) => packages.some((pkg) => formatNevra(pkg) === wanted));
  return {
    cves: [...new Set(about.flatMap(({ cves }) => cves))].sort(),
    advisories: [...new Set(about.map(({ id }) => id))].sort(),
  };
}

/** The groups of `search`, headed as dnf heads them. */
export function renderSearch(hits: readonly Hits[], terms: readonly string[], style: Style): string {
  const lines = hits.flatMap(({ where, found }) => {
    const title = ` ${where} Matched: ${cleanDeep([...terms]).join(', ')} `;
    const room = Math.max(0, style.width - textWidth(title));
    const heading = `${'='.repeat(Math.floor(room / 2))}${title}${'='.repeat(Math.ceil(room / 2))}`;
    return [heading, ...cleanDeep(found.map(({ nevra, summary }) => `${nevra.name}.${nevra.arch} : ${summary ?? ''}`))];
  });
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** What provides something: as dnf shows it, one block a package. */
export function renderProviders(found: readonly Provider[]): string {
  return found
    .map(({ listed: { nevra, repo, summary }, provides, files }) =>
      cleanDeep([
        `${formatNevra(nevra)} : ${summary ?? ''}`,
        `Repo        : ${repo.startsWith('@') ? '@System' : repo}`,
        'Matched from:',
        ...provides.map((one) => `Provide    : ${formatDependency(one)}`),
        ...files.map((file) => `Filename    : ${file}`),
        '',
      ]).join('\n'),
    )
    .map((text) => `${text}\n`)
    .join('');
}

/** docs/schemas/packages.json */
export function packagesJson(found: readonly Listed[], world: World | null, error: ErrorJson | null = null): unknown {
  return {
    format: JSON_FORMAT,
    packages: found.map((one) => ({
      nevra: formatNevra(one.nevra),
      name: one.nevra.name,
      epoch: one.nevra.epoch,
      version: one.nevra.version,
      release: one.nevra.release,
      arch: one.nevra.arch,
      state: one.state,
      repo: one.repo,
      kernel: one.kernel,
      module: one.module,
      size: one.size,
      summary: one.summary,
      file: one.patch?.file ? `/${one.patch.file}` : (one.path ?? null),
      loaded: world === null ? null : isLoaded(one, world),
      ...(isOwn(one) ? { support: 'own' } : {}),
      ...(world === null ? { advisories: [], cves: [] } : fixesOf(one, world)),
    })),
    error,
  };
}

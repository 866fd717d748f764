// The first screen an administrator reads: settings, every kernel in one line, what to do next.

import type { GoneKernel } from '../../decide/gone.ts';
import { waitingText } from '../../decide/rollout.ts';
import { levelOfModule } from '../../decide/schemes/rhel.ts';
import type { KeptBack, KernelReport, Verdict } from '../../decide/verdict.ts';
import { compareEvr, type Evr } from '../../domain/evr.ts';
import type { InstalledPatch, LoadedPatch } from '../../domain/livepatch.ts';
import { formatNevra, type Nevra } from '../../domain/nevra.ts';
import type { RepositoryState, Settings } from '../../domain/world.ts';
import { cleanDeep } from './clean.ts';
import { settingLine, shortLevel } from './plan.ts';
import { humanAge } from './size.ts';
import { paint, type Style, type Tone } from './style.ts';
import { type Cells, type Column, naturalWidth, table } from './table.ts';
import { padEnd, wrap } from './width.ts';

export interface StatusView {
  readonly settings: Settings;
  readonly repositories: readonly RepositoryState[];
  readonly kernels: readonly KernelReport[];
  /** What `install` would take now. */
  readonly takes: readonly Nevra[];
  /** What is left of kernels that are not installed any more. */
  readonly gone?: readonly GoneKernel[];
  /** What else to do, besides what the kernels want. */
  readonly next?: readonly string[];
}

type Mark = 'done' | 'open' | 'waiting' | 'none' | 'unknown';

const MARKS: Record<Mark, { symbol: string; word: string; tone: Tone }> = {
  done: { symbol: '✓', word: 'ok', tone: 'good' },
  open: { symbol: '✗', word: 'NO', tone: 'bad' },
  waiting: { symbol: '⧗', word: 'wait', tone: 'wait' },
  none: { symbol: '-', word: '-', tone: 'plain' },
  unknown: { symbol: '?', word: '?', tone: 'wait' },
};

/** What a verdict means at a glance. A subscription without fixes, or no stream at all, is no protection and no mistake. */
export const VERDICT_MARKS: Record<Verdict, Mark> = {
  'transition-stalled': 'waiting',
  quarantined: 'open',
  'installed-not-loaded': 'open',
  'update-available': 'waiting',
  protected: 'done',
  'protected-stale': 'waiting',
  'patched-until-reboot': 'waiting',
  'ready-at-boot': 'done',
  'not-installed': 'open',
  'subscribed-no-fix': 'none',
  'no-patch-stream': 'none',
  unknown: 'unknown',
};

/** The whole screen; ends with a line break. The first lines keep the words other programs look for. */
export function renderStatus(foreign: StatusView, style: Style): string {
  const view = cleanDeep(foreign);
  const lines = [
    settingLine({ name: 'autoupdate', value: view.settings.autoupdate }),
    settingLine({ name: 'autofilter', value: view.settings.autofilter }),
  ];
  const takes = [...new Set(view.takes.map(formatNevra))];
  if (takes.length > 0) lines.push(`Available patches: ${takes.join(', ')}`);
  lines.push('', ...kernelLines(view.kernels, style), '', ...metadataLines(view.repositories, style));
  if (view.gone?.length) lines.push('', ...goneLines(view.gone, style));
  const next = [...new Set([...view.kernels.flatMap((kernel) => kernel.next), ...(view.next ?? [])])];
  if (next.length > 0) lines.push('', 'Next:', ...next.map((command) => `  ${paint(style, 'strong', command)}`));
  return `${lines.join('\n')}\n`;
}

const COLUMNS: readonly Column[] = [
  { head: 'Kernel' },
  { head: 'Verdict', toned: true },
  { head: 'Loaded' },
  { head: 'Inst.' },
  { head: 'Avail.' },
];

const FROM_COLUMN: Column = { head: 'From' };

/** Who stands behind what is installed, where that is known. */
const FROM: Record<InstalledPatch['support'], string> = {
  vendor: 'vendor',
  'third-party': 'other',
  own: 'own',
  unknown: '-',
};

function kernelLines(kernels: readonly KernelReport[], style: Style): string[] {
  if (kernels.length === 0) return ['No kernel is installed in this root.'];
  const indent = ' '.repeat(style.symbols ? 2 : 5);
  const columns = COLUMNS.map((column, i) => (i === 0 ? { ...column, head: `${indent}Kernel` } : column));
  const plain = kernels.map((kernel) => kernelRow(kernel, indent, style));
  // Where there is no room for it, the remarks below a kernel still name what is not its vendor's.
  const more = plain.map((row, n) => ({ ...row, cells: [...row.cells, from(kernels[n] as KernelReport)] }));
  const told = kernels.some(({ installed }) => installed.some(({ support }) => support !== 'unknown'));
  const shows = told && naturalWidth([...columns, FROM_COLUMN], more) <= style.width;
  if (shows) columns.push(FROM_COLUMN);
  const rows = shows ? more : plain;
  const lines = table(columns, rows, style, { rules: false, spread: false });
  return kernels.some((kernel) => kernel.running) ? [...lines, ` ${indent}(* running)`] : lines;
}

/** Of several installed modules every word once, the packages' first. */
function from({ installed }: KernelReport): string {
  const packaged = [...installed].sort((a, b) => Number(a.package === null) - Number(b.package === null));
  const words = new Set(packaged.map(({ support }) => FROM[support]).filter((word) => word !== '-'));
  return [...words].join('+') || '-';
}

function kernelRow(kernel: KernelReport, indent: string, style: Style): Cells {
  const { symbol, word, tone } = MARKS[VERDICT_MARKS[kernel.verdict]];
  const mark = padEnd(style.symbols ? symbol : word, indent.length);
  const offered = kernel.available ? shortLevel(kernel.available) : '-';
  const cells = [
    `${mark}${kernel.release}${kernel.running ? ' *' : ''}`,
    kernel.verdict,
    loadedLevel(kernel),
    newestInstalled(kernel),
    offered,
  ];
  const below = remarks(kernel).flatMap((text) => wrap(text, style.width - indent.length - 3));
  return { cells, tone, below: below.map((line) => ` ${indent}  ${line}`) };
}

/** Sentences under a kernel's line: why it is not simply fine, and what else was found. */
function remarks(kernel: KernelReport): string[] {
  const texts: string[] = [];
  if (VERDICT_MARKS[kernel.verdict] !== 'done') texts.push(kernel.because.text);
  if (kernel.held && kernel.held.text !== kernel.because.text) texts.push(`held: ${kernel.held.text}`);
  if (kernel.rollout) texts.push(waitingText(kernel.rollout), openMeanwhile(kernel.rollout));
  if (kernel.nextBoot && kernel.installed.some(({ file }) => file !== null)) {
    texts.push(`when it boots next: ${kernel.nextBoot.text}`);
  }
  return [
    ...texts,
    ...kernel.installed.flatMap(installedRemark),
    ...kernel.loaded.flatMap((p) => loadedRemark(kernel, p)),
  ];
}

/** Where there are many, the first; all stand in the JSON. */
const SHOWN = 6;

function openMeanwhile({ cves }: KeptBack): string {
  if (cves === null) return 'which CVEs stay open meanwhile is not known: the advisories were not read';
  if (cves.length === 0) return 'no advisory names a CVE that stays open meanwhile';
  const more = cves.length > SHOWN ? ` and ${cves.length - SHOWN} more` : '';
  return `open meanwhile: ${cves.slice(0, SHOWN).join(', ')}${more}`;
}

function installedRemark(patch: InstalledPatch): string[] {
  const file = patch.file === null ? null : `/${patch.file}`;
  if (patch.package === null) return [`${file ?? patch.module ?? 'a module'} belongs to no package and is left alone`];
  const name = formatNevra(patch.package);
  const texts: string[] = [];
  if (patch.support === 'own') texts.push(`${name} is your own, not the vendor's`);
  if (patch.support === 'third-party') texts.push(`${name} is a third party's, not the vendor's`);
  if (patch.changed && file !== null) texts.push(`${file} is not the file that was installed`);
  return texts;
}

function loadedRemark(kernel: KernelReport, patch: LoadedPatch): string[] {
  if (levelOfLoaded(kernel, patch) === null) return [`${patch.module} is loaded and of no known package`];
  if (!patch.enabled && !patch.transition) return [`${patch.module} is loaded but disabled`];
  return [];
}

/** Level of a loaded module among the packages known for its kernel; null when it belongs to none of them. */
function levelOfLoaded(kernel: KernelReport, loaded: LoadedPatch): Evr | null {
  const same = kernel.installed.find((patch) => patch.module === loaded.module && patch.package !== null);
  if (same?.package) return same.package;
  const names = [kernel.available?.name, ...kernel.installed.map((patch) => patch.package?.name)];
  for (const name of names) {
    const level = name === undefined ? null : levelOfModule(loaded.module, name);
    if (level) return level;
  }
  return null;
}

function highest(levels: readonly (Evr | null)[]): string {
  const known = levels.filter((level) => level !== null).sort((a, b) => compareEvr(b, a));
  return known[0] ? shortLevel(known[0]) : '-';
}

function loadedLevel(kernel: KernelReport): string {
  const active = kernel.loaded.filter((patch) => patch.enabled);
  const level = highest(active.map((patch) => levelOfLoaded(kernel, patch)));
  return level === '-' && active.length > 0 ? '?' : level;
}

function newestInstalled(kernel: KernelReport): string {
  return highest(kernel.installed.map((patch) => patch.package));
}

function goneLines(kernels: readonly GoneKernel[], style: Style): string[] {
  return [
    'Left of kernels that are not installed any more:',
    ...kernels.flatMap(({ release, installed }) => {
      const texts = installed.flatMap((patch) => (patch.package ? formatNevra(patch.package) : installedRemark(patch)));
      return [
        ` ${release}`,
        ...[...new Set(texts)].flatMap((text) => wrap(text, style.width - 5).map((l) => `     ${l}`)),
      ];
    }),
  ];
}

function metadataLines(repositories: readonly RepositoryState[], style: Style): string[] {
  if (repositories.length === 0) return ['Metadata: no repository is enabled.'];
  return repositories.flatMap((repo) => wrap(`Metadata of ${repo.id}: ${metadata(repo)}`, style.width, '  '));
}

function metadata({ ageSeconds, used, stale, problem }: RepositoryState): string {
  // `status` looks only into the cache; that nothing is there yet is no fault of the repository.
  if (problem?.code === 'cache-missing') return 'not in the cache';
  const age = ageSeconds === null ? 'none' : `checked ${humanAge(ageSeconds)} ago`;
  const old = used && stale ? ', past its expiry' : '';
  const trouble = problem === null ? '' : `. ${problem.text}`;
  return `${age}${old}${trouble}`;
}

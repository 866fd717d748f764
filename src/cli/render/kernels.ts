// Kernels and whether live patches exist for them: the decision behind the filter.
import { looksEmpty } from '../../decide/schemes/rhel.ts';
import type { StreamReport } from '../../decide/streams.ts';
import { formatNevra } from '../../domain/nevra.ts';
import type { RepositoryState, Settings } from '../../domain/world.ts';
import { cleanDeep } from './clean.ts';
import { JSON_FORMAT, repositoryJson } from './json.ts';
import { shortLevel } from './plan.ts';
import type { Style } from './style.ts';
import { type Column, type Row, table } from './table.ts';
import { wrap } from './width.ts';

const COLUMNS: readonly Column[] = [{ head: 'Kernel' }, { head: 'State' }, { head: 'Patches' }, { head: 'Repository' }];

export interface KernelsView {
  readonly settings: Settings;
  readonly repositories: readonly RepositoryState[];
  readonly streams: readonly StreamReport[];
  /** Only kernels with live patches were asked for. */
  readonly only: boolean;
  /** Why it is not known of every kernel whether it has live patches; null where it is. */
  readonly unseen: string | null;
}

export function stateOf(stream: StreamReport): string {
  if (stream.running) return 'running';
  return stream.installed ? 'installed' : 'available';
}

export function patchesOf(stream: StreamReport): string {
  if (stream.newest) return looksEmpty(stream.newest) ? 'no fixes' : shortLevel(stream.newest);
  if (stream.supported) return 'subscribed';
  return stream.known ? 'none' : 'unknown';
}

/** The whole screen; ends with a line break. */
export function renderKernels(foreign: KernelsView, style: Style): string {
  const view = cleanDeep(foreign);
  const which = `Which ${view.streams.length > 0 ? 'other ' : ''}kernels have live patches is not known`;
  const blind = unseenLines(view.unseen, view.only ? which : 'Unknown', style);
  if (view.streams.length === 0) return `${(blind.length > 0 ? blind : [emptyText(view)]).join('\n')}\n`;
  const rows: Row[] = view.streams.map((stream) => ({
    tone: stream.running ? 'strong' : 'plain',
    cells: [stream.release, stateOf(stream), patchesOf(stream), stream.offeredBy.join(', ') || '-'],
  }));
  const lines = table(COLUMNS, rows, style);
  if (blind.length > 0) lines.push('', ...blind);
  const hidden = view.streams.filter((stream) => stream.known && !stream.supported && !stream.installed).length;
  if (view.settings.autofilter && hidden > 0) {
    const what = hidden === 1 ? 'the kernel' : `the ${hidden} kernels`;
    lines.push('', `The filter is on: dnf does not offer ${what} without live patches.`);
  }
  return `${lines.join('\n')}\n`;
}

const emptyText = ({ only }: KernelsView): string =>
  only ? 'No kernel that is installed or on offer has live patches.' : 'No kernel is installed or on offer.';

/** Why something could not be known, behind `what` that is; no lines where everything is. */
export function unseenLines(unseen: string | null, what: string, style: Style): string[] {
  return unseen === null ? [] : wrap(`${what}: ${unseen}.`, style.width, '  ');
}

/** `kernels --json`: format, kernels (newest first), repositories, error. */
export function kernelsJson(view: KernelsView): unknown {
  return {
    format: JSON_FORMAT,
    settings: view.settings,
    kernels: view.streams.map(streamJson),
    repositories: view.repositories.map(repositoryJson),
    error: null,
  };
}

export function streamJson(stream: StreamReport): Record<string, unknown> {
  return {
    release: stream.release,
    installed: stream.installed,
    running: stream.running,
    offered_by: [...stream.offeredBy],
    supported: stream.supported,
    known: stream.known,
    newest: stream.newest ? formatNevra(stream.newest) : null,
    levels: stream.levels,
  };
}

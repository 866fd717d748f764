// Repositories, as dnf's repolist and repoinfo show them.
import type { RepositoryState } from '../../domain/world.ts';
import { shown } from '../../net/url.ts';
import { cleanDeep } from './clean.ts';
import { type ErrorJson, JSON_FORMAT } from './json.ts';
import { humanAge } from './size.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';

export interface RepositoryView {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly baseurl: readonly string[];
  readonly mirrorlist: string | null;
  readonly metalink: string | null;
  readonly priority: number;
  readonly cost: number;
  readonly gpgkey: readonly string[];
  /** Seconds. */
  readonly metadataExpire: number;
  readonly file: string;
  /** Null for a disabled one. */
  readonly state: RepositoryState | null;
  /** The address that answered; null when none did. */
  readonly inUse: string | null;
  readonly livePatches: number;
  /** Of these, hidden by exclude rules. */
  readonly hidden: number;
}

/** `repo id   repo name`, with the state where all are shown. */
export function renderRepolist(views: readonly RepositoryView[], all: boolean, style: Style): string {
  const columns = [{ head: 'repo id' }, { head: 'repo name' }, ...(all ? [{ head: 'status' }] : [])];
  const rows = cleanDeep([...views]).map(({ id, name, enabled }) => ({
    cells: [`${id}      `, name, ...(all ? [enabled ? 'enabled' : 'disabled'] : [])],
  }));
  const lines = table(columns, rows, { ...style, width: style.width + 1 }, { rules: false, spread: false });
  return `${lines.map((line) => line.slice(1).trimEnd()).join('\n')}\n`;
}

/** One block a repository. */
export function renderRepoinfo(views: readonly RepositoryView[]): string {
  const blocks = cleanDeep([...views]).map((one) => {
    const rows: [string, string | null][] = [
      ['Repo-id', one.id],
      ['Repo-name', one.name],
      ['Repo-status', one.enabled ? 'enabled' : 'disabled'],
      ['Repo-baseurl', one.inUse ?? (one.baseurl.map((url) => shown(url)).join(', ') || null)],
      ['Repo-mirrors', one.mirrorlist === null ? null : shown(one.mirrorlist)],
      ['Repo-metalink', one.metalink === null ? null : shown(one.metalink)],
      ['Repo-priority', one.priority === 99 ? null : String(one.priority)],
      ['Repo-cost', one.cost === 1000 ? null : String(one.cost)],
      ['Repo-gpgkey', one.gpgkey.map((url) => shown(url)).join(', ') || null],
      ['Repo-expire', expiry(one)],
      ['Live patches', one.enabled ? `${one.livePatches}${one.hidden > 0 ? ` (${one.hidden} hidden)` : ''}` : null],
      ['Repo-problem', one.state?.problem?.text ?? null],
      ['Repo-filename', one.file],
    ];
    return rows.flatMap(([name, text]) => (text === null ? [] : [`${name.padEnd(19)}: ${text}\n`])).join('');
  });
  return blocks.join('\n');
}

function expiry({ metadataExpire, state }: RepositoryView): string {
  const after = Number.isFinite(metadataExpire) ? `${metadataExpire} second(s)` : 'Never';
  if (state === null || state.ageSeconds === null) return after;
  return `${after} (last: ${humanAge(state.ageSeconds)} ago${state.stale ? ', past its expiry' : ''})`;
}

/** docs/schemas/repositories.json */
export function repositoriesJson(views: readonly RepositoryView[], error: ErrorJson | null = null): unknown {
  return {
    format: JSON_FORMAT,
    repositories: views.map((one) => ({
      id: one.id,
      name: one.name,
      enabled: one.enabled,
      baseurl: one.baseurl.map((url) => shown(url)),
      mirrorlist: one.mirrorlist === null ? null : shown(one.mirrorlist),
      metalink: one.metalink === null ? null : shown(one.metalink),
      in_use: one.inUse,
      priority: one.priority,
      cost: one.cost,
      gpgkey: one.gpgkey.map((url) => shown(url)),
      metadata_expire_s: Number.isFinite(one.metadataExpire) ? one.metadataExpire : null,
      file: one.file,
      fetched: one.state?.fetched ?? null,
      stale: one.state?.stale ?? null,
      problem: one.state?.problem ?? null,
      live_patches: one.livePatches,
      hidden: one.hidden,
    })),
    error,
  };
}

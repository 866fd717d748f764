// kernels --advise: which kernel to run.
import type { Advice, AdvisedStream } from '../../decide/advise.ts';
import type { RepositoryState, Settings } from '../../domain/world.ts';
import { cleanDeep } from './clean.ts';
import { JSON_FORMAT, repositoryJson } from './json.ts';
import { patchesOf, stateOf, streamJson, unseenLines } from './kernels.ts';
import { paint, type Style } from './style.ts';
import { type Column, type Row, table } from './table.ts';
import { wrap } from './width.ts';

export interface AdviceView extends Advice {
  readonly settings: Settings;
  readonly repositories: readonly RepositoryState[];
  /** What of the repositories could not be seen; null where all was. */
  readonly unseen: string | null;
}

const COLUMNS: readonly Column[] = [{ head: 'Kernel' }, { head: 'State' }, { head: 'Patches' }, { head: 'Last level' }];

function lastLevel({ ageDays }: AdvisedStream): string {
  if (ageDays === null) return '-';
  return ageDays === 1 ? '1 day ago' : `${ageDays} days ago`;
}

/** The whole screen; ends with a line break. */
export function renderAdvice(foreign: AdviceView, style: Style): string {
  const view = cleanDeep(foreign);
  const blind = unseenLines(view.unseen, 'Unknown', style);
  if (view.streams.length === 0)
    return `${(blind.length > 0 ? blind : ['No kernel is installed or on offer.']).join('\n')}\n`;
  const rows: Row[] = view.streams.map((stream) => ({
    tone: stream.running ? 'strong' : 'plain',
    cells: [stream.release, stateOf(stream), patchesOf(stream), lastLevel(stream)],
    below: stream.supported ? wrap(`its stream ${stream.end.text}`, style.width - 3).map((line) => `   ${line}`) : [],
  }));
  const update = wrap(`dnf update: ${view.update.text}.`, style.width, '  ');
  const lines = [...table(COLUMNS, rows, style), '', ...blind, ...update];
  if (view.next.length > 0) lines.push('', 'Next:', ...view.next.map((one) => `  ${paint(style, 'strong', one)}`));
  return `${lines.join('\n')}\n`;
}

/** `kernels --advise --json`: as `kernels --json`, and more. */
export function adviceJson(view: AdviceView): unknown {
  return {
    format: JSON_FORMAT,
    settings: view.settings,
    kernels: view.streams.map((stream) => ({
      ...streamJson(stream),
      last_level: stream.lastLevel,
      age_days: stream.ageDays,
      end: { ...stream.end },
    })),
    update: { ...view.update },
    next: [...view.next],
    repositories: view.repositories.map(repositoryJson),
    error: null,
  };
}

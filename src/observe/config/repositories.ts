// Finding repositories: dnf.conf, .repo files of reposdir, dnf5's overrides, --repofrompath. One draft for each id.
// Order and the first-wins rule for an id given twice: dnf(8); overrides: dnf5.conf(5), repos.override.d.
import path from 'node:path';
import type { Problem } from '../../domain/because.ts';
import type { IniSection } from '../../formats/ini/document.ts';
import type { Root } from '../../host/root.ts';
import { glob } from '../repo/filter.ts';
import { dropIns, faultsText, filesIn, type IniFile, readIniFile } from './files.ts';
import { parseRepoFromPath, repoIdOk } from './setopt.ts';
import { substitute } from './substitute.ts';
import type { Origin } from './types.ts';
import type { Place } from './variables.ts';
import { addSection, merged, put, type Remarks, type Settings } from './written.ts';

const OVERRIDES = ['etc/dnf/repos.override.d', 'usr/share/dnf5/repos.override.d'];

export interface Draft {
  readonly id: string;
  readonly settings: Settings;
  readonly origin: Origin;
  /** When the files that configure it were last changed, ms since 1970. */
  changed: number;
  problem: Problem | null;
  /** Given by --repofrompath: enabled whatever else is said. */
  readonly fromCommandLine: boolean;
}

export interface Sources {
  readonly root: Root;
  readonly dnfConf: IniFile | null;
  readonly reposdir: readonly Place[];
  readonly repofrompath: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** All repositories in dnf's order. Raises `setopt-invalid` for an impossible --repofrompath. */
export function findRepositories(sources: Sources, remarks: Remarks): Draft[] {
  const drafts = new Map<string, Draft>();
  if (sources.dnfConf !== null) addFile(drafts, sources.dnfConf, sources, remarks);
  for (const { root, path: file } of repoFiles(sources.reposdir, remarks)) {
    const found = readIniFile(root, file, remarks);
    if (found !== null) addFile(drafts, found, sources, remarks);
  }
  for (const file of dropIns(sources.root, OVERRIDES, '.repo', remarks)) {
    const found = readIniFile(sources.root, file, remarks, true);
    if (found !== null) override(drafts, found, sources, remarks);
  }
  for (const text of sources.repofrompath) addFromPath(drafts, text);
  return [...drafts.values()];
}

/** All .repo files, sorted by directory and name without its ending, as dnf sorts them. */
function repoFiles(places: readonly Place[], remarks: Remarks): Place[] {
  const key = ({ root, path: file }: Place): string[] => root.show(file).slice(0, -'.repo'.length).split('/');
  return places
    .flatMap(({ root, path: directory }) =>
      filesIn(root, directory, '.repo', remarks).map((file) => ({ root, path: file, key: [] as string[] })),
    )
    .map((place) => ({ ...place, key: key(place) }))
    .sort((a, b) => compareParts(a.key, b.key));
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let n = 0; n < Math.min(a.length, b.length); n++) {
    if (a[n] !== b[n]) return (a[n] as string) < (b[n] as string) ? -1 : 1;
  }
  return a.length - b.length;
}

function addFile(drafts: Map<string, Draft>, found: IniFile, sources: Sources, remarks: Remarks): void {
  const broken = found.document.faults.length > 0;
  const isRepoFile = found !== sources.dnfConf;
  if (broken && isRepoFile) {
    remarks.notices.push({
      code: 'config-broken',
      text: `${faultsText(found)}; its repositories are not used.`,
    });
  }
  for (const section of merged(found.document.sections)) {
    if (section.name === 'main' || section.name === '') continue;
    addSectionAsRepo(drafts, section, found, broken && isRepoFile, sources, remarks);
  }
}

function addSectionAsRepo(
  drafts: Map<string, Draft>,
  section: IniSection,
  found: IniFile,
  broken: boolean,
  sources: Sources,
  remarks: Remarks,
): void {
  const origin = { file: found.file, line: section.line };
  const id = substitute(section.name, sources.variables).text;
  const shown = id === section.name ? JSON.stringify(id) : `${JSON.stringify(id)} (written ${section.name})`;
  const skip = (why: string): void => {
    const text = `${found.file} line ${section.line}: the repository ${shown} ${why}; it is not used.`;
    remarks.notices.push({ code: 'repo-id', text });
  };
  if (!repoIdOk(id)) {
    skip('has an id that is not allowed');
    return;
  }
  const before = drafts.get(id);
  if (before !== undefined) {
    skip(`is already configured in ${before.origin.file} line ${before.origin.line}`);
    return;
  }
  const settings: Settings = new Map();
  const refused = addSection(settings, section, 'repo', found.file, remarks);
  const problem: Problem | null = broken
    ? { code: 'config-broken', text: `its file is broken: ${faultsText(found)}.` }
    : unsupported(refused);
  drafts.set(id, { id, settings, origin, changed: found.changed, problem, fromCommandLine: false });
}

/** What a repository under these options says; null where there are none. */
export function unsupported(refused: readonly string[]): Problem | null {
  if (refused.length === 0) return null;
  return {
    code: 'option-unsupported',
    text: `an option asks for more security than is supported: ${refused.join('; ')}.`,
  };
}

/** Overrides name a repository by id or glob; all that fit are changed. */
function override(drafts: Map<string, Draft>, found: IniFile, sources: Sources, remarks: Remarks): void {
  if (found.document.faults.length > 0) {
    remarks.notices.push({ code: 'config-broken', text: `${faultsText(found)}; the other lines count.` });
  }
  for (const section of merged(found.document.sections)) {
    if (section.name === 'main' || section.name === '') continue;
    const pattern = glob(substitute(section.name, sources.variables).text);
    const fitting = [...drafts.values()].filter(({ id }) => pattern(id));
    for (const draft of fitting) {
      draft.problem ??= unsupported(addSection(draft.settings, section, 'repo', found.file, remarks));
      draft.changed = Math.max(draft.changed, found.changed);
    }
    if (fitting.length === 0) {
      const text = `${found.file} line ${section.line}: no repository ${section.name} to override.`;
      remarks.details.push({ code: 'repo-unknown', text });
    }
  }
}

function addFromPath(drafts: Map<string, Draft>, text: string): void {
  const { id, url } = parseRepoFromPath(text);
  const origin = { file: `--repofrompath ${id}`, line: 0 };
  const settings: Settings = new Map();
  const absolute = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `file://${path.resolve(url)}`;
  put(settings, 'baseurl', { text: absolute, origin, from: 'host' });
  drafts.set(id, { id, settings, origin, changed: 0, problem: null, fromCommandLine: true });
}

// What was written for each option, in layers: low to high priority, with its place. Typing comes later (resolve.ts).
import type { Problem } from '../../domain/because.ts';
import { type IniSection, unquoted } from '../../formats/ini/document.ts';
import { NOT_HONOURED, type OptionKey, optionRow, PASSED_OVER } from './options.ts';
import type { Origin } from './types.ts';

export interface Written {
  readonly text: string;
  readonly origin: Origin;
  /** Paths in it count from: the root that is worked on, or the host (command line). */
  readonly from: 'root' | 'host';
}

/** All that was written for one section; the last one written counts (appending options: all of them). */
export type Settings = Map<OptionKey, Written[]>;

/** Where remarks go: `notices` are shown, `details` with -v only. */
export interface Remarks {
  readonly notices: Problem[];
  readonly details: Problem[];
}

/** The path and line of an origin as shown to people. */
export function where(origin: Origin): string {
  return origin.line > 0 ? `${origin.file} line ${origin.line}` : origin.file;
}

export function put(settings: Settings, key: OptionKey, written: Written): void {
  settings.set(key, [...(settings.get(key) ?? []), written]);
}

/** Words that make an unknown option look like one of security: it is then spoken of aloud. */
const SECURITY = /gpg|pgp|ssl|tls|verif|sign|cert|trust|checksum/i;

/**
 * Adds the entries of a section. An unknown option is a detail, or a notice where it looks like security.
 * Gives the options that tighten security and are not honoured, as sentences.
 */
export function addSection(
  settings: Settings,
  section: IniSection,
  scope: 'main' | 'repo',
  file: string,
  remarks: Remarks,
): string[] {
  const refused: string[] = [];
  // Within one file the last duplicate wins, also for appending options (libdnf keeps one value a key).
  const last = new Map(section.entries.map((entry) => [entry.key, entry]));
  for (const entry of last.values()) {
    const origin = { file, line: entry.line };
    const text = unquoted(entry.value);
    const why = NOT_HONOURED[entry.key];
    const row = optionRow(entry.key);
    if (why !== undefined) {
      if (!/^(?:0|no|false|off|)$/i.test(text)) refused.push(`${entry.key}=${text} (${where(origin)}): ${why}`);
    } else if (row !== null && (row.scope === 'both' || row.scope === scope)) {
      put(settings, row.key as OptionKey, { text, origin, from: 'root' });
    } else if (!PASSED_OVER.has(entry.key)) {
      const into = SECURITY.test(entry.key) ? remarks.notices : remarks.details;
      const what = row === null ? 'Unknown option' : `No option of ${scope === 'main' ? '[main]' : 'a repository'}:`;
      into.push({ code: 'config-option', text: `${what} ${entry.key} (${where(origin)}) is not used.` });
    }
  }
  return refused;
}

/** Sections of one name become one, as in dnf. */
export function merged(sections: readonly IniSection[]): IniSection[] {
  const byName = new Map<string, IniSection>();
  for (const section of sections) {
    const before = byName.get(section.name);
    if (before === undefined) byName.set(section.name, { ...section, entries: [...section.entries] });
    else for (const entry of section.entries) before.entries.push(entry);
  }
  return [...byName.values()];
}

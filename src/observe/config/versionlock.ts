// dnf's versionlock: versionlock.list of dnf4's plug-in, versionlock.toml of dnf5. They hold live patches too.
// Source: dnf-versionlock(8), dnf5-versionlock(8).
import type { Problem } from '../../domain/because.ts';
import { compareEvr, parseEvr } from '../../domain/evr.ts';
import type { Nevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import type { Root } from '../../host/root.ts';
import { compile, FORMS, glob } from '../repo/filter.ts';
import { readIniFile } from './files.ts';
import { parseTomlLocks } from './toml.ts';
import type { VersionCondition, VersionLock } from './types.ts';
import { readBool } from './values.ts';

const TOML = 'etc/dnf/versionlock.toml';

/** All rules of a root. Raises nothing: what cannot be read is named, with its line, in `notices`. */
export function readVersionLocks(root: Root, pluginconfpath: readonly string[], notices: Problem[]): VersionLock[] {
  const locks: VersionLock[] = [];
  const take = (path: string, parse: (text: string, file: string) => VersionLock[]): void => {
    try {
      const text = root.readText(path, 4 * 1024 * 1024);
      if (text !== null) for (const lock of parse(text, root.show(path))) locks.push(lock);
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      notices.push({ code: error.code, text: `versionlock is not read: ${error.reason}` });
    }
  };
  const list = locklist(root, pluginconfpath, notices);
  if (list !== null) take(list, parseList);
  take(TOML, (text, file) => {
    const { locks: found, faults } = parseTomlLocks(text, file);
    for (const fault of faults) {
      notices.push({
        code: 'versionlock-odd',
        text: `${file} line ${fault.line}: ${fault.text}; the rule is not used.`,
      });
    }
    return found;
  });
  return locks;
}

/** Where the list lies; null when the plug-in is switched off. */
function locklist(root: Root, pluginconfpath: readonly string[], notices: Problem[]): string | null {
  for (const directory of pluginconfpath) {
    const found = readIniFile(root, `${directory}/versionlock.conf`, { notices, details: [] }, true);
    if (found === null) continue;
    const entries = found.document.sections.filter(({ name }) => name === 'main').flatMap((section) => section.entries);
    const value = (key: string): string | undefined => entries.findLast((entry) => entry.key === key)?.value;
    if (readBool(value('enabled') ?? '1') === false) return null;
    const path = value('locklist');
    if (path !== undefined && path !== '') return path;
  }
  return `${pluginconfpath[0] ?? 'etc/dnf/plugins'}/versionlock.list`;
}

function parseList(text: string, file: string): VersionLock[] {
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') return [];
    const exclude = line.startsWith('!');
    const pattern = exclude ? line.slice(1).trim() : line;
    return [{ text: line, pattern, exclude, conditions: null, origin: { file, line: index + 1 } }];
  });
}

/**
 * Tells for each offered package which rule holds it back, or null: a `!` rule that fits it, or rules for its name of
 * which none fits it.
 */
export function heldBy(locks: readonly VersionLock[]): (nevra: Nevra) => VersionLock | null {
  const rules = locks.map((lock) => ({ lock, names: named(lock), fits: fitting(lock) }));
  return (nevra) => {
    const out = rules.find(({ lock, fits }) => lock.exclude && fits(nevra));
    if (out !== undefined) return out.lock;
    const about = rules.filter(({ lock, names }) => !lock.exclude && names(nevra.name));
    return about.some(({ fits }) => fits(nevra)) ? null : (about[0]?.lock ?? null);
  };
}

/** Whether a rule speaks of packages of this name. */
function named(lock: VersionLock): (name: string) => boolean {
  if (lock.conditions !== null) return glob(lock.pattern);
  const names = FORMS.flatMap((form) => form.exec(lock.pattern)?.groups?.name ?? []).map(glob);
  return (name) => names.some((fits) => fits(name));
}

function fitting(lock: VersionLock): (nevra: Nevra) => boolean {
  if (lock.conditions === null) return compile(lock.pattern);
  const name = glob(lock.pattern);
  const { conditions } = lock;
  return (nevra) => name(nevra.name) && conditions.every((condition) => holds(condition, nevra));
}

function holds({ key, comparator, value }: VersionCondition, nevra: Nevra): boolean {
  if (key === 'arch') {
    const equal = glob(value)(nevra.arch);
    return comparator === '=' ? equal : comparator === '!=' ? !equal : false;
  }
  const wanted = parseEvr(value);
  const order =
    key === 'epoch'
      ? Math.sign(nevra.epoch - Number(value))
      : compareEvr(wanted.release === '' ? { ...nevra, release: '' } : nevra, wanted);
  switch (comparator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

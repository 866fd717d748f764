// As much TOML as versionlock.toml holds: [[packages]] with a name and [[packages.conditions]] (or an inline array of them).
// Source: toml.io v1.0; dnf5-versionlock(8).
import type { VersionCondition, VersionLock } from './types.ts';

export interface TomlFault {
  readonly line: number;
  readonly text: string;
}

interface Rule {
  readonly line: number;
  name: string | null;
  readonly conditions: Record<string, string>[];
  fault: TomlFault | null;
}

const COMPARATORS = ['=', '!=', '<', '<=', '>', '>='];
const KEYS = ['epoch', 'evr', 'arch'];

/** The rules of the file; a rule that cannot be read is a fault and no rule. Raises nothing. */
export function parseTomlLocks(text: string, file: string): { locks: VersionLock[]; faults: TomlFault[] } {
  const rules: Rule[] = [];
  const faults: TomlFault[] = [];
  let into: 'none' | 'package' | 'condition' = 'none';
  const lines = text.split('\n');
  for (let n = 0; n < lines.length; n++) {
    const number = n + 1;
    let line = bare(lines[n] ?? '');
    if (line === '') continue;
    const table = /^\[\[\s*(packages(?:\s*\.\s*conditions)?)\s*\]\]$/.exec(line)?.[1];
    if (table === 'packages') {
      rules.push({ line: number, name: null, conditions: [], fault: null });
      into = 'package';
      continue;
    }
    if (table !== undefined) {
      rules.at(-1)?.conditions.push({});
      into = rules.length > 0 ? 'condition' : 'none';
      continue;
    }
    if (line.startsWith('[')) {
      into = 'none';
      continue;
    }
    // An inline array goes on until its bracket closes.
    if (/^conditions\s*=\s*\[/.test(line)) {
      const parts = [line];
      while (!parts.at(-1)?.endsWith(']') && n + 1 < lines.length) parts.push(bare(lines[++n] ?? ''));
      line = parts.join(' ').trim();
    }
    const rule = rules.at(-1);
    if (into === 'none' || rule === undefined) continue;
    if (!take(rule, into, line)) {
      const fault = { line: number, text: `not understood: ${line.slice(0, 80)}` };
      rule.fault ??= fault;
    }
  }
  const locks = rules.flatMap((rule) => lockOf(rule, file, faults) ?? []);
  return { locks, faults };
}

/** Without comment and blanks; a `#` inside quotes is none. */
function bare(line: string): string {
  return /^((?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*')*)/.exec(line)?.[1]?.trim() ?? '';
}

const PAIR = /^(?:"([^"]+)"|([\w-]+))\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\d+))\s*$/;

function pair(text: string): [string, string] | null {
  const match = PAIR.exec(text.trim());
  if (match === null) return null;
  const value = match[3] !== undefined ? match[3].replace(/\\(.)/g, '$1') : (match[4] ?? match[5] ?? '');
  return [match[1] ?? match[2] ?? '', value];
}

function take(rule: Rule, into: 'package' | 'condition', line: string): boolean {
  const inline = /^conditions\s*=\s*\[(.*)\]$/.exec(line)?.[1];
  if (into === 'package' && inline !== undefined) {
    const tables = inline.match(/\{[^{}]*\}/g) ?? [];
    return tables.every((table) => {
      const pairs = (table.slice(1, -1).match(/(?:[^,"']|"[^"]*"|'[^']*')+/g) ?? []).map(pair);
      if (pairs.includes(null)) return false;
      rule.conditions.push(Object.fromEntries(pairs as [string, string][]));
      return true;
    });
  }
  const found = pair(line);
  if (found === null) return !/^(?:"?name"?|"?conditions"?|"?key"?|"?comparator"?|"?value"?)\b/.test(line);
  const [key, value] = found;
  if (into === 'package') {
    if (key === 'name') rule.name = value;
  } else {
    const condition = rule.conditions.at(-1);
    if (condition !== undefined) condition[key] = value;
  }
  return true;
}

function lockOf(rule: Rule, file: string, faults: TomlFault[]): VersionLock | null {
  const fault = rule.fault ?? incomplete(rule);
  if (fault !== null || rule.name === null) {
    if (fault !== null) faults.push(fault);
    return null;
  }
  const conditions = rule.conditions as unknown as VersionCondition[];
  const text = `${rule.name} ${conditions.map(({ key, comparator, value }) => `${key} ${comparator} ${value}`).join(' and ')}`;
  return { text, pattern: rule.name, exclude: false, conditions, origin: { file, line: rule.line } };
}

function incomplete({ line, name, conditions }: Rule): TomlFault | null {
  if (name === null || name === '') return { line, text: 'a package without a name' };
  if (conditions.length === 0) return { line, text: `${name} has no conditions` };
  const odd = conditions.find(
    ({ key, comparator, value }) =>
      !KEYS.includes(key ?? '') || !COMPARATORS.includes(comparator ?? '') || value === undefined || value === '',
  );
  return odd === undefined ? null : { line, text: `${name} has a condition that is not one` };
}

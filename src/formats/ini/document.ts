// INI as dnf reads it (observed with libdnf's ConfigParser; the oracle test keeps it so): `=` only, no inline comments,
// continuation lines are indented, last duplicate wins, keys are case-sensitive, equal sections are one.
// The parser never gives up: what a strict reader would refuse is a fault with its line, and the caller decides.

export type IniFaultKind =
  | 'missing-section'
  | 'missing-bracket'
  | 'empty-section'
  | 'text-after-section'
  | 'missing-equal'
  | 'missing-key'
  | 'illegal-continuation';

export interface IniFault {
  readonly kind: IniFaultKind;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

export interface IniEntry {
  /** As written, without surrounding blanks. */
  readonly key: string;
  /** Continuation lines joined by newlines, each without surrounding blanks; not unquoted. */
  readonly value: string;
  /** First and last line, from 1. */
  readonly line: number;
  readonly lastLine: number;
}

export interface IniSection {
  /** As written between the brackets; '' for entries before the first section (a fault). */
  readonly name: string;
  /** Line of the header; 0 for the nameless one. */
  readonly line: number;
  readonly entries: IniEntry[];
}

export interface IniDocument {
  /** In order, as written: a name may come twice. */
  readonly sections: IniSection[];
  readonly faults: IniFault[];
}

const FAULTS: Record<IniFaultKind, string> = {
  'missing-section': 'an option stands before the first [section]',
  'missing-bracket': "a section header has no ']'",
  'empty-section': 'a section header has no name',
  'text-after-section': "there is text after a section's ']'",
  'missing-equal': "the line has no '='",
  'missing-key': "there is nothing before the '='",
  'illegal-continuation': 'an indented line continues nothing',
};

export interface IniStyle {
  /** Also takes `key : value` and indented options, as faults that keep their value. */
  readonly lenient?: boolean;
}

/** Lines without their ends; a final newline makes no further line. */
export function iniLines(text: string): string[] {
  const lines = text.replace(/^(?:\uFEFF|\xEF\xBB\xBF)/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.replace(/\r$/, ''));
}

type Blame = (kind: IniFaultKind) => void;

interface State {
  readonly sections: IniSection[];
  readonly faults: IniFault[];
  /** The entry that an indented line would continue. */
  open: { entry: IniEntry; into: IniSection } | null;
}

/** Parses a whole file. Takes its text; gives sections, entries with lines, and faults. Raises nothing. */
export function parseIni(text: string, style: IniStyle = {}): IniDocument {
  const state: State = { sections: [], faults: [], open: null };
  iniLines(text).forEach((raw, index) => {
    line(state, raw, index + 1, style);
  });
  return { sections: state.sections, faults: state.faults };
}

function line(state: State, raw: string, number: number, style: IniStyle): void {
  const trimmed = raw.trim();
  const fault: Blame = (kind) => {
    state.faults.push({ kind, line: number, text: FAULTS[kind] });
  };
  if (raw.startsWith('#') || raw.startsWith(';')) {
    state.open = null;
    return;
  }
  if (trimmed === '') {
    // An empty line ends a value; one of blanks only continues it (and adds nothing but a line break).
    if (raw === '') state.open = null;
    else if (state.open !== null) prolong(state, '', number);
    return;
  }
  if (trimmed.startsWith('[')) {
    section(state, trimmed, number, fault);
    return;
  }
  if (/^[ \t]/.test(raw)) {
    const looksLikeEntry = style.lenient === true && /^[\w.-]+\s*[=:]/.test(trimmed);
    if (state.open !== null && !looksLikeEntry) {
      prolong(state, trimmed, number);
      return;
    }
    if (style.lenient === true && /^[#;]/.test(trimmed)) return;
    fault(state.sections.length === 0 ? 'missing-section' : 'illegal-continuation');
    if (!looksLikeEntry) return;
  }
  option(state, trimmed, number, style, fault);
}

function section(state: State, trimmed: string, number: number, fault: Blame): void {
  state.open = null;
  // The last bracket ends the name, so that globs with ranges can be names: [rhel-[89]-*].
  const end = trimmed.lastIndexOf(']');
  if (end < 0) {
    fault('missing-bracket');
    return;
  }
  const name = trimmed.slice(1, end);
  if (name === '') {
    fault('empty-section');
    return;
  }
  if (closesUnopened(name)) {
    fault('text-after-section');
    return;
  }
  state.sections.push({ name, line: number, entries: [] });
}

/** Whether a bracket closes that no bracket opened (as in `[a] b]`). */
function closesUnopened(name: string): boolean {
  let open = false;
  for (const char of name) {
    if (char === ']' && !open) return true;
    if (char === '[' || char === ']') open = char === '[';
  }
  return false;
}

function option(state: State, trimmed: string, number: number, style: IniStyle, fault: Blame): void {
  let at = trimmed.indexOf('=');
  const colon = trimmed.indexOf(':');
  if (style.lenient === true && colon >= 0 && (at < 0 || colon < at)) {
    fault('missing-equal');
    at = colon;
  } else if (at < 0) {
    state.open = null;
    fault('missing-equal');
    return;
  }
  if (at === 0) {
    state.open = null;
    fault('missing-key');
    return;
  }
  if (state.sections.length === 0) {
    fault('missing-section');
    state.sections.push({ name: '', line: 0, entries: [] });
  }
  const into = state.sections.at(-1) as IniSection;
  const entry: IniEntry = {
    key: trimmed.slice(0, at).trim(),
    value: trimmed.slice(at + 1).trim(),
    line: number,
    lastLine: number,
  };
  into.entries.push(entry);
  state.open = { entry, into };
}

function prolong(state: State, more: string, number: number): void {
  if (state.open === null) return;
  const { entry, into } = state.open;
  const longer: IniEntry = { ...entry, value: `${entry.value}\n${more}`, lastLine: number };
  into.entries[into.entries.length - 1] = longer;
  state.open = { entry: longer, into };
}

/** A value as dnf takes it: surrounding blanks go, then one pair of equal quotes. */
export function unquoted(value: string): string {
  const text = value.trim();
  const quote = text[0];
  if (text.length >= 2 && (quote === '"' || quote === "'") && text.at(-1) === quote) return text.slice(1, -1);
  return text;
}

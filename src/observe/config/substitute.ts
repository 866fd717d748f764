// $name, ${name}, ${name:-word} and ${name:+word} in option values. Source: dnf.conf(5) VARIABLES, dnf5.conf(5).
// An unknown variable stays as it is written, as in dnf; the caller says so.

const MAX_DEPTH = 32;
const MAX_LENGTH = 64 * 1024;
const MAX_STEPS = 1024 * 1024;

export interface Substituted {
  readonly text: string;
  /** Names that are not set. */
  readonly unknown: readonly string[];
  /** Nested too deep or grown too long: the text is not usable. */
  readonly overflow: boolean;
}

interface Work {
  readonly variables: Readonly<Record<string, string>>;
  unknown: Set<string>;
  written: number;
  /** Characters looked at: unclosed braces are scanned again and again. */
  steps: number;
  overflow: boolean;
}

/** Substitutes variables. Values are not expanded again. Raises nothing. */
export function substitute(text: string, variables: Readonly<Record<string, string>>): Substituted {
  const work: Work = { variables, unknown: new Set(), written: 0, steps: 0, overflow: false };
  const { out } = expand(text, 0, 0, work);
  return { text: out, unknown: [...work.unknown], overflow: work.overflow };
}

function lookup(name: string, work: Work): string | null {
  return Object.hasOwn(work.variables, name) ? (work.variables[name] ?? null) : null;
}

/** Expands from `at`; below the top it ends at the closing brace, whose place is given back. */
function expand(text: string, at: number, depth: number, work: Work): { out: string; end: number } {
  let out = '';
  let n = at;
  if (depth > MAX_DEPTH) work.overflow = true;
  while (n < text.length && !work.overflow) {
    const char = text[n] as string;
    if (++work.steps > MAX_STEPS) work.overflow = true;
    if (char === '}' && depth > 0) break;
    if (char === '\\' && '$}\\'.includes(text[n + 1] ?? ' ')) {
      // A backslash keeps `$`, `}` and itself.
      out += text[n + 1];
      n += 2;
      continue;
    }
    if (char !== '$') {
      out += char;
      n++;
      continue;
    }
    const piece = text[n + 1] === '{' ? braced(text, n, depth, work) : plain(text, n, work);
    out += piece.out;
    n = piece.end;
    work.written += piece.out.length;
    if (work.written > MAX_LENGTH) work.overflow = true;
  }
  return { out, end: n };
}

function plain(text: string, at: number, work: Work): { out: string; end: number } {
  const name = /^\w+/.exec(text.slice(at + 1, at + 257))?.[0] ?? '';
  const end = at + 1 + name.length;
  const value = lookup(name, work);
  if (value !== null) return { out: value, end };
  if (name !== '') work.unknown.add(name);
  return { out: text.slice(at, end), end };
}

function braced(text: string, at: number, depth: number, work: Work): { out: string; end: number } {
  const match = /^\$\{(\w+)(:[-+])?/.exec(text.slice(at, at + 260));
  if (match === null) return { out: '$', end: at + 1 };
  const [head, name = '', operator] = match;
  const value = lookup(name, work);
  const from = at + head.length;
  if (operator === undefined) {
    if (text[from] !== '}') return { out: '$', end: at + 1 };
    if (value !== null) return { out: value, end: from + 1 };
    work.unknown.add(name);
    return { out: text.slice(at, from + 1), end: from + 1 };
  }
  // The word is expanded in any case, to find its end; what it misses counts only where it is used.
  const outside = work.unknown;
  work.unknown = new Set();
  const word = expand(text, from, depth + 1, work);
  const missed = work.unknown;
  work.unknown = outside;
  if (text[word.end] !== '}') return { out: '$', end: at + 1 };
  const isSet = value !== null && value !== '';
  const useWord = operator === ':-' ? !isSet : isSet;
  if (useWord) for (const missing of missed) work.unknown.add(missing);
  return { out: useWord ? word.out : operator === ':-' ? (value ?? '') : '', end: word.end + 1 };
}

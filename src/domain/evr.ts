// Epoch, version, release and rpm's order of them.
// Source of the rule: rpm-version(7) and rpm's own test table (rpmvercmp).

export interface Evr {
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
}

export type Order = -1 | 0 | 1;

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isAlpha = (c: number): boolean => (c >= 65 && c <= 90) || (c >= 97 && c <= 122);
const TILDE = 126;
const CARET = 94;

const sign = (n: number): Order => (n < 0 ? -1 : n > 0 ? 1 : 0);

/** Where the run of digits (or letters) that starts at `from` ends. */
function runEnd(text: string, from: number, digits: boolean): number {
  const same = digits ? isDigit : isAlpha;
  let at = from;
  while (at < text.length && same(text.charCodeAt(at))) at++;
  return at;
}

/** The first position at or after `from` that counts: a digit, a letter, `~` or `^`. Everything else only separates. */
function skipSeparators(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (isDigit(c) || isAlpha(c) || c === TILDE || c === CARET) break;
    at++;
  }
  return at;
}

/** Orders two runs of decimal digits of any length, leading zeros ignored. */
function compareNumbers(a: string, b: string): Order {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  if (left.length !== right.length) return sign(left.length - right.length);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Compares two version or two release strings as rpm does: -1, 0 or 1. */
export function rpmvercmp(a: string, b: string): Order {
  if (a === b) return 0;
  let i = 0;
  let j = 0;
  for (;;) {
    i = skipSeparators(a, i);
    j = skipSeparators(b, j);
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(j);
    // "~" sorts before everything, even before the end of the string.
    if (left === TILDE || right === TILDE) {
      if (left !== TILDE) return 1;
      if (right !== TILDE) return -1;
      i++;
      j++;
      continue;
    }
    // "^" sorts after the end of the string, but before any further segment.
    if (left === CARET || right === CARET) {
      if (i >= a.length) return -1;
      if (j >= b.length) return 1;
      if (left !== CARET) return 1;
      if (right !== CARET) return -1;
      i++;
      j++;
      continue;
    }
    if (i >= a.length || j >= b.length) break;
    const digits = isDigit(left);
    const endA = runEnd(a, i, digits);
    const endB = runEnd(b, j, digits);
    // The kinds differ: a number is newer than letters.
    if (endB === j) return digits ? 1 : -1;
    const one = a.slice(i, endA);
    const two = b.slice(j, endB);
    const order = digits ? compareNumbers(one, two) : one < two ? -1 : one > two ? 1 : 0;
    if (order !== 0) return order;
    i = endA;
    j = endB;
  }
  if (i >= a.length && j >= b.length) return 0;
  return i < a.length ? 1 : -1;
}

/** rpm's order of two EVRs: epoch, then version, then release. */
export function compareEvr(a: Evr, b: Evr): Order {
  if (a.epoch !== b.epoch) return sign(a.epoch - b.epoch);
  return rpmvercmp(a.version, b.version) || rpmvercmp(a.release, b.release);
}

/**
 * Reads `[epoch:]version[-release]`, as in a dependency. A missing release is the empty string.
 * An epoch that is no number counts as 0, as rpm has it.
 */
export function parseEvr(text: string): Evr {
  const colon = text.indexOf(':');
  const digits = colon > 0 ? text.slice(0, colon) : '';
  const epoch = /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
  const rest = colon >= 0 ? text.slice(colon + 1) : text;
  const dash = rest.lastIndexOf('-');
  if (dash < 0) return { epoch, version: rest, release: '' };
  return { epoch, version: rest.slice(0, dash), release: rest.slice(dash + 1) };
}

/** `[epoch:]version-release`; the epoch only when above 0, the release only when there is one. */
export function formatEvr(evr: Evr): string {
  const epoch = evr.epoch > 0 ? `${evr.epoch}:` : '';
  return `${epoch}${evr.version}${evr.release === '' ? '' : `-${evr.release}`}`;
}

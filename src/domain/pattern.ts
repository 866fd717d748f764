// Patterns of packages as dnf matches them: each is read in every form a package can be named in (name, name.arch,
// name-version, name-version-release, NEVRA; dnf(8), SPECIFYING PACKAGES), each part a glob (fnmatch(3)).
import type { Nevra } from './nevra.ts';

/** Groups: name, epoch, version, release, arch. From the most to the least specific, as hawkey orders them. */
export const FORMS: readonly RegExp[] = [
  /^(?<name>.+)-(?:(?<epoch>[0-9*?[\]-]+):)?(?<version>[^-:]+)-(?<release>[^-:]+)\.(?<arch>[^-:.]+)$/,
  /^(?<name>[^:]+)\.(?<arch>[^-:.]+)$/,
  /^(?<name>[^:]+)$/,
  /^(?<name>.+)-(?:(?<epoch>[0-9*?[\]-]+):)?(?<version>[^-:]+)-(?<release>[^-:]+)$/,
  /^(?<name>.+)-(?:(?<epoch>[0-9*?[\]-]+):)?(?<version>[^-:]+)$/,
];

const PARTS = ['name', 'epoch', 'version', 'release', 'arch'] as const;
export type Matcher = (nevra: Nevra) => boolean;

/** One place of a glob: any run of characters, or a test of one character. */
type Place = '*' | ((char: string) => boolean);

/** A glob as a test of a whole text: `*`, `?`, `[abc]`, `[!a-c]`; a slash is nothing special. Source: fnmatch(3). */
export function glob(pattern: string): (text: string) => boolean {
  if (!/[*?[\\]/.test(pattern)) return (text) => text === pattern;
  const places: Place[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const c = pattern[at] as string;
    const close = c === '[' ? pattern.indexOf(']', at + (/[!^]/.test(pattern[at + 1] ?? '') ? 3 : 2)) : -1;
    if (c === '*') {
      if (places.at(-1) !== '*') places.push('*');
    } else if (c === '?') places.push(() => true);
    else if (close >= 0) {
      places.push(oneOf(pattern.slice(at + 1, close)));
      at = close;
    } else {
      const literal = c === '\\' && at + 1 < pattern.length ? pattern[++at] : c;
      places.push((char) => char === literal);
    }
  }
  return (text) => fits(places, text);
}

/** The inside of `[...]` as a test. A range such as z-a matches nothing. */
function oneOf(inside: string): (char: string) => boolean {
  const negated = /^[!^]/.test(inside);
  const set = (negated ? inside.slice(1) : inside).replace(/[\\\]^[]/g, '\\$&');
  try {
    const expression = new RegExp(`^[${negated ? '^' : ''}${set}]$`, 's');
    return (char) => expression.test(char);
  } catch {
    return () => false;
  }
}

/** Only the last `*` is ever tried again: names are a stranger's, and on some of them a regular expression never ends. */
function fits(places: readonly Place[], text: string): boolean {
  let next = 0;
  let star = -1;
  let retry = 0;
  for (let at = 0; at < text.length; ) {
    const place = places[next];
    if (place === '*') {
      star = next++;
      retry = at;
    } else if (place?.(text[at] as string)) {
      next++;
      at++;
    } else if (star < 0) return false;
    else {
      next = star + 1;
      at = ++retry;
    }
  }
  return places.slice(next).every((one) => one === '*');
}

/** A package pattern as a test of packages. */
export function compile(pattern: string): Matcher {
  const forms: Matcher[] = [];
  for (const form of FORMS) {
    const groups = form.exec(pattern)?.groups;
    if (!groups) continue;
    const tests = PARTS.flatMap((part) => {
      const text = groups[part];
      if (text === undefined) return [];
      const test = glob(text);
      return [(nevra: Nevra): boolean => test(String(nevra[part]))];
    });
    forms.push((nevra) => tests.every((test) => test(nevra)));
  }
  // Last, hawkey matches the pattern against the whole NEVRA as one text, with and without the epoch.
  const whole = glob(pattern);
  forms.push(({ name, epoch, version, release, arch }) => {
    const evra = `${version}-${release}.${arch}`;
    return whole(`${name}-${epoch}:${evra}`) || (epoch === 0 && whole(`${name}-${evra}`));
  });
  return (nevra) => forms.some((matches) => matches(nevra));
}

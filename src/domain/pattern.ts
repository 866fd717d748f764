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

/** A glob as a test of a whole text: `*`, `?`, `[abc]`, `[!a-c]`; a slash is nothing special. Source: fnmatch(3). */
export function glob(pattern: string): (text: string) => boolean {
  if (!/[*?[\\]/.test(pattern)) return (text) => text === pattern;
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const c = pattern[at] as string;
    if (c === '*') {
      if (!source.endsWith('.*')) source += '.*';
    } else if (c === '?') source += '.';
    else if (c === '[') {
      const close = pattern.indexOf(']', at + (pattern[at + 1] === '!' || pattern[at + 1] === '^' ? 3 : 2));
      if (close < 0) source += '\\[';
      else {
        const inside = pattern.slice(at + 1, close);
        const negated = /^[!^]/.test(inside);
        source += `[${negated ? '^' : ''}${(negated ? inside.slice(1) : inside).replace(/[\\\]^[]/g, '\\$&')}]`;
        at = close;
      }
    } else if (c === '\\' && at + 1 < pattern.length) source += literal(pattern[++at] as string);
    else source += literal(c);
  }
  let expression: RegExp;
  try {
    expression = new RegExp(`^${source}$`, 's');
  } catch {
    // A range such as [z-a]: fnmatch matches nothing.
    return () => false;
  }
  return (text) => expression.test(text);
}

const literal = (c: string): string => c.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

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

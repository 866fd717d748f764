// What an administrator types to name live patches, understood: a requirement, a pattern, a CVE, an advisory, a file.
// Quotes that a web page or a shell left in place do not matter. Source of the forms: dnf(8), SPECIFYING PACKAGES; the
// vendor's chapter on live patching (`"kpatch-patch = $(uname -r)"`); `kpatch list` for module names.
import { meets } from '../domain/dependency.ts';
import { parseEvr } from '../domain/evr.ts';
import type { Nevra } from '../domain/nevra.ts';
import type { Comparison, Dependency } from '../domain/package.ts';
import { compile, glob } from '../domain/pattern.ts';
import { isLivePatchName, moduleName } from './schemes/rhel.ts';

/** What advisories are picked by: a CVE, their id, a bug of the vendor's tracker, their type, their severity. */
export type FixKind = 'cve' | 'advisory' | 'bug' | 'type' | 'severity';

/** Whether a spec picks advisories. With `filter` it came from an option, and narrows what the words name. */
export function isFix(spec: Spec): spec is Spec & { readonly kind: FixKind } {
  return (['cve', 'advisory', 'bug', 'type', 'severity'] as readonly string[]).includes(spec.kind);
}

/** An option of that sort: it narrows, and where nothing else is named it says what is meant. */
export const isFilter = (spec: Spec): boolean => isFix(spec) && spec.filter === true;

/** How a spec names packages; `text` is what was typed, tidied. */
export type Spec =
  | { readonly kind: 'requirement'; readonly text: string; readonly dependency: Dependency }
  | { readonly kind: 'pattern'; readonly text: string }
  | { readonly kind: FixKind; readonly text: string; readonly filter?: true }
  /** A package file or URL, or a module file. */
  | { readonly kind: 'file'; readonly text: string };

const OPERATORS: Readonly<Record<string, Comparison>> = {
  '=': 'EQ',
  '==': 'EQ',
  '<': 'LT',
  '<=': 'LE',
  '>': 'GT',
  '>=': 'GE',
};
/** Straight and typographic quotation marks, and the backtick that is no command any more. */
const QUOTES = /["'`\u00b4\u2018-\u201f\u2039\u203a\u00ab\u00bb\u2032\u2033]/g;
/** Spaces and dashes of typesetting. */
const SPACES = /[\s\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff]+/g;
const DASHES = /[\u2010-\u2015\u2212]/g;
/** The command that names the running kernel, when quotes kept the shell from running it. */
const UNAME = /\$\(\s*uname\s+-r\s*\)|`\s*uname\s+-r\s*`|\$\{?kernel_?release\}?/gi;

/** Without quotes and typesetting; `$(uname -r)` that no shell replaced becomes the running kernel's release. */
function tidy(word: string, running: string | null): string {
  return word
    .replace(UNAME, running ?? '$&')
    .replace(QUOTES, '')
    .replace(DASHES, '-')
    .replace(SPACES, ' ')
    .trim();
}

/**
 * Reads the words behind a verb. `NAME = VERSION` may be one word or three (a shell splits at spaces within typographic
 * quotes). `running` is the running kernel's release, null where there is none.
 */
export function parseSpecs(words: readonly string[], running: string | null): Spec[] {
  const tidied = words.map((word) => tidy(word, running)).filter((word) => word !== '');
  const specs: Spec[] = [];
  for (let at = 0; at < tidied.length; at++) {
    const word = tidied[at] as string;
    const [next, after] = [tidied[at + 1], tidied[at + 2]];
    if (isOperator(next) && after !== undefined) {
      specs.push(parseSpec(`${word} ${next} ${after}`));
      at += 2;
    } else if (/[<>=]$/.test(word) && next !== undefined) {
      specs.push(parseSpec(`${word} ${next}`));
      at += 1;
    } else if (next !== undefined && /^[<>=]+[^<>=]/.test(next)) {
      specs.push(parseSpec(`${word} ${next}`));
      at += 1;
    } else {
      specs.push(parseSpec(word));
    }
  }
  return specs;
}

const isOperator = (word: string | undefined): boolean => word !== undefined && word in OPERATORS;

const REQUIREMENT = /^(?<name>[^\s<>=]+)\s*(?<operator>[<>]=?|==?)\s*(?<evr>[^\s<>=]+)$/;

/** Reads one spec without quotes. */
export function parseSpec(text: string): Spec {
  const groups = REQUIREMENT.exec(text)?.groups;
  const flags = OPERATORS[groups?.operator ?? ''];
  if (groups && flags) {
    const dependency = { name: groups.name as string, flags, evr: (groups.evr as string).replace(/^0:/, '') };
    const sign = groups.operator === '==' ? '=' : (groups.operator as string);
    return { kind: 'requirement', text: `${dependency.name} ${sign} ${dependency.evr}`, dependency };
  }
  if (/^CVE-\d{4}-\d{4,}$/i.test(text)) return { kind: 'cve', text: text.toUpperCase() };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /\.(rpm|ko)$/.test(text)) return { kind: 'file', text };
  return { kind: 'pattern', text };
}

/** A package, installed or on offer, as specs look at it. Of an installed one Provides may not be known. */
export interface Named extends Nevra {
  readonly provides: readonly Dependency[];
  /** Its modules as sysfs names them; null: named by the scheme. */
  readonly modules?: readonly string[] | null;
}

/** Whether a requirement is met by what a package is or provides. */
function meetsRequirement(pkg: Named, wanted: Dependency): boolean {
  if (pkg.name === wanted.name && meets(pkg, wanted)) return true;
  return pkg.provides.some((one) => {
    if (one.name !== wanted.name || one.flags !== 'EQ' || one.evr === null) return false;
    // A kernel release is one text: 5.14.0-1 must not fit 5.14.0-1.el9, whatever a comparison of parts would say.
    if (wanted.name === 'kpatch-patch' && wanted.flags === 'EQ') return one.evr.replace(/^0:/, '') === wanted.evr;
    return meets(parseEvr(one.evr), wanted);
  });
}

const modulesOf = (pkg: Named): readonly string[] =>
  pkg.modules ?? (isLivePatchName(pkg.name) ? [moduleName(pkg)] : []);

/** `-` and `.` are `_` in the name of a module. */
const asModule = (text: string): string => text.replace(/\.ko$/, '').replace(/[-.]/g, '_');

/**
 * The packages a spec names: by name, version and architecture; else by what they provide; else by the name of their module.
 * The first of the three that finds anything counts, as in dnf. Specs of a CVE, an advisory or a file name nothing here.
 */
export function select<T extends Named>(spec: Spec, packages: readonly T[]): T[] {
  if (spec.kind === 'requirement') return packages.filter((pkg) => meetsRequirement(pkg, spec.dependency));
  if (spec.kind !== 'pattern') return [];
  const fits = compile(spec.text);
  const named = packages.filter((pkg) => fits(pkg));
  if (named.length > 0) return named;
  const provided = glob(spec.text);
  const providing = packages.filter((pkg) => pkg.provides.some(({ name }) => provided(name)));
  if (providing.length > 0) return providing;
  const module = glob(asModule(spec.text));
  return packages.filter((pkg) => modulesOf(pkg).some(module));
}

/** Whether a spec names one version: only then may it lead to an older one. */
export function isPinned(spec: Spec, pkg: Named): boolean {
  if (spec.kind === 'requirement') return spec.dependency.name === pkg.name && spec.dependency.flags === 'EQ';
  if (spec.kind !== 'pattern') return spec.kind === 'file';
  // Another version of the same package is not meant by it.
  const other = { ...pkg, version: `${pkg.version}.~`, release: '~', modules: [] };
  return select(spec, [pkg]).length > 0 && select(spec, [other]).length === 0;
}

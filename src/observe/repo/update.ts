// One <update> of updateinfo.xml -> an advisory. Vendors leave out what they like: only an id and a package are needed.
// Source: the files that pulp, bodhi, Amazon and openEuler publish; libdnf's reading of them (type, severity, references).
import type { Advisory, AdvisoryPackage, AdvisoryType, Reference } from '../../domain/advisory.ts';
import { attribute, child, children, count, type Element, textOf } from './element.ts';
import type { XmlReader } from './xml.ts';

/** An advisory without what belongs to the repository. */
export type StoredAdvisory = Omit<Advisory, 'repo' | 'signer'>;

const TYPES: readonly string[] = ['security', 'bugfix', 'enhancement', 'newpackage'];
const CVE = /^CVE-\d{4}-\d{4,19}$/;
/** Packages that say something about a kernel or a live patch; symbols and sources do not. */
const KEPT = /^(?:kernel|kpatch)/;
const DEBUG = /-debug(?:info|source)(?:$|-)/;

/** More of a text than anybody reads on a screen. */
const MAX_TEXT = 8 * 1024;

/** Parses the text of one entry. Null where it names no package that matters. Raises `updateinfo-malformed`. */
export function parseUpdate(text: string, what: string, xml: XmlReader): StoredAdvisory | null {
  const update = child(xml.parse(text, what, 'updateinfo-malformed'), 'update');
  const id = textOf(update, 'id')?.trim();
  const packages = packagesOf(update);
  if (!id || packages.length === 0) return null;
  const type = attribute(update, 'type')?.toLowerCase() ?? '';
  const references = children(child(update, 'references'), 'reference').flatMap((one) => reference(one) ?? []);
  return {
    id: id.slice(0, 200),
    type: (TYPES.includes(type) ? type : 'unknown') as AdvisoryType,
    severity: textOf(update, 'severity')?.trim().slice(0, 100) || null,
    title: short(textOf(update, 'title')),
    description: short(textOf(update, 'description')),
    rights: short(textOf(update, 'rights')),
    issued: attribute(child(update, 'issued'), 'date')?.slice(0, 40) || null,
    updated: attribute(child(update, 'updated'), 'date')?.slice(0, 40) || null,
    references,
    cves: [...new Set(references.flatMap(cveOf))],
    packages,
  };
}

const short = (text: string | null): string => (text ?? '').trim().slice(0, MAX_TEXT);

/** A reference counts as a CVE by its id, whatever its type says, or by its title where the type says so. */
function cveOf({ type, id, title }: Reference): string[] {
  const named = [id, ...(type === 'cve' ? [title] : [])].map((text) => text.trim().toUpperCase());
  const found = named.find((text) => CVE.test(text));
  return found === undefined ? [] : [found];
}

function reference(one: Element): Reference | null {
  const [id, title, href] = ['id', 'title', 'href'].map((name) => (attribute(one, name) ?? '').slice(0, 500));
  if (!id && !title && !href) return null;
  return {
    type: (attribute(one, 'type') ?? '').toLowerCase().slice(0, 40),
    id: id as string,
    title: title as string,
    href: href as string,
  };
}

/** Packages of every collection; openEuler keeps its live patches in collections of another name. */
function packagesOf(update: Element | null): AdvisoryPackage[] {
  const lists = children(update, 'pkglist');
  const collections = lists.flatMap((list) => [
    ...children(list, 'collection'),
    ...children(list, 'hot_patch_collection'),
    list,
  ]);
  const found = collections.flatMap((one) => children(one, 'package')).flatMap((one) => packageOf(one) ?? []);
  const seen = new Set<string>();
  return found.filter((pkg) => {
    const key = `${pkg.name} ${pkg.epoch} ${pkg.version} ${pkg.release} ${pkg.arch}`;
    return !seen.has(key) && seen.add(key);
  });
}

function packageOf(one: Element): AdvisoryPackage | null {
  const name = attribute(one, 'name')?.trim() ?? '';
  const version = attribute(one, 'version')?.trim() ?? '';
  const arch = attribute(one, 'arch')?.trim() ?? '';
  if (!KEPT.test(name) || DEBUG.test(name) || version === '' || arch === '') return null;
  if (arch === 'src' || arch === 'nosrc') return null;
  const reboot = textOf(one, 'reboot_suggested');
  return {
    name: name.slice(0, 200),
    epoch: count(attribute(one, 'epoch')) ?? 0,
    version: version.slice(0, 200),
    release: (attribute(one, 'release')?.trim() ?? '').slice(0, 200),
    arch: arch.slice(0, 40),
    // An empty element says yes; a text must say it.
    rebootSuggested: reboot !== null && !/^(?:false|0|no)$/i.test(reboot.trim()),
  };
}

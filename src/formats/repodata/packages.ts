// primary.xml, filelists.xml and other.xml of a few packages, from their headers: what createrepo_c would write of them.
// Written here, and not by createrepo_c, because it must come out byte for byte the same whoever makes it, whenever.
// Source: the files createrepo_c writes; held against it in test/oracle/repodata-written.test.ts.
import { parseEvr } from '../../domain/evr.ts';
import type { Dependency } from '../../domain/package.ts';
import { type PackageFacts, packageFacts } from '../rpm/facts.ts';
import { isDirectory } from '../rpm/files.ts';
import type { RpmPackage } from '../rpm/package.ts';
import { SIGTAG, TAG } from '../rpm/tags.ts';
import { attributes, element, escaped } from './xml.ts';

/** The text of one package in each of the three lists. */
export interface PackageXml {
  readonly primary: string;
  readonly filelists: string;
  readonly other: string;
}

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'http://linux.duke.edu/metadata';
/** Files that primary.xml lists; the others are in filelists.xml. Source: createrepo_c, "primary files". */
const PRIMARY_FILE = /^\/etc\/|bin\/|^\/usr\/lib\/sendmail$/;

/** What a package says of itself, as metadata; `href`: where it lies in the repository, `sha256`: of its file. */
export function packageXml(pkg: RpmPackage, href: string, sha256: string): PackageXml {
  const facts = packageFacts(pkg);
  const { name, arch } = pkg.nevra;
  const version = `<version${attributes(versionOf(facts))}/>`;
  const id = `<package${attributes({ pkgid: sha256, name, arch })}>\n  ${version}\n`;
  return {
    primary: primary(pkg, facts, version, href, sha256),
    filelists: `${id}${facts.files.map((file) => `  ${fileElement(file)}\n`).join('')}</package>\n`,
    other: `${id}${[...facts.changelog]
      .reverse()
      .map((entry) => `  ${change(entry)}\n`)
      .join('')}</package>\n`,
  };
}

const versionOf = ({ nevra: { epoch, version, release } }: PackageFacts) => ({ epoch, ver: version, rel: release });

function primary(pkg: RpmPackage, facts: PackageFacts, version: string, href: string, sha256: string): string {
  const { header, bytes, payload, headerBytes } = pkg;
  const text = (tag: number): string | null => header.text(tag);
  const built = facts.buildTime ?? 0;
  const archive = pkg.signature.number(SIGTAG.longArchiveSize) ?? pkg.signature.number(SIGTAG.archiveSize) ?? 0;
  const end = bytes.length - payload.length;
  const lines = [
    '<package type="rpm">',
    `  ${element('name', pkg.nevra.name)}`,
    `  ${element('arch', pkg.nevra.arch)}`,
    `  ${version}`,
    `  <checksum type="sha256" pkgid="YES">${sha256}</checksum>`,
    `  ${element('summary', facts.summary)}`,
    `  ${element('description', text(TAG.description))}`,
    `  ${element('packager', text(TAG.packager))}`,
    `  ${element('url', text(TAG.url))}`,
    `  <time${attributes({ file: built, build: built })}/>`,
    `  <size${attributes({ package: bytes.length, installed: facts.installedSize ?? 0, archive })}/>`,
    `  <location${attributes({ href })}/>`,
    '  <format>',
    `    ${element('rpm:license', text(TAG.license))}`,
    `    ${element('rpm:vendor', text(TAG.vendor))}`,
    `    ${element('rpm:group', text(TAG.group))}`,
    `    ${element('rpm:buildhost', text(TAG.buildHost))}`,
    `    ${element('rpm:sourcerpm', facts.sourceRpm)}`,
    `    <rpm:header-range${attributes({ start: end - headerBytes.length, end })}/>`,
    ...dependencies('provides', facts.provides),
    ...dependencies('requires', facts.requires, header.numbers(TAG.requireFlags)),
    ...dependencies('conflicts', facts.conflicts),
    ...dependencies('obsoletes', facts.obsoletes),
    ...facts.files.filter(({ path }) => PRIMARY_FILE.test(path)).map((file) => `    ${fileElement(file)}`),
    '  </format>',
    '</package>',
  ];
  return `${lines.join('\n')}\n`;
}

/** What must be there before the package itself: RPMSENSE_PREREQ, _SCRIPT_PRE, _SCRIPT_POST. Source: rpm's rpmds.h. */
const BEFORE = 64 | 512 | 1024;

function dependencies(kind: string, list: readonly Dependency[], flags: readonly number[] = []): string[] {
  const entries = list
    .map((one, n) => (((flags[n] ?? 0) & BEFORE) === 0 ? entry(one) : entry(one, 1)))
    // rpm's own features are no package's business.
    .filter((_, n) => list[n]?.name.startsWith('rpmlib(') === false);
  if (entries.length === 0) return [];
  return [`    <rpm:${kind}>`, ...[...new Set(entries)].map((one) => `      ${one}`), `    </rpm:${kind}>`];
}

function entry({ name, flags, evr }: Dependency, pre: 1 | null = null): string {
  if (flags === null || evr === null) return `<rpm:entry${attributes({ name, pre })}/>`;
  const { epoch, version, release } = parseEvr(evr);
  return `<rpm:entry${attributes({ name, flags, epoch, ver: version, rel: release || null, pre })}/>`;
}

function fileElement({ path, mode, ghost }: PackageFacts['files'][number]): string {
  const type = isDirectory(mode) ? 'dir' : ghost ? 'ghost' : null;
  return `<file${attributes({ type })}>${escaped(path)}</file>`;
}

function change({ author, time, text }: PackageFacts['changelog'][number]): string {
  return `<changelog${attributes({ author, date: time })}>${escaped(text)}</changelog>`;
}

/** The three lists of a repository, by the type repomd.xml gives them. */
export function packageLists(packages: readonly PackageXml[]): Record<'primary' | 'filelists' | 'other', string> {
  const count = packages.length;
  const list = (root: string, kind: keyof PackageXml, more = ''): string => {
    const space = kind === 'primary' ? 'common' : kind;
    const opened = `<${root} xmlns="${NAMESPACE}/${space}"${more} packages="${count}">\n`;
    return `${HEAD}${opened}${packages.map((one) => one[kind]).join('')}</${root}>\n`;
  };
  return {
    primary: list('metadata', 'primary', ` xmlns:rpm="${NAMESPACE}/rpm"`),
    filelists: list('filelists', 'filelists'),
    other: list('otherdata', 'other'),
  };
}
